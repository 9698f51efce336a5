package dev.knote.filters.usermem;

import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;

/** The two widths of words, with values that differ where it is easily overlooked. */
enum Width {
    /** 32 bits: {@link #other} is negative, which has to arrive sign-extended. */
    INT(Kqueue.NOTE_USERMEM_INT, Integer.BYTES, -7),
    /** 64 bits: {@link #other} differs from {@link #VALUE} in the upper half alone. */
    LONG(Kqueue.NOTE_USERMEM_LONG, Long.BYTES, (1L << 40) + 5);

    /** What words hold that have not changed yet. */
    static final long VALUE = 5;

    final int fflags;
    final int bytes;
    final long other;

    Width(int fflags, int bytes, long other) {
        this.fflags = fflags;
        this.bytes = bytes;
        this.other = other;
    }

    int bits() {
        return bytes * Byte.SIZE;
    }

    void store(MemorySegment word, long value) {
        if (this == INT) {
            SharedMemory.store32(word, (int) value);
        } else {
            SharedMemory.store64(word, value);
        }
    }
}
