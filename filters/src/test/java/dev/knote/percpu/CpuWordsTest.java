package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CpuWordsTest {
    private static final int LINES = 3;

    @Test
    void whatThreadsAddIsTheSum() throws Exception {
        int n = Others.FULL ? 10_000_000 : 100_000;
        try (Arena arena = Arena.ofShared()) {
            CpuWords words = CpuWords.of(arena.allocate(CpuWords.bytes(Cpu.count()), 64), 0, Cpu.count());
            Others.inThreads(4, thread -> {
                for (int i = 0; i < n; i++) {
                    words.add(2);
                    words.add(thread % 2 + 1, -1);
                }
            });
            assertEquals(8L * n, words.sum());
            assertEquals(-2L * n, words.sum(1));
            assertEquals(-2L * n, words.sum(2));
            assertEquals(0, words.sum(7));
        }
    }

    @Test
    void virtualThreadsThatAreMovedAddRightly() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuWords words = CpuWords.of(memory.segment(), 64, LINES);
            Thread[] threads = new Thread[50];
            for (int i = 0; i < threads.length; i++) {
                threads[i] = Thread.ofVirtual().start(() -> {
                    for (int k = 0; k < 1000; k++) {
                        words.add(1);
                        Thread.yield();
                    }
                });
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(50_000, words.sum());
        }
    }

    @Test
    void processesInJavaAndCAddToTheSameSum() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuWords words = CpuWords.of(memory.segment(), 128, LINES);
            Process c = Others.c(memory, "add", "128", "" + LINES, "3", "100000");
            Process jvm = Others.jvm(memory, "add", "128", "" + LINES, "3", "50000");
            for (int i = 0; i < 1000; i++) {
                words.add(3, 1);
            }
            Others.awaitDone(c);
            Others.awaitDone(jvm);
            assertEquals(151_000, words.sum(3));
            assertEquals(0, words.sum());
        }
    }

    @Test
    void aKilledProcessHasAddedOrNot() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            CpuWords words = CpuWords.of(memory.segment(), 0, LINES);
            Process c = Others.c(memory, "add", "0", "" + LINES, "0", "0");
            long enough = 1 + ThreadLocalRandom.current().nextInt(1_000_000);
            Others.await(() -> words.sum() >= enough, "additions");
            Others.kill(c);
            long sum = words.sum();
            words.add(5);
            assertEquals(sum + 5, words.sum());
            assertTrue(sum >= enough);
        }
    }

    @Test
    void wrongUseIsRefused() {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            MemorySegment all = memory.segment();
            assertEquals(Errno.EINVAL, errno(() -> CpuWords.of(all, 0, 0)));
            assertEquals(Errno.EINVAL, errno(() -> CpuWords.of(all, 0, 65)));
            assertEquals(Errno.EINVAL, errno(() -> CpuWords.of(all, 8, 1)));
            assertEquals(Errno.EINVAL, errno(() -> CpuWords.of(all, -64, 1)));
            assertEquals(Errno.EACCES, errno(() -> CpuWords.of(all.asReadOnly(), 0, 1)));
            assertEquals(Errno.EFAULT, errno(() -> CpuWords.of(MemorySegment.ofArray(new long[64]), 0, 1)));
            assertEquals(Errno.EINVAL, errno(() -> CpuFreeList.of(all, 0, 1, 0)));
            assertEquals(Errno.EINVAL, errno(() -> CpuFreeList.of(all, 0, 1, 1009)));
            assertEquals(Errno.EINVAL, errno(() -> CpuFreeList.of(all, 0, 1, 1008).push(1008)));
            assertEquals(Errno.EINVAL, errno(() -> CpuFreeList.of(all, 0, 1, 1008).push(-1)));
            assertEquals(Errno.EINVAL, errno(() -> CpuEvents.of(all, 0, 64)));
            assertEquals(Errno.EINVAL, errno(() -> CpuEvents.of(all, 0, 1).signal(0)));
            CpuWords words = CpuWords.of(all, 0, 64);
            assertThrows(IndexOutOfBoundsException.class, () -> words.add(8, 1));
            assertThrows(IndexOutOfBoundsException.class, () -> words.sum(-1));
        }
    }

    @Test
    void closedMemoryIsSaidToBe() {
        SharedMemory memory = SharedMemory.anonymous(4096);
        CpuWords words = CpuWords.of(memory.segment(), 0, 1);
        CpuEvents events = CpuEvents.of(memory.segment(), 64, 1);
        memory.close();
        assertThrows(IllegalStateException.class, () -> words.add(1));
        assertThrows(IllegalStateException.class, events::signal);
    }

    private static int errno(Runnable call) {
        return assertThrows(KeventException.class, call::run).errno();
    }
}
