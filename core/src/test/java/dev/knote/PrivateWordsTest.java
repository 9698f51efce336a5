package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A private wake is counted for those who have waited longest, each of them once, and never for one who has left. */
@Tag("once")
@Timeout(120)
class PrivateWordsTest {
    private static final EventQueue QUEUE = EventQueue.open();
    /** Words that no other test uses: the table is the process's. */
    private static final AtomicLong ADDRESSES = new AtomicLong(1L << 60);
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int WAITS = 4;
    private static final int OVER = -1;

    private static final int NOTHING = 0;
    private static final int PARKED = 1;
    private static final int WOKEN = 2;

    private final long address = ADDRESSES.getAndAdd(Integer.BYTES);

    @AfterAll
    static void close() {
        QUEUE.close();
    }

    @Test
    void theLongestParkedAreWokenAsInAQueueOfNumbers() {
        long seed = Long.getLong("knote.seed", System.nanoTime());
        Random random = new Random(seed);
        KnoteWord[] waits = new KnoteWord[WAITS];
        int[] expected = new int[WAITS];
        Deque<Integer> line = new ArrayDeque<>();
        for (int i = 0; i < WAITS; i++) {
            waits[i] = newWait();
        }
        for (int step = 0; step < 100_000; step++) {
            int i = random.nextInt(WAITS);
            if (random.nextInt(4) == 0) {
                PrivateWords.wake(address, i);
                for (int left = i; left > 0 && !line.isEmpty(); left--) {
                    expected[line.remove()] = WOKEN;
                }
            } else if (expected[i] == PARKED || random.nextBoolean()) {
                assertEquals(expected[i], take(waits[i]), "seed " + seed + ", step " + step);
                line.remove(i);
                expected[i] = NOTHING;
            } else {
                assertEquals(expected[i], take(waits[i]), "seed " + seed + ", step " + step);
                PrivateWords.park(waits[i]);
                line.add(i);
                expected[i] = PARKED;
            }
        }
    }

    @Test
    void aWakeThatMeetsTheFirstLeavingIsCountedForHimOrForTheNext() throws InterruptedException {
        int rounds = FULL ? 2_000_000 : 200_000;
        long end = System.nanoTime() + (FULL ? 60_000_000_000L : 3_000_000_000L);
        KnoteWord first = newWait();
        KnoteWord second = newWait();
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        Thread waker = Thread.ofPlatform().daemon().start(() -> {
            for (int round = 1; await(begun, round); round++) {
                jitter();
                PrivateWords.wake(address, 1);
                done.set(round);
            }
        });
        try {
            for (int round = 1; round <= rounds && System.nanoTime() < end; round++) {
                PrivateWords.park(first);
                PrivateWords.park(second);
                begun.set(round);
                jitter();
                int had = take(first);
                await(done, round);
                had += take(first);
                int next = take(second);
                String what = "round " + round + ": first " + had + ", second " + next;
                assertEquals(had == PARKED ? WOKEN : PARKED, next, what);
                assertEquals(PARKED + WOKEN, had + next, what);
            }
        } finally {
            begun.set(OVER);
            waker.join();
        }
    }

    private KnoteWord newWait() {
        Kevent change = new Kevent();
        change.ident = address;
        change.filter = Kqueue.EVFILT_USERMEM;
        return new KnoteWord(new KnoteImpl(QUEUE, null, change));
    }

    /** Takes the wait out: what it was. */
    private static int take(KnoteWord wait) {
        boolean parked = PrivateWords.leave(wait);
        boolean woken = (wait.bits() & FilterKnote.WORD_WOKEN) != 0;
        wait.clearBits();
        return (parked ? PARKED : NOTHING) + (woken ? WOKEN : NOTHING);
    }

    private static boolean await(AtomicInteger number, int least) {
        for (int looks = 0; number.get() < least; looks++) {
            if (number.get() == OVER) {
                return false;
            }
            if (looks < 100) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        return true;
    }

    private static void jitter() {
        for (int i = ThreadLocalRandom.current().nextInt(60); i > 0; i--) {
            Thread.onSpinWait();
        }
    }
}
