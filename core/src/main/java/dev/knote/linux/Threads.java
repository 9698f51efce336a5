package dev.knote.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

/** Threads and processors, as the kernel sees them. */
public final class Threads {
    private static final int AFFINITY_BYTES = 1024;

    private static final MethodHandle CPU = Native.symbol("sched_getcpu").isPresent()
            ? Native.function("sched_getcpu", MethodType.methodType(int.class))
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

    /** As tgkill, of a thread of any process: with signal 0, -ESRCH if there is none of this id. */
    public static int tkill(int tid, int signal) {
        return (int) Native.syscall(Sys.TKILL, tid, signal, 0);
    }

    /** The processor that the calling thread runs on, a moment ago; 0 where libc can't tell. No system call. */
    public static int cpu() {
        try {
            return CPU == null ? 0 : (int) CPU.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
    }

    /** How many processors the calling thread may run on, or -errno. */
    public static int processors() {
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
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
