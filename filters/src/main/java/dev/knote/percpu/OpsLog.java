package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** The region of vectors: a lock that knows its owner, and what the owner has decided to write. */
final class OpsLog {
    /** Words that a vector may write, and a wake. */
    static final int ENTRIES = 17;
    static final int BYTES = 384;
    /** What an entry says besides an offset. */
    static final int INT_STORE = 1;
    static final int WAKE = 2;

    static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private static final int NAMESPACE_AT = 16;
    private static final int LOG_AT = 64;
    private static final int ENTRY = 16;
    private static final long LENGTH = 0xff;
    private static final long VERSION = LENGTH + 1;
    private static final long WAITERS = 0x8000_0000L;
    private static final int LOOKS = Runtime.getRuntime().availableProcessors() > 1 ? 200 : 0;
    private static final long PATIENCE_NANOS = 10_000_000;

    private final MemorySegment memory;
    private final MemorySegment region;
    private final MemorySegment low;
    private final long me = Owner.me();

    OpsLog(MemorySegment memory, long offset) {
        this.memory = memory;
        this.region = memory.asSlice(offset, BYTES);
        this.low = region.asSlice(0, Integer.BYTES);
        long mine = Owner.namespace();
        long first = (long) LONG.compareAndExchange(region, NAMESPACE_AT, 0L, mine);
        if (first != 0 && first != mine) {
            throw new KeventException(
                    Errno.EINVAL,
                    "OpsVector.on: a process of pid namespace " + first + " began, this one is in "
                            + mine + ": expected the same, as the dead are known by their pids");
        }
    }

    /** The version and, if a vector is being written, how long the log is. */
    long state() {
        return (long) LONG.getAcquire(region, Long.BYTES);
    }

    static boolean isWriting(long state) {
        return (state & LENGTH) != 0;
    }

    /** Takes the lock, of a dead process, too, and completes what it had decided to do. */
    void lock() {
        if (!LONG.compareAndSet(region, 0L, 0L, me)) {
            lockSlowly();
        }
        long state = state();
        if (isWriting(state)) {
            try {
                write(state);
            } catch (Throwable e) {
                unlock();
                throw e;
            }
        }
    }

    void unlock() {
        if (((long) LONG.getAndSet(region, 0L, 0L) & WAITERS) != 0) {
            Words.wake(low, 1);
        }
    }

    /** What may be undone by nothing having been committed: an entry. */
    void put(int index, long where, long value) {
        long at = LOG_AT + (long) index * ENTRY;
        LONG.set(region, at, where);
        LONG.set(region, at + Long.BYTES, value);
    }

    /** From here on it is done, whoever does it; then does it. */
    void commit(int length) {
        long state = state() + length;
        LONG.setRelease(region, Long.BYTES, state);
        write(state);
    }

    private void write(long state) {
        int length = (int) (state & LENGTH);
        if (length > ENTRIES) {
            throw new KeventException(
                    Errno.EIO,
                    "OpsVector: a log of " + length + " entries: expected " + ENTRIES + " at most");
        }
        for (int i = 0; i < length; i++) {
            long where = (long) LONG.get(region, LOG_AT + (long) i * ENTRY);
            long value = (long) LONG.get(region, LOG_AT + (long) i * ENTRY + Long.BYTES);
            write(where, value);
        }
        LONG.setRelease(region, Long.BYTES, (state & ~LENGTH) + VERSION);
    }

    private void write(long where, long value) {
        long offset = where & ~3;
        int bytes = (where & 3) == 0 ? Long.BYTES : Integer.BYTES;
        if (offset < 0 || offset % bytes != 0 || offset > memory.byteSize() - bytes) {
            throw new KeventException(
                    Errno.EIO, "OpsVector: a log with offset " + offset + ": expected a word within "
                            + memory.byteSize() + " bytes");
        }
        switch ((int) where & 3) {
            case 0 -> LONG.setRelease(memory, offset, value);
            case INT_STORE -> INT.setRelease(memory, offset, (int) value);
            default -> Words.wake(memory.asSlice(offset, Integer.BYTES), (int) value);
        }
    }

    private void lockSlowly() {
        for (int i = 0; i < LOOKS; i++) {
            Thread.onSpinWait();
            if ((long) LONG.getOpaque(region, 0L) == 0 && LONG.compareAndSet(region, 0L, 0L, me)) {
                return;
            }
        }
        long contended = me | WAITERS;
        while (true) {
            long owner = (long) LONG.compareAndExchange(region, 0L, 0L, contended);
            if (owner == 0) {
                return;
            }
            if ((owner & WAITERS) == 0 && !LONG.compareAndSet(region, 0L, owner, owner | WAITERS)) {
                continue;
            }
            owner |= WAITERS;
            boolean woken = Words.sleep(low, (int) owner, Words.deadline(PATIENCE_NANOS));
            if (!woken && Owner.isDead(owner & ~WAITERS)
                    && LONG.compareAndSet(region, 0L, owner, contended)) {
                return;
            }
        }
    }
}
