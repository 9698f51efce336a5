package dev.knote.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Threads and processors, as the kernel sees them. */
public final class Threads {
    private static final int AFFINITY_BYTES = 1024;

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
