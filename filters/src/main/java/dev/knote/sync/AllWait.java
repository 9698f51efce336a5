package dev.knote.sync;

import dev.knote.words.Words;
import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Waits until all are available and takes them. Nothing is held while it sleeps; it sleeps on one word, the first that
 * is missing, so that wakes for the others go to others. What is taken is taken in one order everywhere.
 */
final class AllWait {
    private static final int MOST_PAUSES = 10;

    private final Waitable[] order;
    /** Where the last one missing was found: the next look begins there. */
    private int at;

    AllWait(Waitable[] members) {
        order = members.clone();
        Arrays.sort(order, Comparator.comparingInt(Waitable::rank).thenComparing(
                (a, b) -> Long.compareUnsigned(a.word.address(), b.word.address())));
    }

    boolean await(long deadline, long mostNanos) {
        Waitable slept = null;
        for (int failures = 0;;) {
            Waitable missing = missing();
            if (missing == null) {
                missing = takeAll();
                if (missing == null) {
                    return true;
                }
                pause(++failures);
            }
            if (slept != null) {
                slept.passOn();
                slept = null;
            }
            if (deadline != Words.NEVER && System.nanoTime() - deadline >= 0) {
                return false;
            }
            long value = missing.prepare(false);
            if (value != Waitable.AVAILABLE) {
                Words.sleep(missing.word, (int) value, WaitSet.earlier(deadline, mostNanos));
                slept = missing;
            }
        }
    }

    private Waitable missing() {
        for (int looks = 0; looks < order.length; looks++) {
            if (!order[at].isAvailable()) {
                return order[at];
            }
            at = at + 1 == order.length ? 0 : at + 1;
        }
        return null;
    }

    /** The one that was taken by somebody else meanwhile; then what was taken before it is given back. */
    private Waitable takeAll() {
        int taken = 0;
        try {
            while (taken < order.length && order[taken].take()) {
                taken++;
            }
        } catch (RuntimeException e) { // memory that is gone, a mutex that is lost
            giveBack(taken);
            throw e;
        }
        if (taken == order.length) {
            return null;
        }
        giveBack(taken);
        at = taken;
        return order[taken];
    }

    private void giveBack(int taken) {
        for (int i = taken; i-- > 0;) {
            order[i].giveBack();
        }
    }

    /** Two who disturb each other do not do it again and again. */
    private static void pause(int failures) {
        int most = 1 << Math.min(failures, MOST_PAUSES);
        for (int i = ThreadLocalRandom.current().nextInt(most); i > 0; i--) {
            Thread.onSpinWait();
        }
    }
}
