package dev.knote.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

/** Threads and processors, as the kernel sees them. */
public final class Threads {
    private static final int AFFINITY_BYTES = 1024;

    private static final MethodHandle CPU = Native.symbol("sched_getcpu").isPresent()
            ? Native.leaf("sched_getcpu", MethodType.methodType(int.class))
            : null;

    private Threads() {}

    public static int getpid() {
        return (int) Native.syscall(Sys.GETPID, 0, 0, 0);
    }

    public static int gettid() {
        return (int) Native.syscall(Sys.GETTID, 0, 0, 0);
    }

    public static int tgkill(int pid, int tid, int signal) {
        return (int) Native.syscall(Sys.TGKILL, pid, tid, signal);
    }

    /** The processor that the calling thread runs on, a moment ago; 0 where nobody can tell. */
    public static int cpu() {
        if (!Rseq.IS_THERE || Thread.currentThread().isVirtual()) {
            return cpuOfLibc();
        }
        int cpu = Rseq.cpu();
        return cpu >= 0 ? cpu : cpuOfLibc();
    }

    /** As {@link #cpu}, whoever asks: sched_getcpu, else getcpu(2). */
    static int cpuOfLibc() {
        try {
            return CPU == null ? cpuOfKernel() : (int) CPU.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
    }

    static int cpuOfKernel() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cpu = arena.allocate(Integer.BYTES, Integer.BYTES);
            return Native.syscall(Sys.GETCPU, cpu.address(), 0, 0) == 0 ? cpu.get(ValueLayout.JAVA_INT, 0)
                    : 0;
        }
    }

    /** Whether no thread has this number any more: one that may not be signalled lives. */
    public static boolean isGone(int tid) {
        return Native.syscall(Sys.TKILL, tid, 0, 0) == -Errno.ESRCH;
    }

    /** How many processors the calling thread may run on, or -errno. */
    public static int processors() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(AFFINITY_BYTES, Long.BYTES);
            long bytes = Native.syscall(Sys.SCHED_GETAFFINITY, 0, AFFINITY_BYTES, mask.address());
            if (bytes < 0) {
                return (int) bytes;
            }
            int count = 0;
            for (long at = 0; at < bytes; at += Long.BYTES) {
                count += Long.bitCount(mask.get(ValueLayout.JAVA_LONG, at));
            }
            return count;
        }
    }
}
