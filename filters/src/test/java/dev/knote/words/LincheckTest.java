package dev.knote.words;

import dev.knote.KeventList;
import dev.knote.kfutex.EventRing;
import dev.knote.percpu.OpsVector;
import dev.knote.sync.SharedEvent;
import dev.knote.sync.SharedSemaphore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What never sleeps of the classes built on words behaves as if each call happened at one moment. Lincheck's model checker
 * does not see steps on native memory, so it runs the calls in threads at random; every order of steps is for the tests
 * with stories (Explored). What is found by looking at one thing after the other is not said to be of one moment: tokens,
 * sums, counts.
 */
@Tag("once")
class LincheckTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));

    private static StressOptions options() {
        return new StressOptions().threads(2).actorsPerThread(4).iterations(FULL ? 30 : 8)
                .invocationsPerIteration(FULL ? 10_000 : 1_500);
    }

    private static MemorySegment memory(long bytes) {
        return Arena.ofAuto().allocate(bytes, 64);
    }

    /** A count of units. Seen to catch: a take that stores what it computed instead of comparing. */
    public static class SemaphoreOps {
        private final SharedSemaphore semaphore = SharedSemaphore.of(memory(64), 0);

        @Operation
        public int release() {
            return semaphore.release(1);
        }

        @Operation
        public boolean tryAcquire() {
            return semaphore.tryAcquire();
        }

        @Operation
        public int units() {
            return semaphore.units();
        }
    }

    @Test
    void aSemaphoreIsACount() {
        options().check(SemaphoreOps.class);
    }

    /** A bit that says whether it was another one. */
    public static class EventOps {
        private final SharedEvent event = SharedEvent.auto(memory(64), 0);

        @Operation
        public boolean set() {
            return event.set();
        }

        @Operation
        public boolean reset() {
            return event.reset();
        }

        @Operation
        public boolean isSet() {
            return event.isSet();
        }
    }

    @Test
    void anEventIsABit() {
        options().check(EventOps.class);
    }

    /** One puts, all take: a queue of four. */
    public static class RingOps {
        private static final int SLOTS = 4;
        private final MemorySegment memory = memory(EventRing.bytes(SLOTS));
        private final EventRing producer = EventRing.create(memory, SLOTS);
        private final EventRing consumer = EventRing.open(memory);
        private final KeventList events = KeventList.allocate(1);

        @Operation(nonParallelGroup = "producer")
        public int put(int number) {
            events.set(0, number, 0, 0, 0, number, null);
            return producer.put(events, 0, 1);
        }

        @Operation
        public long take() {
            KeventList mine = KeventList.allocate(1);
            int n = consumer.take(mine, 1, Duration.ZERO);
            return n == 0 ? Long.MIN_VALUE : mine.ident(0) * 31 + mine.data(0);
        }
    }

    @Test
    void aRingIsAQueue() {
        options().check(RingOps.class);
    }

    /** Two words that change as one. Seen to catch: a look without the second look at the state. */
    public static class VectorOps {
        private static final long ONE = 512;
        private static final long OTHER = 576;
        private final MemorySegment memory = memory(1024);

        private OpsVector vector() {
            return OpsVector.on(memory, 0);
        }

        @Operation
        public int add(int number) {
            return vector().add(ONE, number).add(OTHER, number).run();
        }

        @Operation
        public int negateIfSet() {
            return vector().notEqual(ONE, 0).xor(ONE, -1).xor(OTHER, -1).run();
        }

        @Operation
        public String look() {
            OpsVector look = vector().get(ONE).get(OTHER);
            return look.run() + " " + look.value(0) + " " + look.value(1);
        }
    }

    @Test
    void aVectorIsOneStep() {
        options().check(VectorOps.class);
    }
}
