package dev.knote;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Counts the threads inside a queue, so that its fds are closed when nobody can use them any more: a number that is
 * used after its close names somebody else's file. Spread, so that threads do not meet on one counter.
 */
final class Presence {
    private static final int STRIPES = 16;
    /** Integers a stripe: two cache lines, since they are fetched in pairs. */
    private static final int SPACING = 32;

    /** The first stripe keeps off the array's length, which each access reads. */
    private final AtomicIntegerArray counts = new AtomicIntegerArray((1 + STRIPES) * SPACING);

    void enter() {
        counts.getAndIncrement(stripe());
    }

    void leave() {
        counts.getAndDecrement(stripe());
    }

    boolean isAnybody() {
        int sum = 0;
        for (int i = 1; i <= STRIPES; i++) {
            sum += counts.get(i * SPACING);
        }
        return sum != 0;
    }

    private static int stripe() {
        return (int) Thread.currentThread().threadId() % STRIPES * SPACING + SPACING;
    }
}
