package dev.knote;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.knote.linux.Errno;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * An array of {@code struct kevent} in memory, with FreeBSD's layout: 64 bytes an entry, {@code ident} at 0,
 * {@code filter} at 8, {@code flags} at 10, {@code fflags} at 12, {@code data} at 16, {@code udata} at 24,
 * {@code ext[4]} at 32. It serves as changelist and as eventlist, also as both in one call. The memory lives as long as
 * the list is reachable.
 *
 * <p>{@code udata} is any object; it is kept beside the memory, where the field holds a {@link Long}'s value or a
 * {@link MemorySegment}'s address, otherwise 0. The same is done for an ident that is a word of memory. Who writes the
 * memory itself, native code say, gives an ident as a number, and a {@code udata} other than 0 as a {@link Long} where no
 * object is kept for the entry.
 *
 * <p>Not safe for use by two threads at once.
 */
public final class KeventList {
    /** Bytes of one entry. */
    public static final int ENTRY_SIZE = 64;

    private static final int FILTER = 8;
    private static final int FLAGS = 10;
    private static final int FFLAGS = 12;
    private static final int DATA = 16;
    private static final int UDATA = 24;
    private static final int EXT = 32;

    /**
     * All memory, by address: what a call reads and writes of a list, whose entries it has checked and whose memory lives
     * as long as the list, need not be checked field by field.
     */
    private static final MemorySegment ALL = Native.memory(0, Long.MAX_VALUE);

    private final int size;
    private final long address;
    private final MemorySegment memory;
    private final Object[] udata;
    private final MemorySegment[] words;

    private KeventList(int size) {
        this.size = size;
        this.memory = Arena.ofAuto().allocate(Math.max(1, (long) size * ENTRY_SIZE), ENTRY_SIZE);
        this.address = memory.address();
        this.udata = new Object[size];
        this.words = new MemorySegment[size];
    }

