package dev.knote.benchmarks;

import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** System calls that the benchmarks make and Knote does not. */
public final class Linux {
    private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
    private static final int SOCKETPAIR = X86 ? 53 : 199;
    private static final int SCHED_SETAFFINITY = X86 ? 203 : 122;
    private static final int PIPE2 = X86 ? 293 : 59;
    private static final int PIDFD_OPEN = 434;
    private static final int PIDFD_GETFD = 438;
    private static final int O_NONBLOCK = 0x800;
    private static final int F_SETFL = 4;

    private Linux() {}

    /** Binds the calling thread to a processor. */
    public static void pin(int cpu) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(128, Long.BYTES);
            mask.setAtIndex(ValueLayout.JAVA_LONG, cpu / Long.SIZE, 1L << cpu % Long.SIZE);
            check("sched_setaffinity", Native.syscall(SCHED_SETAFFINITY, 0, mask.byteSize(), mask.address()));
        }
    }

    /** A pipe: {read end, write end}. */
    public static int[] pipe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fds = arena.allocate(8, 8);
            check("pipe2", Native.syscall(PIPE2, fds.address(), O_NONBLOCK, 0));
            return fds.toArray(ValueLayout.JAVA_INT);
        }
    }

    /** Two connected stream sockets. */
    static int[] socketPair() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fds = arena.allocate(8, 8);
            check("socketpair", Native.syscall(SOCKETPAIR, 1, 1, 0, fds.address(), 0, 0));
            return fds.toArray(ValueLayout.JAVA_INT);
        }
    }

    /** An eventfd whose reads wait. */
    static int blockingEventFd() {
        int fd = check("eventfd", Fds.eventfd());
        check("fcntl", Fds.fcntl(fd, F_SETFL, 0));
        return fd;
    }

    /** The descriptor of another process, here. */
    public static int fdOf(int pid, int fd) {
        int process = check("pidfd_open", Native.syscall(PIDFD_OPEN, pid, 0, 0));
        int copy = check("pidfd_getfd", Native.syscall(PIDFD_GETFD, process, fd, 0));
        Fds.close(process);
        return copy;
    }

    /** A call that fails at once and does nothing: to be seen by strace(1). */
    static void mark(int number) {
        Fds.close(-1000 - number);
    }

    static int openFds() throws IOException {
        try (var fds = java.nio.file.Files.list(java.nio.file.Path.of("/proc/self/fd"))) {
            return (int) fds.count();
        }
    }

    private static int check(String call, long result) {
        if (result < 0) {
            throw new IllegalStateException(call + ": errno " + -result);
        }
        return (int) result;
    }
}
