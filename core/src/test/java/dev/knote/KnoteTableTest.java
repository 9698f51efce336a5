package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that add, find and delete the same knotes as often as they can. */
@Tag("once")
class KnoteTableTest {
    private static final EventQueue QUEUE = EventQueue.open();
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int FILTER = -100;
    private static final int THREADS = 3;

    private final KnoteTable table = new KnoteTable(true);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    @AfterAll
    static void closeQueue() {
        QUEUE.close();
    }

    @Test
    void aKnoteIsInTheTableOnceAndWithOneThreadAtATime() throws Exception {
        int keys = 1;
        int rounds = FULL ? 20_000_000 : 400_000;
        AtomicIntegerArray alive = new AtomicIntegerArray(keys);
        AtomicIntegerArray users = new AtomicIntegerArray(keys);
        runAll(THREADS, me -> {
            for (int round = 0; round < rounds && failure.get() == null; round++) {
                int key = ThreadLocalRandom.current().nextInt(keys);
                boolean delete = ThreadLocalRandom.current().nextBoolean();
                KnoteImpl knote = table.take(key, FILTER);
                if (knote == null) {
                    knote = knote(key);
                    if (!table.insert(knote)) {
                        continue;
                    }
                    assertEquals(1, alive.incrementAndGet(key), "knotes of " + key + " in the table");
                }
                assertEquals(1, users.incrementAndGet(key), "threads that have taken the knote of " + key);
                users.decrementAndGet(key);
                if (delete) {
                    assertEquals(0, alive.decrementAndGet(key), "knotes of " + key + " left");
                    table.remove(knote);
                    table.free(knote);
                } else {
                    knote.giveBack();
                }
            }
        });
        for (int key = 0; key < keys; key++) {
            KnoteImpl knote = table.take(key, FILTER);
            assertEquals(alive.get(key), knote == null ? 0 : 1);
        }
    }

    @Test
    void aKnoteThatIsThereIsFoundWhileTheTableGrowsAndOthersGo() throws Exception {
        int times = FULL ? 500 : 10;
        AtomicBoolean over = new AtomicBoolean();
        int mine = 40;
        for (int time = 0; time < times; time++) {
            KnoteTable growing = new KnoteTable(true);
            over.set(false);
            for (int i = 0; i < mine; i++) {
                KnoteImpl knote = knote(-1 - i);
                assertTrue(growing.insert(knote));
                knote.giveBack();
            }
            runAll(2, me -> {
                if (me == 0) {
                    fill(growing);
                    over.set(true);
                }
                while (!over.get() && failure.get() == null) {
                    for (int i = 0; i < mine; i++) {
                        KnoteImpl found = growing.take(-1 - i, FILTER);
                        assertNotNull(found, "a knote that nobody has deleted");
                        assertEquals(-1 - i, found.ident);
                        found.giveBack();
                    }
                }
            });
        }
    }

    /** Fds, addresses in lines and pages, halves that are equal: what programs have for idents. */
    @ParameterizedTest
    @ValueSource(longs = {
            1, 4, 64, 128, 192, 256, 640, 1000, 1 << 12, 1 << 13, 1 << 16, 1L << 40, 1L << 12 | 1,
            1L << 24 | 1,
            1L << 32 | 1})
    void noSeriesOfIdentsCrowdsInOnePlace(long step) {
        int count = 1 << 16;
        int[] there = new int[count];
        int[] inStripe = new int[64];
        long before = 0;
        for (int i = 0; i < count; i++) {
            int hash = KnoteTable.hash(0x7f12_0000_0000L + i * step, Kqueue.EVFILT_USERMEM);
            before += there[hash & count - 1]++;
            inStripe[hash & 63]++;
        }
        assertTrue(before < 0.6 * count, "others in the way of one, on average: " + (double) before / count);
        for (int stripe = 0; stripe < 64; stripe++) {
            assertEquals(count / 64.0, inStripe[stripe], count / 64.0 / 4, "in stripe " + stripe);
        }
    }

    @Test
    void identsThatFollowEachOtherAreNotInEachOthersWay() {
        for (int filter : new int[] {Kqueue.EVFILT_READ, Kqueue.EVFILT_TIMER}) {
            Set<Integer> places = new HashSet<>();
            for (int ident = 0; ident < 1 << 16; ident++) {
                assertTrue(places.add(KnoteTable.hash(ident, filter) & (1 << 16) - 1), "ident " + ident);
            }
        }
    }

    private static void fill(KnoteTable growing) {
        for (int i = 0; i < 30_000; i++) {
            KnoteImpl knote = knote(i);
            assertTrue(growing.insert(knote));
            if (i % 3 == 0) {
                growing.remove(knote);
                growing.free(knote);
            } else {
                knote.giveBack();
            }
        }
        for (int i = 0; i < 30_000; i++) {
            KnoteImpl found = growing.take(i, FILTER);
            assertEquals(i % 3 == 0, found == null, "knote " + i);
            if (found != null) {
                found.giveBack();
            }
        }
    }

    private interface Work {
        void run(int me);
    }

    private void runAll(int count, Work work) throws Exception {
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int me = i;
            workers.add(Thread.ofPlatform().daemon().start(() -> {
                try {
                    work.run(me);
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                }
            }));
        }
        for (Thread worker : workers) {
            worker.join(60_000);
            assertTrue(!worker.isAlive() || failure.get() != null, "a thread is stuck");
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
    }

    private static KnoteImpl knote(int ident) {
        Kevent change = new Kevent();
        change.ident = ident;
        change.filter = FILTER;
        return new KnoteImpl(QUEUE, null, change);
    }
}
