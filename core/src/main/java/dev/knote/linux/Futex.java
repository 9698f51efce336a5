package dev.knote.linux;

/** futex(2), futex_waitv(2) and futex_requeue(2), on 32-bit words given by address. */
public final class Futex {
    /** futex2 flags: a 32-bit word, by a key that all processes share. */
    public static final int FUTEX2_SIZE_U32 = 2;
    /** Bytes of one {@code struct futex_waitv}: val 0, uaddr 8, flags 16, reserved 20. */
    public static final int WAITV_SIZE = 24;

    private static final int FUTEX_WAIT = 0;
    private static final int FUTEX_WAKE = 1;
    private static final int FUTEX_CMP_REQUEUE = 4;
    private static final int FUTEX_WAKE_OP = 5;
    private static final int OP_ADD = 1 << 28;
    private static final int OP_ARG = 1 << 12;
    private static final int CLOCK_MONOTONIC = 1;

    private Futex() {}

    /** Sleeps while the word holds {@code value}; 0 woken, -EAGAIN, -EINTR, -EFAULT, -ETIMEDOUT. */
    public static int wait(long address, int value, long timespec) {
        return (int) Native.syscall(Sys.FUTEX, address, FUTEX_WAIT, value & 0xffffffffL, timespec, 0, 0);
    }

    /** Wakes at most {@code count} waiters; how many, or -EINVAL, -EFAULT. */
    public static int wake(long address, int count) {
        return (int) Native.syscall(Sys.FUTEX, address, FUTEX_WAKE, count, 0, 0, 0);
    }

    /**
     * Adds {@code delta}, of 0 to 2047, to the word and wakes at most {@code count} waiters, which nobody can come between
     * and no kill; how many, or -EFAULT. Where the word was 0 it may be one more.
     */
    public static int addAndWake(long address, int delta, int count) {
        return (int) Native.syscall(Sys.FUTEX, address, FUTEX_WAKE_OP, count, 1, address,
                OP_ADD | delta * OP_ARG);
    }

    /**
     * Moves at most one waiter from {@code from}, if it still holds {@code value}, to {@code to} without waking it; how
     * many, or -EAGAIN, -EFAULT, -EINVAL.
     */
    public static int requeueOne(long from, int value, long to) {
        return requeue(from, value, 0, 1, to);
    }

    /**
     * Wakes at most {@code wake} waiters of {@code from}, if it still holds {@code value}, and moves at most {@code move}
     * more to {@code to}; how many in all, or -EAGAIN, -EFAULT, -EINVAL.
     */
    public static int requeue(long from, int value, int wake, int move, long to) {
        return (int) Native.syscall(Sys.FUTEX, from, FUTEX_CMP_REQUEUE, wake, move, to, value & 0xffffffffL);
    }

    /**
     * As {@link #waitv(long, int)}, until a moment of {@link System#nanoTime}'s clock: {@code timespec} is the address of
     * a struct timespec, or 0; then also -ETIMEDOUT.
     */
    public static int waitv(long waiters, int count, long timespec) {
        return (int) Native.syscall(Sys.FUTEX_WAITV, waiters, count, 0, timespec, CLOCK_MONOTONIC, 0);
    }

    /** Waits for any of {@code count} words; the index of a woken one, -EAGAIN, -EINTR, -EFAULT. */
    public static int waitv(long waiters, int count) {
        return (int) Native.syscall(Sys.FUTEX_WAITV, waiters, count, 0, 0, 0, 0);
    }
}
