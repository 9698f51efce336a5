package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

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

    private static final int STATE_AT = 8;
    private static final int NAMESPACE_AT = 16;
    private static final int LOG_AT = 64;
    private static final int ENTRY = 16;
    private static final long LENGTH = 0xff;
    private static final long VERSION = LENGTH + 1;
    private static final long WAITERS = 0x8000_0000L;
    private static final int LOOKS = Runtime.getRuntime().availableProcessors() > 1 ? 200 : 0;
    private static final long PATIENCE_NANOS = 10_000_000;

    /** All of it, for the log as for the words: what is checked of one segment for every access is checked together. */
    private final MemorySegment memory;
    private final long region;
    private final MemorySegment low;
    private final long me = Owner.me();

    OpsLog(MemorySegment memory, long offset) {
        this.memory = memory;
        this.region = offset;
        this.low = memory.asSlice(offset, Integer.BYTES);
        long mine = Owner.namespace();
        long first = (long) LONG.compareAndExchange(memory, offset + NAMESPACE_AT, 0L, mine);
        if (first != 0 && first != mine) {
            throw new KeventException(
                    Errno.EINVAL,
                    "OpsVector.on: a process of pid namespace " + first + " began, this one is in "
                            + mine + ": expected the same, as the dead are known by their pids");
        }
    }

    /** The version and, if a vector is being written, how long the log is. */
    long state() {
        return (long) LONG.getAcquire(memory, region + STATE_AT);
    }

    static boolean isWriting(long state) {
        return (state & LENGTH) != 0;
    }

    /** Takes the lock, of a dead process, too, and completes what it had decided to do; the state, at rest. */
    long lock() {
        if (!LONG.compareAndSet(memory, region, 0L, me)) {
            lockSlowly();
        }
        long state = state();
        return isWriting(state) ? complete(state) : state;
    }

    void unlock() {
        if (((long) LONG.getAndSet(memory, region, 0L) & WAITERS) != 0) {
            Words.wake(low, 1);
        }
    }

    /** What may be undone by nothing having been decided: an entry. */
    void put(int index, long where, long value) {
        long at = region + LOG_AT + (long) index * ENTRY;
        LONG.set(memory, at, where);
        LONG.set(memory, at + Long.BYTES, value);
    }

    /** From here on it is done, whoever does it: as many entries. */
    void decide(long state, int length) {
        LONG.setRelease(memory, region + STATE_AT, state + length);
    }

    /** All entries have been done. */
    long rest(long state) {
        long next = (state & ~LENGTH) + VERSION;
        LONG.setRelease(memory, region + STATE_AT, next);
        return next;
    }

    private long complete(long state) {
        try {
            write((int) (state & LENGTH));
        } catch (Throwable e) {
            unlock();
            throw e;
        }
        return rest(state);
    }

    private void write(int length) {
        if (length > ENTRIES) {
            throw new KeventException(
                    Errno.EIO,
                    "OpsVector: a log of " + length + " entries: expected " + ENTRIES + " at most");
        }
        for (int i = 0; i < length; i++) {
            long at = region + LOG_AT + (long) i * ENTRY;
            write((long) LONG.get(memory, at), (long) LONG.get(memory, at + Long.BYTES));
        }
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
            default -> wake(offset, (int) value);
        }
    }

    void wake(long offset, int count) {
        int result = Futex.wake(memory.address() + offset, count);
        Reference.reachabilityFence(memory);
        if (result < 0) {
            throw new KeventException(-result, "OpsVector: wake of the word at offset " + offset);
        }
    }

    private void lockSlowly() {
        for (int i = 0; i < LOOKS; i++) {
            Thread.onSpinWait();
            if ((long) LONG.getOpaque(memory, region) == 0 && LONG.compareAndSet(memory, region, 0L, me)) {
                return;
            }
        }
        long contended = me | WAITERS;
        while (true) {
            long owner = (long) LONG.compareAndExchange(memory, region, 0L, contended);
            if (owner == 0) {
                return;
            }
            if ((owner & WAITERS) == 0 && !LONG.compareAndSet(memory, region, owner, owner | WAITERS)) {
                continue;
            }
            owner |= WAITERS;
            boolean woken = Words.sleep(low, (int) owner, Words.deadline(PATIENCE_NANOS));
            if (!woken && Owner.isDead(owner & ~WAITERS)
                    && LONG.compareAndSet(memory, region, owner, contended)) {
                return;
            }
        }
    }
}
