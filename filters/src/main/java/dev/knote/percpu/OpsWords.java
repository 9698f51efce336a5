package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;

/** The words that the operations of a vector name, each once; and what they are while it is computed. */
final class OpsWords {
    private static final int MOST = 2 * OpsVector.MOST;

    private final MemorySegment memory;
    private final long region;
    private final long[] offsets = new long[MOST];
    private final boolean[] wide = new boolean[MOST];
    /** Of the words, by slot; behind them of the constants, by operation. */
    private final long[] values = new long[MOST + OpsVector.MOST];
    /** Of the words that are written: the slot, and the entry's first half. */
    private final int[] written = new int[OpsVector.MOST];
    private final long[] where = new long[OpsVector.MOST];
    private int count;
    private int writes;

    OpsWords(MemorySegment memory, long region) {
        this.memory = memory;
        this.region = region;
    }

    static void check(boolean holds, String what, String expected) {
        if (!holds) {
            throw new KeventException(Errno.EINVAL, "OpsVector: " + what + ": expected " + expected);
        }
    }

    /** Checks that a word of a vector may be there. */
    void checkRange(long at, int bytes) {
        if (at < 0 || at > memory.byteSize() - bytes) {
            throw new KeventException(
                    Errno.EFAULT, "OpsVector: offset " + at + ": expected " + bytes + " bytes within "
                            + memory.byteSize());
        }
        check(at % bytes == 0, "offset " + at, "a multiple of " + bytes);
        check(at + bytes <= region || at >= region + OpsVector.BYTES, "offset " + at,
                "one that is not of the region, " + OpsVector.BYTES + " bytes at " + region);
    }

    /** As {@link #checkRange}, and that it is no part of another word of the vector. */
    void check(long at, boolean isWide) {
        int bytes = isWide ? Long.BYTES : Integer.BYTES;
        checkRange(at, bytes);
        for (int i = 0; i < count; i++) {
            boolean apart = at + bytes <= offsets[i]
                    || at >= offsets[i] + (wide[i] ? Long.BYTES : Integer.BYTES);
            check(apart || at == offsets[i] && isWide == wide[i],
                    "offset " + at + " of " + bytes * 8 + " bits",
                    "no part of the word at " + offsets[i] + " of the same vector");
        }
    }

    /** The number of a word, which it gets if it has none. */
    int slot(long at, boolean isWide) {
        check(at, isWide);
        for (int i = 0; i < count; i++) {
            if (offsets[i] == at) {
                return i;
            }
        }
        offsets[count] = at;
        wide[count] = isWide;
        return count++;
    }

    void isWritten(int slot) {
        for (int i = 0; i < writes; i++) {
            if (written[i] == slot) {
                return;
            }
        }
        where[writes] = wide[slot] ? offsets[slot] : offsets[slot] | OpsLog.INT_STORE;
        written[writes++] = slot;
    }

    int writes() {
        return writes;
    }

    long[] values() {
        return values;
    }

    /** Where the constant of an operation stands among the values: a word and a constant are read alike. */
    static int constant(int operation) {
        return MOST + operation;
    }

    /**
     * Reads all of them: if one can't be read, then before anything is decided. Of who has the lock: nobody else writes
     * then, and plain reads may be checked together.
     */
    void load() {
        for (int i = 0; i < count; i++) {
            values[i] = wide[i] ? (long) OpsLog.LONG.get(memory, offsets[i])
                    : (int) OpsLog.INT.get(memory, offsets[i]);
        }
    }

    /** As {@link #load}, of who has not, and will see whether somebody wrote. */
    void look() {
        for (int i = 0; i < count; i++) {
            values[i] = wide[i] ? (long) OpsLog.LONG.getAcquire(memory, offsets[i])
                    : (int) OpsLog.INT.getAcquire(memory, offsets[i]);
        }
    }

    /** Writes the log; its length. */
    int log(OpsLog log, long wakeAt, int wakeCount) {
        for (int i = 0; i < writes; i++) {
            log.put(i, where[i], values[written[i]]);
        }
        if (wakeAt < 0) {
            return writes;
        }
        log.put(writes, wakeAt | OpsLog.WAKE, wakeCount);
        return writes + 1;
    }

    /** Does what the log says of words, without reading it. */
    void store() {
        for (int i = 0; i < writes; i++) {
            long at = where[i];
            long value = values[written[i]];
            if ((at & OpsLog.INT_STORE) == 0) {
                OpsLog.LONG.setRelease(memory, at, value);
            } else {
                OpsLog.INT.setRelease(memory, at & ~OpsLog.INT_STORE, (int) value);
            }
        }
    }
}
