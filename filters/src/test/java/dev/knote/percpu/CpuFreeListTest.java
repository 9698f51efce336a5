package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class CpuFreeListTest {
    private static final int LINES = 2;

    @Test
    void eachIndexThatWasPushedIsPoppedOnceThenThereIsNone() {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuFreeList list = filled(memory, 100);
            assertEquals(100, drain(list, 100).cardinality());
            assertEquals(CpuFreeList.NONE, list.pop());
            list.push(7);
            assertEquals(7, list.pop());
        }
    }

    @Test
    void whatLiesOnOtherProcessorsStacksIsFound() {
        try (SharedMemory memory = SharedMemory.anonymous(8192)) {
            CpuFreeList one = CpuFreeList.of(memory.segment(), 0, 1, 10);
            one.push(3);
            // The same head and link, as line 40 of a list of 64 lines.
            long head = memory.segment().get(ValueLayout.JAVA_LONG, 0);
            memory.segment().fill((byte) 0);
            memory.segment().set(ValueLayout.JAVA_LONG, 40 * 64, head);
            CpuFreeList many = CpuFreeList.of(memory.segment(), 0, 64, 10);
            assertEquals(3, many.pop());
            assertEquals(CpuFreeList.NONE, many.pop());
        }
    }

    /** As many indices as threads, each holds one at most: there is always one, wherever it lies. */
    @Test
    void nobodyHasWhatAnotherHasAndNoneMeansNone() throws Exception {
        int n = Others.FULL ? 5_000_000 : 150_000;
        int threads = 4;
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuFreeList list = filled(memory, threads);
            AtomicIntegerArray holders = new AtomicIntegerArray(threads);
            Others.inThreads(threads, thread -> {
                for (int i = 0; i < n; i++) {
                    int index = list.pop();
                    assertTrue(index != CpuFreeList.NONE, "none is free, though one is");
                    assertEquals(0, holders.getAndSet(index, 1), "somebody else has it");
                    holders.set(index, 0);
                    list.push(index);
                }
            });
            assertEquals(threads, drain(list, threads).cardinality());
        }
    }

    @Test
    void aKilledProcessTakesWithItWhatItHeldAndNothingElse() throws Exception {
        int kills = Others.FULL ? 100 : 4;
        int size = 500;
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuFreeList list = filled(memory, size);
            for (int i = 0; i < kills; i++) {
                List<Process> others = new ArrayList<>();
                for (int k = 0; k < 2; k++) {
                    others.add(Others.c(memory, "list", "0", "" + LINES, "" + size, "0"));
                }
                if (i % 4 == 0) {
                    others.add(Others.jvm(memory, "list", "0", "" + LINES, "" + size, "0"));
                }
                for (int k = ThreadLocalRandom.current().nextInt(20_000); k >= 0; k--) {
                    list.push(list.pop());
                }
                for (Process other : others) {
                    Others.kill(other);
                }
                BitSet free = drain(list, size);
                assertTrue(free.cardinality() >= size - others.size(),
                        () -> free.cardinality() + " of " + size + " left by " + others.size() + " killed");
                for (int index = 0; index < size; index++) {
                    list.push(index);
                }
            }
        }
    }

    @Test
    void aStackThatIsNoneIsSaidToBe() {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuFreeList list = CpuFreeList.of(memory.segment(), 0, 1, 10);
            memory.segment().set(ValueLayout.JAVA_INT, 0, 11);
            assertEquals(Errno.EIO, Assertions.assertThrows(KeventException.class, list::pop).errno());
        }
    }

    private static CpuFreeList filled(SharedMemory memory, int size) {
        CpuFreeList list = CpuFreeList.of(memory.segment(), 0, LINES, size);
        for (int i = 0; i < size; i++) {
            list.push(i);
        }
        return list;
    }

    private static BitSet drain(CpuFreeList list, int size) {
        BitSet free = new BitSet(size);
        for (int index = list.pop(); index != CpuFreeList.NONE; index = list.pop()) {
            assertTrue(!free.get(index), "index " + index + " is free twice");
            free.set(index);
        }
        return free;
    }
}
