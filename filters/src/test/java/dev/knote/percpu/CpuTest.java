package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CpuTest {
    private static final boolean X86 = "amd64".equals(System.getProperty("os.arch"));
    private static final int SET_AFFINITY = X86 ? 203 : 122;
    private static final int GET_AFFINITY = X86 ? 204 : 123;
    private static final int BYTES = 1024;

    /** Prints "right" if a thread that is bound to a processor is told that processor, for each of them. */
    public static void main(String[] args) throws Exception {
        Others.inThreads(1, thread -> checkEachProcessor());
        System.out.println("right");
    }

    @Test
    void aThreadThatIsBoundToAProcessorIsToldThatOne() throws Exception {
        Others.inThreads(2, thread -> checkEachProcessor());
    }

    @Test
    void aVirtualThreadIsToldTheProcessorOfItsCarrierOfThatMoment() throws Exception {
        Others.inThreads(1, platform -> {
            List<Throwable> failures = new ArrayList<>();
            Thread.ofVirtual().start(() -> {
                try {
                    checkEachProcessor();
                    Thread.yield();
                    checkEachProcessor();
                } catch (Throwable e) {
                    failures.add(e);
                }
            }).join();
            assertEquals(List.of(), failures);
        });
    }

    @Test
    void withoutARegisteredAreaItIsRightAsWell() throws Exception {
        var builder = new ProcessBuilder(Others.java(CpuTest.class)).redirectErrorStream(true);
        builder.environment().put("GLIBC_TUNABLES", "glibc.pthread.rseq=0");
        Process process = builder.start();
        assertEquals("right", new String(process.getInputStream().readAllBytes()).strip());
        Others.awaitDone(process);
    }

    /** An area of a thread that has ended must not be read: it is not mapped any more. */
    @Test
    void threadsComeAndGoWhileVirtualThreadsWanderBetweenCarriers() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> wanderers = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 8; i++) {
            wanderers.add(Thread.ofVirtual().start(() -> {
                try {
                    while (!over.get()) {
                        checkRange();
                        Thread.yield();
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        for (int i = 0; i < (Others.FULL ? 2000 : 100); i++) {
            Others.inThreads(4, thread -> checkRange());
        }
        over.set(true);
        for (Thread wanderer : wanderers) {
            wanderer.join();
        }
        assertEquals(List.of(), failures);
    }

    private static void checkRange() {
        for (int i = 0; i < 100; i++) {
            int cpu = Cpu.current();
            assertTrue(cpu >= 0 && cpu < Cpu.count(), () -> "processor " + cpu + " of " + Cpu.count());
        }
    }

    private static void checkEachProcessor() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(BYTES, 8);
            long bytes = Native.syscall(GET_AFFINITY, 0, BYTES, all.address());
            assertTrue(bytes > 0, "sched_getaffinity");
            int checked = 0;
            for (int cpu = 0; cpu < bytes * 8; cpu++) {
                if ((all.get(ValueLayout.JAVA_BYTE, cpu / 8) >> cpu % 8 & 1) != 0) {
                    MemorySegment one = arena.allocate(BYTES, 8);
                    one.set(ValueLayout.JAVA_BYTE, cpu / 8, (byte) (1 << cpu % 8));
                    assertEquals(0, Native.syscall(SET_AFFINITY, 0, BYTES, one.address()));
                    int current = Cpu.current();
                    Native.syscall(SET_AFFINITY, 0, BYTES, all.address());
                    assertEquals(cpu, current);
                    checked++;
                }
            }
            assertTrue(checked > 0);
        }
    }
}