    /** A list of {@code n} entries, all zero. */
    public static KeventList allocate(int n) {
        if (n < 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "KeventList.allocate: n is " + n + ": expected a number of entries of 0 or more");
        }
        return new KeventList(n);
    }

    /** How many entries the list has. */
    public int size() {
        return size;
    }

    /** The entries as bytes, {@link #ENTRY_SIZE} each. */
    public MemorySegment memory() {
        return memory;
    }

    /** What is or was watched in entry {@code i}. */
    public long ident(int i) {
        return memory.get(JAVA_LONG, at(i));
    }

    /** {@code EVFILT_*} of entry {@code i}. */
    public int filter(int i) {
        return memory.get(JAVA_SHORT, at(i) + FILTER);
    }

    /** {@code EV_*} bits of entry {@code i}. */
    public int flags(int i) {
        return memory.get(JAVA_SHORT, at(i) + FLAGS) & 0xffff;
    }

    /** {@code NOTE_*} bits of entry {@code i}. */
    public int fflags(int i) {
        return memory.get(JAVA_INT, at(i) + FFLAGS);
    }

    /** The data of entry {@code i}: what it says is the filter's affair; with EV_ERROR it is an errno. */
    public long data(int i) {
        return memory.get(JAVA_LONG, at(i) + DATA);
    }

    /** The user's object of entry {@code i}. */
    public Object udata(int i) {
        long at = at(i);
        Object kept = udata[i];
        if (kept != null) {
            return kept;
        }
        long field = memory.get(JAVA_LONG, at + UDATA);
        return field == 0 ? null : (Object) field;
    }

    /** {@code ext[k]} of entry {@code i}. */
    public long ext(int i, int k) {
        return memory.get(JAVA_LONG, extAt(i, k));
    }

    /** Sets {@code ext[k]} of entry {@code i}. */
    public KeventList ext(int i, int k, long value) {
        memory.set(JAVA_LONG, extAt(i, k), value);
        return this;
    }

    /** The memory that entry {@code i} was given as its ident, or null if that was a number. */
    public MemorySegment word(int i) {
        long ident = ident(i);
        MemorySegment kept = words[i];
        return kept == null || kept.address() == ident ? kept : null;
    }

    /** Fills in entry {@code i}, as {@code EV_SET} does; {@code ext} becomes 0. */
    public KeventList set(int i, long ident, int filter, int flags, int fflags, long data, Object udata) {
        fill(i, ident, null, filter, flags, fflags, data, udata);
        return this;
    }

    /** As {@link #set(int, long, int, int, int, long, Object)}, with a word of memory as ident. */
    public KeventList set(int i, MemorySegment word, int filter, int flags, int fflags, long data,
            Object udata) {
        if (word == null || !word.isNative()) {
            throw new KeventException(
                    Errno.EFAULT,
                    "EV_SET: entry " + i + ": the word is " + (word == null ? "null" : "in the Java heap")
                            + ": expected native memory, such as SharedMemory's");
        }
        fill(i, word.address(), word, filter, flags, fflags, data, udata);
        return this;
    }

    void flags(int i, int value) {
        memory.set(JAVA_SHORT, at(i) + FLAGS, (short) value);
    }

    void read(int i, Kevent into) {
        long at = address + at(i);
        into.ident = ALL.get(JAVA_LONG_UNALIGNED, at);
        into.filter = ALL.get(JAVA_SHORT_UNALIGNED, at + FILTER);
        into.flags = ALL.get(JAVA_SHORT_UNALIGNED, at + FLAGS) & 0xffff;
        into.fflags = ALL.get(JAVA_INT_UNALIGNED, at + FFLAGS);
        into.data = ALL.get(JAVA_LONG_UNALIGNED, at + DATA);
        long bits = ALL.get(JAVA_LONG_UNALIGNED, at + UDATA);
        into.ext0 = ALL.get(JAVA_LONG_UNALIGNED, at + EXT);
        into.ext1 = ALL.get(JAVA_LONG_UNALIGNED, at + EXT + 8);
        into.ext2 = ALL.get(JAVA_LONG_UNALIGNED, at + EXT + 16);
        into.ext3 = ALL.get(JAVA_LONG_UNALIGNED, at + EXT + 24);
        Object kept = udata[i];
        MemorySegment word = words[i];
        into.refersTo(
                kept != null || bits == 0 ? kept : (Object) bits,
                word == null || word.address() == into.ident ? word : null);
        Reference.reachabilityFence(this);
    }

    void write(int i, Kevent event) {
        long at = address + at(i);
        ALL.set(JAVA_LONG_UNALIGNED, at, event.ident);
        ALL.set(JAVA_SHORT_UNALIGNED, at + FILTER, (short) event.filter);
        ALL.set(JAVA_SHORT_UNALIGNED, at + FLAGS, (short) event.flags);
        ALL.set(JAVA_INT_UNALIGNED, at + FFLAGS, event.fflags);
        ALL.set(JAVA_LONG_UNALIGNED, at + DATA, event.data);
        ALL.set(JAVA_LONG_UNALIGNED, at + UDATA, bits(event.udata));
        ALL.set(JAVA_LONG_UNALIGNED, at + EXT, event.ext0);
        ALL.set(JAVA_LONG_UNALIGNED, at + EXT + 8, event.ext1);
        ALL.set(JAVA_LONG_UNALIGNED, at + EXT + 16, event.ext2);
        ALL.set(JAVA_LONG_UNALIGNED, at + EXT + 24, event.ext3);
        refersTo(i, event.udata, event.word);
        Reference.reachabilityFence(this);
    }

    /** Forgets the objects that the first {@code n} entries refer to. */
    void forget(int n) {
        for (int i = 0; i < n; i++) {
            refersTo(i, null, null);
        }
    }

    private void fill(
            int i, long ident, MemorySegment word, int filter, int flags, int fflags, long data,
            Object udata) {
        long at = at(i);
        memory.set(JAVA_LONG, at, ident);
        memory.set(JAVA_SHORT, at + FILTER, (short) filter);
        memory.set(JAVA_SHORT, at + FLAGS, (short) flags);
        memory.set(JAVA_INT, at + FFLAGS, fflags);
        memory.set(JAVA_LONG, at + DATA, data);
        memory.set(JAVA_LONG, at + UDATA, bits(udata));
        for (int k = 0; k < 4; k++) {
            memory.set(JAVA_LONG, at + EXT + 8 * k, 0);
        }
        refersTo(i, udata, word);
    }

    /** A store of a reference costs more than a look, see {@link Kevent#refersTo}. */
    private void refersTo(int i, Object newUdata, MemorySegment newWord) {
        if (udata[i] != newUdata) {
            udata[i] = newUdata;
        }
        if (words[i] != newWord) {
            words[i] = newWord;
        }
    }

    private static long bits(Object udata) {
        return switch (udata) {
            case null -> 0;
            case Long number -> number;
            case MemorySegment segment -> segment.address();
            default -> 0;
        };
    }

    private long at(int i) {
        return (long) java.util.Objects.checkIndex(i, size) * ENTRY_SIZE;
    }

    private long extAt(int i, int k) {
        return at(i) + EXT + 8L * java.util.Objects.checkIndex(k, 4);
    }

    @Override
    public String toString() {
        return "KeventList[" + size + "]";
    }
}
