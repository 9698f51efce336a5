package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import dev.knote.linux.Futex;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class CpuEventsTest {
    private static final int LINES = 2;

    @Test
    void whatWasSignalledAfterTheCountEndsTheWaitAtOnce() {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuEvents events = CpuEvents.of(memory.segment(), 0, LINES);
            long seen = events.count();
            events.signal();
            events.signal(1);
            assertEquals(seen + 2, events.await(seen, null));
            assertEquals(seen + 2, events.count());
        }
    }

    @Test
    void aWaitInVainEndsInTime() {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuEvents events = CpuEvents.of(memory.segment(), 0, LINES);
            long from = System.nanoTime();
            assertEquals(0, events.await(0, Duration.ofMillis(20)));
            assertTrue(System.nanoTime() - from >= 20_000_000);
            assertEquals(0, events.await(0, Duration.ZERO));
        }
    }

    /** Each signal is for one token, and wakes one: if one wake were lost, somebody would sleep beside a token. */
    @Test
    void manyWaitersLoseNoSignalThatWakesOne() throws Exception {
        int tokens = Others.FULL ? 1_000_000 : 20_000;
        exchange(tokens, 3, 2, 1);
    }

    @Test
    void manyWaitersLoseNoSignalThatWakesAll() throws Exception {
        exchange(Others.FULL ? 300_000 : 10_000, 3, 2, CpuEvents.ALL);
    }

    /**
     * Producers hand out tokens and wait until those are all taken, so that consumers fall asleep all the time. Tokens are
     * taken one at a time.
     */
    private static void exchange(int tokens, int consumers, int producers, int most) throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuEvents events = CpuEvents.of(memory.segment(), 64, LINES);
            AtomicInteger free = new AtomicInteger();
            AtomicLong taken = new AtomicLong();
            AtomicLong given = new AtomicLong();
            Others.inThreads(consumers + producers, thread -> {
                if (thread < consumers) {
                    consume(events, free, taken, tokens);
                    events.signal();
                } else {
                    while (given.get() < tokens) {
                        int burst = (int) (given.get() % 3) + 1;
                        for (int i = 0; i < burst && given.getAndIncrement() < tokens; i++) {
                            free.incrementAndGet();
                            events.signal(most);
                        }
                        while (free.get() > 0) {
                            Thread.onSpinWait();
                        }
                    }
                }
            });
            assertEquals(tokens, taken.get());
        }
    }

    private static void consume(CpuEvents events, AtomicInteger free, AtomicLong taken, int tokens) {
        while (true) {
            long seen = events.count();
            if (taken.get() >= tokens) {
                return;
            }
            int there = free.get();
            if (there > 0) {
                if (free.compareAndSet(there, there - 1) && taken.incrementAndGet() == tokens) {
                    events.signal();
                }
            } else {
                events.await(seen, null);
            }
        }
    }

    @Test
    void signalsOfACProgramWake() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuEvents events = CpuEvents.of(memory.segment(), 0, LINES);
            Process c = Others.c(memory, "signal", "0", "" + LINES, "100000");
            long seen = 0;
            while (seen < 100_000) {
                long now = events.await(seen, Duration.ofSeconds(20));
                assertTrue(now > seen, "no signal for 20 s, after " + seen);
                seen = now;
            }
            Others.awaitDone(c);
            assertEquals(100_000, events.count());
        }
    }

    @Test
    void aKilledWaiterLeavesNothingThatTheNextSignalsDoNotClear() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuEvents events = CpuEvents.of(memory.segment(), 0, LINES);
            Process waiter = Others.jvm(memory, "await", "0", "" + LINES);
            Others.await(() -> memory.segment().get(ValueLayout.JAVA_INT, 0) != 0, "the bit of the waiter");
            Others.kill(waiter);
            events.signal(1);
            assertEquals(0, memory.segment().get(ValueLayout.JAVA_INT, 0) & 1, "the bit");
            assertEquals(0, Futex.wake(memory.segment().address(), 10));
            assertEquals(1, events.await(0, null));
        }
    }
}
