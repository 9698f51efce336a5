package dev.knote;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** A private wake is counted for those who have waited longest, each of them once, and never for one who has left. */
class PrivateWordsTest {
    private static final EventQueue QUEUE = EventQueue.open();
    /** Words that no other test uses; each instance has its own, since the table is the process's. */
    private static final AtomicLong ADDRESSES = new AtomicLong(1L << 60);
    private static final int WAITS = 3;
    private static final int ITERATIONS = "full".equals(System.getProperty("knote.stress")) ? 40 : 4;

    private static final int NOTHING = 0;
    private static final int PARKED = 1;
    private static final int WOKEN = 2;

    @AfterAll
    static void close() {
        QUEUE.close();
    }

    /** As {@link KnoteWord} uses them: what concerns one wait excludes each other by its monitor. */
    @Param(name = "wait", gen = IntGen.class, conf = "0:" + (WAITS - 1))
    @Param(name = "count", gen = IntGen.class, conf = "1:" + WAITS)
    public static class Waits {
        private final long address = ADDRESSES.getAndAdd(Integer.BYTES);
        private final KnoteWord[] waits = new KnoteWord[WAITS];

        /** With nobody parked. */
        public Waits() {
            for (int i = 0; i < WAITS; i++) {
                Kevent change = new Kevent();
                change.ident = address;
                change.filter = Kqueue.EVFILT_USERMEM;
                waits[i] = new KnoteWord(new KnoteImpl(QUEUE, null, change));
            }
        }

        /** What it was before. */
        @Operation
        public int park(@Param(name = "wait") int i) {
            KnoteWord wait = waits[i];
            synchronized (wait) {
                if (wait.parked) {
                    return PARKED;
                }
                int before = take(wait);
                PrivateWords.park(wait);
                return before;
            }
        }

        /** What it was before. */
        @Operation
        public int leave(@Param(name = "wait") int i) {
            KnoteWord wait = waits[i];
            synchronized (wait) {
                return take(wait);
            }
        }

        @Operation
        public void wake(@Param(name = "count") int count) {
            PrivateWords.wake(address, count);
        }

        private static int take(KnoteWord wait) {
            boolean parked = PrivateWords.leave(wait);
            boolean woken = (wait.bits() & FilterKnote.WORD_WOKEN) != 0;
            wait.clearBits();
            return (parked ? PARKED : NOTHING) + (woken ? WOKEN : NOTHING);
        }
    }

    /** The same in a queue of numbers. */
    public static class Line {
        private final Deque<Integer> parked = new ArrayDeque<>();
        private final boolean[] woken = new boolean[WAITS];

        /** See {@link Waits#park}. */
        public int park(int i) {
            if (parked.contains(i)) {
                return PARKED;
            }
            int before = leave(i);
            parked.add(i);
            return before;
        }

        /** See {@link Waits#leave}. */
        public int leave(int i) {
            int before = parked.remove(i) ? PARKED : woken[i] ? WOKEN : NOTHING;
            woken[i] = false;
            return before;
        }

        /** See {@link Waits#wake}. */
        public void wake(int count) {
            for (int left = count; left > 0 && !parked.isEmpty(); left--) {
                woken[parked.remove()] = true;
            }
        }
    }

    @Test
    void eachWakeIsCountedForTheLongestParkedAndOnce() {
        new StressOptions().iterations(ITERATIONS).invocationsPerIteration(300 * ITERATIONS).threads(3)
                .actorsPerThread(4).actorsBefore(4).actorsAfter(WAITS).sequentialSpecification(Line.class)
                .check(Waits.class);
    }
}
