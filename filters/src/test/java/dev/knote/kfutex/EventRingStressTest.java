package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Many consumers, threads and processes, at full speed; some are killed. And that this finds what is wrong. */
@Timeout(120)
class EventRingStressTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int LONGS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SUM = 7680;

    @TempDir
    private static Path temp;

    /** What can be wrong with a ring. */
    private enum Fault {
        /** A consumer believes that it has what it has copied. */
        CLAIMS_WITHOUT_LOOKING,
        /** The producer believes that there is room. */
        OVERWRITES,
        /** The producer wakes nobody. */
        WAKES_NOBODY
    }

    /** A ring with a fault. */
    private static final class Faulty extends EventRing {
        private final Fault fault;

        Faulty(MemorySegment memory, int slots, Fault fault) {
            super(memory, slots);
            this.fault = fault;
        }

        @Override
        boolean claim(long from, int count) {
            if (fault == Fault.CLAIMS_WITHOUT_LOOKING) {
                Thread.yield(); // or on one processor nobody would come in between
            }
            return super.claim(from, count) || fault == Fault.CLAIMS_WITHOUT_LOOKING;
        }

        @Override
        int used() {
            return fault == Fault.OVERWRITES ? 0 : super.used();
        }

        @Override
        void ring(int n) {
            if (fault != Fault.WAKES_NOBODY) {
                super.ring(n);
            }
        }
    }

    /** One producer and some consumers, and what went wrong. */
    private static final class Crowd {
        private final EventRing ring;
        private final AtomicIntegerArray taken;
        private final AtomicLong count = new AtomicLong();
        private final AtomicReference<String> wrong = new AtomicReference<>();
        private final List<Thread> threads = new ArrayList<>();

        Crowd(EventRing ring, int events) {
            this.ring = ring;
            taken = new AtomicIntegerArray(events);
        }

        /** Null, or what went wrong. */
        String run(int consumers, boolean sleeps, Duration patience) throws InterruptedException {
            for (int i = 0; i < consumers; i++) {
                threads.add(Thread.ofPlatform().daemon().start(() -> guard(() -> consume(sleeps))));
            }
            threads.add(Thread.ofPlatform().daemon().start(() -> guard(this::produce)));
            long moved = System.nanoTime();
            for (long last = -1; count.get() < taken.length() && wrong.get() == null;) {
                long now = count.get();
                moved = now != last ? System.nanoTime() : moved;
                last = now;
                if (System.nanoTime() - moved > patience.toNanos()) {
                    wrong.compareAndSet(null, "stalled at " + now);
                }
                java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
            }
            ring.stop();
            ring.close();
            for (Thread thread : threads) {
                thread.join(10_000);
                assertTrue(!thread.isAlive(), "a thread that does not end");
            }
            return wrong.get();
        }

        private void guard(Runnable body) {
            try {
                body.run();
            } catch (RuntimeException e) {
                wrong.compareAndSet(null, e.toString());
            }
        }

        private void produce() {
            KeventList list = KeventList.allocate(16);
            int next = 0;
            while (next < taken.length() && wrong.get() == null) {
                int n = Math.min(ThreadLocalRandom.current().nextInt(1, 17), taken.length() - next);
                for (int i = 0; i < n * LONGS; i++) {
                    list.memory().setAtIndex(ValueLayout.JAVA_LONG, i, next + i / LONGS);
                }
                int done = ring.put(list, 0, n);
                next += done;
                if (done < n) {
                    ring.awaitRoom(Duration.ofSeconds(1));
                }
            }
        }

        private void consume(boolean sleeps) {
            KeventList list = KeventList.allocate(8);
            long before = -1;
            for (int n; (n = ring.take(list, ThreadLocalRandom.current().nextInt(1, 9),
                    sleeps ? null : Duration.ZERO)) != EventRing.CLOSED && wrong.get() == null;) {
                for (int i = 0; i < n; i++) {
                    before = check(list.memory(), i, before);
                }
            }
        }

        private long check(MemorySegment list, int index, long before) {
            long event = list.getAtIndex(ValueLayout.JAVA_LONG, (long) index * LONGS);
            for (int i = 1; i < LONGS; i++) {
                if (list.getAtIndex(ValueLayout.JAVA_LONG, (long) index * LONGS + i) != event) {
                    wrong.compareAndSet(null, "torn: " + event);
                }
            }
            if (event <= before) {
                wrong.compareAndSet(null, event + " after " + before);
            }
            if (taken.incrementAndGet((int) event) != 1) {
                wrong.compareAndSet(null, "twice: " + event);
            }
            count.incrementAndGet();
            return event;
        }
    }

    @ParameterizedTest
    @CsvSource({"1,true,8", "1,false,64", "4,true,8", "3,false,16", "4,true,1024"})
    void eachEventIsTakenOnceWholeAndInOrder(int consumers, boolean sleeps, int slots) throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(EventRing.bytes(slots))) {
            EventRing ring = EventRing.create(memory.segment(), slots);
            assertNull(new Crowd(ring, FULL ? 5_000_000 : 60_000).run(consumers, sleeps, PATIENCE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theTestFindsAPlantedFault(Fault fault) throws Exception {
        String found = null;
        for (int i = 0; i < 20 && found == null; i++) {
            try (SharedMemory memory = SharedMemory.anonymous(EventRing.bytes(8))) {
                EventRing.create(memory.segment(), 8);
                found = new Crowd(new Faulty(memory.segment(), 8, fault), 60_000).run(4, true,
                        Duration.ofMillis(700));
            }
        }
        assertNotNull(found, "the fault was not found");
    }

    /** A consumer that is killed takes with it what it had taken, four at most, and stops nobody. */
    @Test
    void consumersThatAreStoppedOrKilledDoNotStopTheOthers() throws Exception {
        int kills = FULL ? 200 : 8;
        try (SharedMemory memory = SharedMemory.create("knote-ring-" + System.nanoTime(), 8192)) {
            EventRing ring = EventRing.create(memory.segment(), 16);
            String path = memory.path().toString();
            AtomicLong put = new AtomicLong();
            AtomicReference<Boolean> stop = new AtomicReference<>(false);
            Thread producer = Thread.ofPlatform().daemon().start(() -> {
                KeventList list = KeventList.allocate(5);
                while (!stop.get()) {
                    for (int i = 0; i < 5; i++) {
                        list.set(i, 0, -11, 0, 0, 0, 1L);
                    }
                    int done = ring.put(list, 0, 5);
                    put.addAndGet(done);
                    if (done < 5) {
                        ring.awaitRoom(Duration.ofMillis(50));
                    }
                    ring.remind();
                }
            });
            try (Peer stays = Peer.c(temp, "count", path, "" + SUM)) {
                assertEquals("ready", stays.line());
                for (int i = 0; i < kills; i++) {
                    try (Peer dies = Peer.c(temp, "count", path, "" + SUM)) {
                        assertEquals("ready", dies.line());
                        long enough = put.get() + ThreadLocalRandom.current().nextInt(1, 3000);
                        Wait.until(() -> put.get() >= enough, "events");
                        if (i % 2 == 0) {
                            dies.stop();
                            long then = put.get();
                            Wait.until(() -> put.get() > then + 100, "events beside one that is stopped");
                        }
                        dies.kill();
                    }
                    long before = put.get();
                    Wait.until(() -> put.get() > before + 100, "events after a kill");
                }
                stop.set(true);
                producer.join();
                ring.close();
                assertEquals("closed", stays.line());
            } finally {
                stop.set(true);
                producer.join();
                memory.unlink();
            }
            long counted = memory.segment().get(ValueLayout.JAVA_LONG, SUM + 8);
            assertTrue(counted <= put.get() && counted >= put.get() - 4L * kills,
                    "counted " + counted + " of " + put.get());
            assertEquals(0, ring.size());
        }
    }

    /** A producer of another process. */
    static final class OtherProducer {
        private OtherProducer() {}

        public static void main(String[] arguments) {
            try (SharedMemory memory = SharedMemory.map(Path.of(arguments[0]))) {
                EventRing ring = EventRing.create(memory.segment(), 16);
                KeventList list = KeventList.allocate(1);
                for (long n = 1;; n++) {
                    for (int i = 0; i < LONGS; i++) {
                        list.memory().setAtIndex(ValueLayout.JAVA_LONG, i, n);
                    }
                    while (ring.put(list, 0, 1) == 0) {
                        ring.awaitRoom(Duration.ofMillis(100));
                    }
                }
            }
        }
    }

    @Test
    void aProducerThatIsKilledLeavesWholeEventsAndAnotherGoesOn() throws Exception {
        try (SharedMemory memory = SharedMemory.create("knote-ring-" + System.nanoTime(), 8192)) {
            for (int round = 0; round < (FULL ? 50 : 2); round++) {
                try (Peer producer = Peer.jvm(OtherProducer.class, memory.path().toString())) {
                    Wait.until(() -> memory.segment().get(ValueLayout.JAVA_INT, 0) != 0, "the ring");
                    EventRing consumer = EventRing.open(memory.segment());
                    KeventList list = KeventList.allocate(4);
                    long last = expect(consumer, list, 0,
                            ThreadLocalRandom.current().nextInt(1_000, 50_000));
                    producer.kill();
                    while (consumer.size() > 0) {
                        last = expect(consumer, list, last, last + 1);
                    }
                }
            }
            EventRing next = EventRing.create(memory.segment(), 16);
            KeventList list = KeventList.allocate(1).set(0, 5, -11, 0, 0, 0, 99L);
            assertEquals(1, next.put(list, 0, 1));
            assertEquals(1, EventRing.open(memory.segment()).take(list, 1, Duration.ofSeconds(10)));
            assertEquals(99, EventRing.udata(list, 0));
            memory.unlink();
        }
    }

    private static long expect(EventRing consumer, KeventList list, long before, long until) {
        long last = before;
        while (last < until) {
            int n = consumer.take(list, 4, Duration.ofSeconds(20));
            assertTrue(n > 0, "events after " + last);
            for (int i = 0; i < n * LONGS; i++) {
                assertEquals(last + 1 + i / LONGS, list.memory().getAtIndex(ValueLayout.JAVA_LONG, i));
            }
            last += n;
        }
        return last;
    }
}
