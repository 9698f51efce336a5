package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two threads, each with a queue of its own, wake each other in turn: every wake has to end a sleep. A thread that
 * misses one keeps both from the end. (A left-over flag of the ring is {@link BusyOwnerTest}'s.)
 */
class PingPongTest {
    private static final int ROUNDS = StressSize.of(2_000_000, 20_000);
    private static final long MINUTES = 5;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyWakeEndsASleep(boolean owned) throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            MemorySegment ping = memory.word32(0);
            MemorySegment pong = memory.word32(1);
            Future<Integer> first = threads.submit(() -> play(owned, ping, pong, true));
            Future<Integer> second = threads.submit(() -> play(owned, pong, ping, false));
            try {
                assertEquals(ROUNDS, first.get(MINUTES, TimeUnit.MINUTES));
                assertEquals(ROUNDS, second.get(MINUTES, TimeUnit.MINUTES));
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static int play(boolean owned, MemorySegment mine, MemorySegment theirs, boolean begins) {
        Options options = owned ? Options.defaults().singleOwner() : Options.defaults();
        try (EventQueue queue = EventQueue.open(options)) {
            queue.register(UserMem.int32(theirs, 0), null);
            int round = 0;
            while (round < ROUNDS) {
                round++;
                if (begins) {
                    tell(queue, mine, round);
                    hear(queue, theirs, round);
                } else {
                    hear(queue, theirs, round);
                    tell(queue, mine, round);
                }
            }
            return round;
        }
    }

    private static void tell(EventQueue queue, MemorySegment word, int round) {
        SharedMemory.store32(word, round);
        queue.wake(word, 1);
    }

    private static void hear(EventQueue queue, MemorySegment word, int round) {
        while (SharedMemory.load32(word) != round) {
            queue.poll(event -> {}, Duration.ofMinutes(1));
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("round " + round + ": no wake came");
            }
        }
    }
}
