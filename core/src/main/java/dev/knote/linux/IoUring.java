package dev.knote.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * One io_uring(7): its fd, its two queues and the calls on them. Not safe for use by several threads at once, but for
 * {@link #enter} without submission.
 */
public final class IoUring {
    public static final int IORING_SETUP_CQSIZE = 0x8;
    public static final int IORING_SETUP_CLAMP = 0x10;
    public static final int IORING_SETUP_SUBMIT_ALL = 0x80;
    public static final int IORING_SETUP_TASKRUN_FLAG = 0x200;
    public static final int IORING_SETUP_SINGLE_ISSUER = 0x1000;
    public static final int IORING_SETUP_DEFER_TASKRUN = 0x2000;

    public static final int IORING_OP_NOP = 0;
    public static final int IORING_OP_POLL_ADD = 6;
    public static final int IORING_OP_SENDMSG = 9;
    public static final int IORING_OP_TIMEOUT = 11;
    public static final int IORING_OP_ASYNC_CANCEL = 14;
    public static final int IORING_OP_SEND = 26;
    public static final int IORING_OP_RECV = 27;
    public static final int IORING_OP_FUTEX_WAIT = 51;
    public static final int IORING_OP_FUTEX_WAKE = 52;

    public static final int IORING_POLL_ADD_MULTI = 1;
    public static final int IORING_TIMEOUT_MULTISHOT = 1 << 6;
    public static final int IORING_ASYNC_CANCEL_ALL = 1;
    public static final int IORING_ASYNC_CANCEL_ANY = 4;
    public static final int IORING_CQE_F_MORE = 2;

    private static final int IORING_ENTER_GETEVENTS = 1;
    private static final int IORING_ENTER_EXT_ARG = 8;
    private static final int IORING_ENTER_NO_IOWAIT = 0x80;
    private static final int IORING_FEAT_NO_IOWAIT = 1 << 17;
    private static final int IORING_REGISTER_PROBE = 8;
    private static final int IORING_SQ_CQ_OVERFLOW = 2;
    private static final int IORING_SQ_TASKRUN = 4;
    private static final int IO_URING_OP_SUPPORTED = 1;

    private static final long OFF_SQ_RING = 0;
    private static final long OFF_CQ_RING = 0x8000000L;
    private static final long OFF_SQES = 0x10000000L;
    private static final int PARAMS_SIZE = 120;
    private static final int SQE_SIZE = 64;
    private static final int CQE_SIZE = 16;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED_POPULATE = 0x8001;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final int fd;
    private final int enterFlags;
    private final MemorySegment sqRing;
    private final MemorySegment cqRing;
    private final MemorySegment sqes;
    private final long sqTailAt;
    private final long sqHeadAt;
    private final long sqFlagsAt;
    private final int sqMask;
    private final int sqEntries;
    private final long cqHeadAt;
    private final long cqTailAt;
    private final long cqesAt;
    private final int cqMask;
    private final MemorySegment timespec;
    private final MemorySegment enterArgument;
    private int sqTail;
    private int cqHead;
    private int peeked;

    private IoUring(int fd, MemorySegment params) {
        this.fd = fd;
        this.sqEntries = params.get(JAVA_INT, 0);
        int cqEntries = params.get(JAVA_INT, 4);
        int features = params.get(JAVA_INT, 20);
        this.enterFlags = (features & IORING_FEAT_NO_IOWAIT) != 0 ? IORING_ENTER_NO_IOWAIT : 0;
        this.sqHeadAt = params.get(JAVA_INT, 40);
        this.sqTailAt = params.get(JAVA_INT, 44);
        this.sqFlagsAt = params.get(JAVA_INT, 56);
        this.cqHeadAt = params.get(JAVA_INT, 80);
        this.cqTailAt = params.get(JAVA_INT, 84);
        this.cqesAt = params.get(JAVA_INT, 100);
        long arrayAt = params.get(JAVA_INT, 64);
        this.sqRing = map(fd, arrayAt + 4L * sqEntries, OFF_SQ_RING);
        this.cqRing = map(fd, cqesAt + (long) CQE_SIZE * cqEntries, OFF_CQ_RING);
        this.sqes = map(fd, (long) SQE_SIZE * sqEntries, OFF_SQES);
        this.sqMask = sqRing.get(JAVA_INT, params.get(JAVA_INT, 48));
        this.cqMask = cqRing.get(JAVA_INT, params.get(JAVA_INT, 88));
        for (int i = 0; i < sqEntries; i++) {
            sqRing.set(JAVA_INT, arrayAt + 4L * i, i);
        }
        MemorySegment scratch = Arena.ofAuto().allocate(48, 16);
        this.timespec = scratch.asSlice(0, 16);
        this.enterArgument = scratch.asSlice(16, 24);
        enterArgument.set(JAVA_INT, 8, 8);
    }

    /**
     * io_uring_setup(2).
     *
     * @return the ring's fd to give to {@link #open}, or -errno
     */
    public static int setup(int entries, int cqEntries, int flags, MemorySegment params) {
        params.fill((byte) 0);
        params.set(JAVA_INT, 4, cqEntries);
        params.set(JAVA_INT, 8, flags | IORING_SETUP_CQSIZE);
        return (int) Native.syscall(Sys.IO_URING_SETUP, entries, params.address(), 0);
    }

    /** Room for the parameters of {@link #setup}. */
    public static MemorySegment params(Arena arena) {
        return arena.allocate(PARAMS_SIZE, 8);
    }

    /** The ring of a descriptor that {@link #setup} returned, with its parameters; null if it can't be mapped. */
    public static IoUring open(int fd, MemorySegment params) {
        try {
            return new IoUring(fd, params);
        } catch (IllegalStateException unmappable) {
            Fds.close(fd);
            return null;
        }
    }

    /** Whether the kernel has operation {@code op}: 1, 0, or -errno. */
    public static int probe(int fd, int op) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment probe = arena.allocate(16 + 256 * 8, 8);
            int result = (int) Native.syscall(
                    Sys.IO_URING_REGISTER, fd, IORING_REGISTER_PROBE, probe.address(), 256, 0, 0);
            if (result < 0) {
                return result;
            }
            return probe.get(ValueLayout.JAVA_SHORT, 16 + 8L * op + 2) & IO_URING_OP_SUPPORTED;
        }
    }

    public int fd() {
        return fd;
    }

    /** Entries that can be prepared before the next {@link #submit}. */
    public int room() {
        return sqEntries - (sqTail - (int) INT.getAcquire(sqRing, sqHeadAt));
    }

    /** Entries prepared and not submitted. */
    public int unsubmitted() {
        return sqTail - (int) INT.getAcquire(sqRing, sqHeadAt);
    }

    /** Takes back what was prepared and is not submitted; how many entries that were. */
    public int withdraw() {
        int count = unsubmitted();
        sqTail -= count;
        INT.setRelease(sqRing, sqTailAt, sqTail);
        return count;
    }

    /** Prepares one submission; the parameters are the fields of struct io_uring_sqe, by offset 0, 8, 16, 24 and 48. */
    public void prepare(int op, int fd, long off, long addr, int len, int opFlags, long userData,
            long addr3) {
        long at = (long) (sqTail & sqMask) * SQE_SIZE;
        sqes.set(JAVA_LONG, at, op & 0xffL | (long) fd << 32);
        sqes.set(JAVA_LONG, at + 8, off);
        sqes.set(JAVA_LONG, at + 16, addr);
        sqes.set(JAVA_LONG, at + 24, len & 0xffffffffL | (long) opFlags << 32);
        sqes.set(JAVA_LONG, at + 32, userData);
        sqes.set(JAVA_LONG, at + 40, 0);
        sqes.set(JAVA_LONG, at + 48, addr3);
        sqes.set(JAVA_LONG, at + 56, 0);
        sqTail++;
        INT.setRelease(sqRing, sqTailAt, sqTail);
    }

    /** Submits what was prepared, without waiting; collects what completed. How many, or -errno. */
    public int submit() {
        return (int) Native.syscall(
                Sys.IO_URING_ENTER, fd, unsubmitted(), 0, IORING_ENTER_GETEVENTS | enterFlags, 0, 0);
    }

    /**
     * Submits {@code toSubmit} entries and waits until something completed.
     *
     * @param nanos at most this long; 0 only collects, negative waits for ever
     * @return entries submitted, or -errno; -ETIME after {@code nanos}
     */
    public int enter(int toSubmit, long nanos) {
        if (nanos == 0) {
            return (int) Native.syscall(
                    Sys.IO_URING_ENTER, fd, toSubmit, 0, IORING_ENTER_GETEVENTS | enterFlags, 0, 0);
        }
        if (nanos < 0) {
            return (int) Native.syscall(
                    Sys.IO_URING_ENTER, fd, toSubmit, 1, IORING_ENTER_GETEVENTS | enterFlags, 0, 0);
        }
        timespec.set(JAVA_LONG, 0, nanos / 1_000_000_000);
        timespec.set(JAVA_LONG, 8, nanos % 1_000_000_000);
        enterArgument.set(JAVA_LONG, 16, timespec.address());
        return (int) Native.syscall(
                Sys.IO_URING_ENTER,
                fd,
                toSubmit,
                1,
                IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | enterFlags,
                enterArgument.address(),
                24);
    }

    /** Whether a look at the completions, after {@link #enter} if {@link #needsEnter()}, would find some. Any thread. */
    public boolean hasCompletions() {
        return isReady() || needsEnter();
    }

    /** Whether there are completions to move to. Any thread. */
    public boolean isReady() {
        return (int) INT.getAcquire(cqRing, cqTailAt) != (int) INT.getOpaque(cqRing, cqHeadAt);
    }

    /**
     * Whether completions are left in the kernel that the next {@link #enter} brings. It may say so when there are none:
     * the kernel sets the flag after it has queued a completion, which this thread may have run and unflagged by then.
     * The flag then stays until the next completion; so nobody may wait for it to go, nor refuse to sleep for it.
     */
    public boolean needsEnter() {
        return ((int) INT.getAcquire(sqRing, sqFlagsAt) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    }

    /** Moves to the next completion; false if there is none. */
    public boolean next() {
        if (cqHead == (int) INT.getAcquire(cqRing, cqTailAt)) {
            return false;
        }
        peeked = cqHead++ & cqMask;
        return true;
    }

    /** The user data of the completion that {@link #next} moved to. */
    public long userData() {
        return cqRing.get(JAVA_LONG, cqesAt + (long) peeked * CQE_SIZE);
    }

    /** Its result. */
    public int result() {
        return cqRing.get(JAVA_INT, cqesAt + (long) peeked * CQE_SIZE + 8);
    }

    /** Its flags. */
    public int flags() {
        return cqRing.get(JAVA_INT, cqesAt + (long) peeked * CQE_SIZE + 12);
    }

    /** Gives the completions that were moved past back to the kernel. */
    public void release() {
        INT.setRelease(cqRing, cqHeadAt, cqHead);
    }

    /** Unmaps and closes. The ring is not to be used afterwards, by any thread. */
    public void close() {
        unmap(sqRing);
        unmap(cqRing);
        unmap(sqes);
        Fds.close(fd);
    }

    private static MemorySegment map(int fd, long size, long offset) {
        long address = Native.syscall(Sys.MMAP, 0, size, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, offset);
        if (address < 0 && address > -4096) {
            throw new IllegalStateException("mmap of a ring: " + Errno.name((int) -address));
        }
        return Native.memory(address, size);
    }

    private static void unmap(MemorySegment segment) {
        Native.syscall(Sys.MUNMAP, segment.address(), segment.byteSize(), 0);
    }
}
