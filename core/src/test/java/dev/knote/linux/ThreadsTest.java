package dev.knote.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class ThreadsTest {
    private static final int SET_AFFINITY = Sys.x86() ? 203 : 122;

    @Test
    void allWaysToTheProcessorSayTheSameOfAThreadThatIsBoundToOne() throws Exception {
        int[] cpus = new int[5];
        Thread bound = Thread.ofPlatform().start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                int cpu = Threads.cpu();
                MemorySegment mask = arena.allocate(1024, 8);
                mask.set(ValueLayout.JAVA_BYTE, cpu / 8, (byte) (1 << cpu % 8));
                Native.syscall(SET_AFFINITY, 0, 1024, mask.address());
                cpus[0] = cpu;
                cpus[1] = Threads.cpu();
                cpus[2] = Threads.cpuOfLibc();
                cpus[3] = Threads.cpuOfKernel();
                cpus[4] = OwnCpu.ofCaller().get();
            }
        });
        bound.join();
        assertEquals(cpus[0], cpus[1]);
        assertEquals(cpus[0], cpus[2]);
        assertEquals(cpus[0], cpus[3]);
        assertEquals(cpus[0], cpus[4]);
    }

    @Test
    void aVirtualThreadHasNoProcessorOfItsOwn() throws Exception {
        Throwable[] failure = new Throwable[1];
        Thread virtual = Thread.ofVirtual().start(() -> {
            failure[0] = assertThrows(IllegalStateException.class, OwnCpu::ofCaller);
        });
        virtual.join();
        assertTrue(failure[0].getMessage().contains("virtual"));
    }

    @Test
    void aThreadIsGoneWhenItIs() throws Exception {
        assertFalse(Threads.isGone(Threads.gettid()));
        assertFalse(Threads.isGone(1), "lives, and may not be signalled by everybody");
        Process process = new ProcessBuilder("true").start();
        process.waitFor();
        assertTrue(Threads.isGone((int) process.pid()));
    }
}
