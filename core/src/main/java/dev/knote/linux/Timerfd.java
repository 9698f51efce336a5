package dev.knote.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** timerfd_create(2): a descriptor that is readable from a time on. */
public final class Timerfd {
    /** Bytes of struct itimerspec. */
    public static final int SPEC_SIZE = 32;

    private static final int CLOCK_MONOTONIC = 1;
    private static final int TFD_CLOEXEC_NONBLOCK = 0x80800;
    private static final long NANOS = 1_000_000_000;

    private Timerfd() {}

    /** One of the monotonic clock, close-on-exec, that never is readable. */
    public static int timerfd_create() {
        return (int) Native.syscall(Sys.TIMERFD_CREATE, CLOCK_MONOTONIC, TFD_CLOEXEC_NONBLOCK, 0);
    }

    /** Readable in {@code nanos} and until it is set again; 0: never. {@code spec} is room for one struct. */
    public static int timerfd_settime(int fd, long nanos, MemorySegment spec) {
        spec.set(ValueLayout.JAVA_LONG, 0, 0);
        spec.set(ValueLayout.JAVA_LONG, 8, 0);
        spec.set(ValueLayout.JAVA_LONG, 16, nanos / NANOS);
        spec.set(ValueLayout.JAVA_LONG, 24, nanos % NANOS);
        return (int) Native.syscall(Sys.TIMERFD_SETTIME, fd, 0, spec.address(), 0, 0, 0);
    }
}
