package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.SharedMemory;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Once compiled, none of it makes garbage. */
@Timeout(120)
class PercpuAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int COUNT = 20_000;

    @Test
    void countersListsEventsAndVectorsAreFreeOfGarbage() {
        try (SharedMemory memory = SharedMemory.anonymous(8192)) {
            var all = memory.segment();
            CpuWords words = CpuWords.of(all, 0, 2);
            CpuFreeList list = CpuFreeList.of(all, 1024, 2, 4);
            list.push(0);
            CpuEvents events = CpuEvents.of(all, 2048, 2);
            OpsVector change = OpsVector.on(all, 4096).equal(5000, 0).add(5008, 1).words32().xor(5016, 1)
                    .wake(5016, 1);
            OpsVector look = OpsVector.on(all, 4096).get(5000).get(5008);
            assertFree("CpuWords", () -> words.add(words.sum()));
            assertFree("CpuFreeList", () -> list.push(list.pop()));
            assertFree("CpuEvents", () -> {
                events.signal(1);
                events.await(0, null);
            });
            assertFree("OpsVector", change::run);
            assertFree("OpsVector without writes", look::run);
            assertFree("Cpu", Cpu::current);
        }
    }

    /** The interpreter and the first compiler allocate where the last one does not: it is waited for. */
    private static void assertFree(String what, Runnable operation) {
        long end = System.nanoTime() + 20_000_000_000L;
        double bytes;
        do {
            long from = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < COUNT; i++) {
                operation.run();
            }
            bytes = (double) (THREADS.getCurrentThreadAllocatedBytes() - from) / COUNT;
        } while (bytes > 0.5 && System.nanoTime() < end);
        double seen = bytes;
        assertTrue(bytes <= 0.5, () -> what + ": " + seen + " bytes each time");
    }
}
