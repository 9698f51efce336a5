package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Futex;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Processes that are killed while they wake and wait. Those that live go on. What can't be promised: a wake that the
 * kernel had counted for a waiter that then died is gone, it is the later wakes that must arrive.
 */
@Timeout(1200)
class KilledProcessTest {
    private static final int WAITED_BY_BOTH = 5;
    private static final int READY = 6;
    private static final int MOST_EXCHANGES = 200;

    /** A process that waits for a word for ever; its events make it count up another. */
    public static void main(String[] args) {
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]));
                EventQueue queue = EventQueue.open()) {
            queue.register(UserMem.int32(memory.word32(WAITED_BY_BOTH), 0), null);
            while (true) {
                SharedMemory.add32(memory.word32(READY), 1);
                queue.poll(event -> {}, null);
            }
        }
    }

    @Test
    void theLivingGoOn() throws Exception {
        int kills = StressSize.of(100, 10);
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong events = new AtomicLong();
        Resources resources = new Resources();
        try (SharedMemory memory = SharedMemory.anonymous(Waker.BYTES);
                Crew crew = new Crew(() -> "events " + events)) {
            crew.start("receiver", () -> receive(memory, events, over));
            for (int i = 0; i < kills; i++) {
                killAWaker(memory, crew);
                killAWaiter(memory, crew, events);
            }
            over.set(true);
            Words.wake(memory.word32(0), 1);
            crew.join(StressSize.PATIENCE);
            assertEquals(0, Futex.wake(memory.word32(WAITED_BY_BOTH).address(), 1000), "waiters left");
        }
        resources.checkReturned();
    }

    private static void receive(SharedMemory memory, AtomicLong events, AtomicBoolean over) {
        try (EventQueue queue = EventQueue.open()) {
            for (int i : new int[] {0, 1, WAITED_BY_BOTH}) {
                queue.register(UserMem.int32(memory.word32(i), 0), i);
            }
            while (!over.get()) {
                queue.poll(event -> {
                    int i = (Integer) event.attachment();
                    if (i == WAITED_BY_BOTH) {
                        events.incrementAndGet();
                    } else {
                        Waker.answer(memory, i);
                    }
                }, Duration.ofSeconds(1));
            }
        }
    }

    private static void killAWaker(SharedMemory memory, Crew crew) throws Exception {
        SharedMemory.store64(memory.word64(1 + Waker.ANSWERED), 0);
        SharedMemory.store64(memory.word64(1 + Waker.SAID), 0);
        Process process = Waker.start(memory, 1, Long.MAX_VALUE, false);
        try {
            long enough = 1 + ThreadLocalRandom.current().nextInt(MOST_EXCHANGES);
            crew.await("exchanges of a process",
                    () -> SharedMemory.load64(memory.word64(1 + Waker.ANSWERED)) >= enough);
        } finally {
            process.destroyForcibly().waitFor();
        }
        exchange(memory, crew);
    }

    private static void killAWaiter(SharedMemory memory, Crew crew, AtomicLong events) throws Exception {
        SharedMemory.store32(memory.word32(READY), 0);
        var word = memory.word32(WAITED_BY_BOTH);
        Process process = Waker.jvm(KilledProcessTest.class, memory.path().toString());
        try {
            crew.await("the other process", () -> SharedMemory.load32(memory.word32(READY)) > 0);
            for (int i = ThreadLocalRandom.current().nextInt(MOST_EXCHANGES); i > 0; i--) {
                Words.wake(word, 1);
            }
            process.destroyForcibly();
            Words.wake(word, 1); // may be lost with him
        } finally {
            process.destroyForcibly().waitFor();
        }
        // All that waits now is alive: one wake, one event.
        crew.await("the living one in line", () -> {
            long before = events.get();
            int woken = Futex.wake(word.address(), 1000);
            if (woken == 1) {
                crew.await("its event", () -> events.get() > before);
            }
            return woken == 1;
        });
        exchange(memory, crew);
    }

    private static void exchange(SharedMemory memory, Crew crew) {
        BooleanSupplier stop = crew::hasFailed;
        Waker waker = new Waker(memory, 0, false);
        long from = SharedMemory.load64(memory.word64(Waker.ANSWERED));
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        for (long n = from + 1; n <= from + 100; n++) {
            waker.exchange(n, () -> stop.getAsBoolean() || System.nanoTime() > end);
            assertEquals(n, SharedMemory.load64(memory.word64(Waker.ANSWERED)), "answers after a kill");
        }
    }
}
