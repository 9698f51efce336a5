package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.SharedMemory;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waiting makes no garbage, once it is compiled. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WaitSetAllocationTest {
    private static final int COUNT = 5000;
    private static final long MOST_NANOS = 25_000_000_000L;
    private static final int DIRECTLY = 128;
    private static final int BY_QUEUE = 0;
    private static final Duration BRIEF = Duration.ofNanos(1000);

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void events_semaphores_words_timeouts_and_all(int most) {
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                WaitSet set = WaitSet.open(most, 250_000_000)) {
            SharedEvent event = SharedEvent.auto(memory.segment(), 0);
            SharedSemaphore semaphore = SharedSemaphore.of(memory.segment(), SharedMemory.LINE);
            MemorySegment word = memory.word32(2);
            set.add(event);
            set.add(semaphore);
            set.add(word, 0);
            assertFree(() -> {
                event.set();
                semaphore.release(1);
                Words.set(word, 1);
                Words.wake(word, 1);
                assertEquals(0, set.waitAny(null));
                assertEquals(1, set.waitAny(null));
                assertEquals(2, set.waitAny(null));
                event.set();
                semaphore.release(1);
                assertTrue(set.waitAll(null));
                Words.set(word, 0);
                assertEquals(WaitSet.TIMEOUT, set.waitAny(BRIEF));
                assertEquals(WaitSet.TIMEOUT, set.waitAny(Duration.ZERO));
            });
        }
    }

    private static void assertFree(Runnable operation) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long begin = System.nanoTime();
        double bytes;
        do {
            long from = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < COUNT; i++) {
                operation.run();
            }
            bytes = (double) (threads.getCurrentThreadAllocatedBytes() - from) / COUNT;
        } while (bytes >= 0.5 && System.nanoTime() - begin < MOST_NANOS);
        assertTrue(bytes < 0.5, bytes + " bytes an operation");
    }
}
