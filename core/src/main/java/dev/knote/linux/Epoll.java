package dev.knote.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** epoll(7). {@code struct epoll_event} is packed on x86-64 alone: 12 bytes there, 16 elsewhere. */
public final class Epoll {
    public static final int EPOLLIN = 0x1;
    public static final int EPOLLPRI = 0x2;
    public static final int EPOLLOUT = 0x4;
    public static final int EPOLLERR = 0x8;
    public static final int EPOLLHUP = 0x10;
    public static final int EPOLLRDHUP = 0x2000;
    public static final int EPOLLET = 1 << 31;

    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_DEL = 2;
    public static final int EPOLL_CTL_MOD = 3;

    /** Bytes of one {@code struct epoll_event}. */
    public static final int EVENT_SIZE = Sys.x86() ? 12 : 16;

    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int DATA_AT = EVENT_SIZE - Long.BYTES;

    private Epoll() {}

    public static int epoll_create1() {
        return (int) Native.syscall(Sys.EPOLL_CREATE1, EPOLL_CLOEXEC, 0, 0);
    }

    /** {@code event} is room for one struct; the call fills it in. */
    public static int epoll_ctl(int epfd, int op, int fd, int events, long data, MemorySegment event) {
        event.set(JAVA_INT_UNALIGNED, 0, events);
        event.set(JAVA_LONG_UNALIGNED, DATA_AT, data);
        return (int) Native.syscall(Sys.EPOLL_CTL, epfd, op, fd, event.address(), 0, 0);
    }

    /** Waits for at most {@code max} events; {@code timespec} is the address of a struct timespec, or 0: for ever. */
    public static int epoll_pwait2(int epfd, MemorySegment events, int max, long timespec) {
        return (int) Native.syscall(Sys.EPOLL_PWAIT2, epfd, events.address(), max, timespec, 0, 0);
    }

    /** As {@link #epoll_pwait2} for kernels before 5.11, with a timeout in milliseconds, -1: for ever. */
    public static int epoll_wait(int epfd, MemorySegment events, int max, int millis) {
        return (int) Native.syscall(Sys.EPOLL_PWAIT, epfd, events.address(), max, millis, 0, 8);
    }

    public static int events(MemorySegment events, int i) {
        return events.get(JAVA_INT_UNALIGNED, (long) i * EVENT_SIZE);
    }

    public static long data(MemorySegment events, int i) {
        return events.get(JAVA_LONG_UNALIGNED, (long) i * EVENT_SIZE + DATA_AT);
    }
}
