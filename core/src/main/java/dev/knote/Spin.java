package dev.knote;

import dev.knote.linux.Threads;
import java.time.Duration;

/**
 * Whether, and for how long, to look for events awake before sleeping. Spinning that finds something earns trust,
 * and so does a sleep so short that spinning would have found what ended it; spinning in vain loses it. Without trust it
 * is tried again once in a while. A thread of this process that ended the
 * last sleep from the processor that we are on can't run while we spin: then we don't. Of another process nobody can tell
 * where it runs; there, trust does it.
 */
final class Spin {
    private static final int MOST_TRUST = 8;
    private static final int RETRY_EVERY = 256;
    private static final int LOOKS_A_CLOCK = 8;
    private static final int LOOKS_A_CALL = 32;
    private static final int NOBODY = -1;

    private final long mostNanos;
    private int trust = MOST_TRUST / 2;
    private int skipped;
    private long asleepSince;
    private long until;
    private int looks;
    private boolean fdsPay = true;
    private volatile int wakerCpu = NOBODY;

    Spin(Duration most) {
        mostNanos = most.isZero() || Threads.processors() < 2 ? 0 : Arguments.nanos("spin", most);
    }

    /** Called by a thread of this process that wakes a sleeping one. */
    void wokenFromHere() {
        if (mostNanos != 0) {
            wakerCpu = Threads.cpu();
        }
    }

    /** Asked before each sleep. */
    boolean worthwhile() {
        if (mostNanos == 0 || wakerCpu == Threads.cpu()) {
            return false;
        }
        if (trust > 0) {
            return true;
        }
        if (++skipped < RETRY_EVERY) {
            return false;
        }
        skipped = 0;
        return true;
    }

    void begin(long sleepNanos) {
        until = System.nanoTime() + (sleepNanos < 0 ? mostNanos : Math.min(mostNanos, sleepNanos));
        looks = 0;
    }

    /** Between two looks. */
    boolean goesOn() {
        Thread.onSpinWait();
        return ++looks % LOOKS_A_CLOCK != 0 || System.nanoTime() < until;
    }

    /** Whether it was an fd for which the spinning was good. */
    void fdsPay(boolean pay) {
        fdsPay = pay;
    }

    /** Whether this look is to be at the fds, too. */
    boolean isTimeForFds() {
        return fdsPay || looks % LOOKS_A_CALL == LOOKS_A_CALL - 1;
    }

    void fallsAsleep() {
        if (mostNanos != 0) {
            wakerCpu = NOBODY; // until somebody of this process ends this sleep
            asleepSince = System.nanoTime();
        }
    }

    /** Waking up takes its time, too: about as long as is worth spinning. */
    void woke() {
        if (mostNanos != 0 && System.nanoTime() - asleepSince < 2 * mostNanos && trust < MOST_TRUST) {
            trust++;
        }
    }

    void end(boolean found) {
        trust = found ? Math.min(MOST_TRUST, trust + 1) : Math.max(0, trust - 1);
    }
}
