package dev.knote.sync;

import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/**
 * A count with two flags above it. {@link #SLEEPERS}: some who wait may be asleep. {@link #KEEPER}: one wait is armed
 * for good, by somebody who may be awake and busy, so that a wake that is for one has to wake one more. Who makes
 * available wakes as many as there are flags; a wake that finds nobody ends SLEEPERS, and then wakes again, for those
 * who have come meanwhile and believe that the flag is set.
 */
abstract class Flagged extends Waitable {
    static final int SLEEPERS = 1 << 31;
    static final int KEEPER = 1 << 30;
    static final int COUNT = KEEPER - 1;

    Flagged(MemorySegment word) {
        super(word);
    }

    @Override
    final boolean isAvailable() {
        return (Words.get(word) & COUNT) != 0;
    }

    @Override
    final long prepare(boolean kept) {
        int flag = kept && isConsumed() ? KEEPER : SLEEPERS;
        for (;;) {
            int now = Words.get(word);
            if ((now & COUNT) != 0) {
                return AVAILABLE;
            }
            if ((now & flag) != 0 || Words.swap(word, now, now | flag)) {
                return (now | flag) & 0xffffffffL;
            }
        }
    }

    @Override
    final boolean keep() {
        return !isConsumed() || (Words.or(word, KEEPER) & KEEPER) == 0;
    }

    @Override
    final void leave() {
        if (isConsumed()) {
            Words.and(word, ~KEEPER);
            passOn();
        }
    }

    @Override
    final void passOn() {
        int now = Words.get(word);
        if (isConsumed() && (now & COUNT) != 0) {
            wake(now, 1);
        }
    }

    /** After {@code units} have been added; {@code before} has the flags as they were then. */
    final void wake(int before, int units) {
        boolean sleepers = (before & SLEEPERS) != 0;
        boolean keeper = (before & KEEPER) != 0;
        if (!sleepers && !keeper) {
            return;
        }
        int most = !isConsumed() ? Integer.MAX_VALUE : (sleepers ? units : 0) + (keeper ? 1 : 0);
        if (Words.wake(word, most) == 0 && sleepers) {
            Words.and(word, ~SLEEPERS);
            Words.wake(word, Integer.MAX_VALUE);
        }
    }
}
