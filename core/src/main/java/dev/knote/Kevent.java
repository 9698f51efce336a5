package dev.knote;

import java.lang.foreign.MemorySegment;

/**
 * One {@code struct kevent} on its way: a change that a {@link Filter} is asked to take, or an event that it fills
 * in. The object belongs to the queue and is used again for the next one; keep what you need of it, not the object.
 * It is used by one thread at a time.
 */
public final class Kevent {
    long ident;
    int filter;
    int flags;
    int fflags;
    long data;
    Object udata;
    long ext0;
    long ext1;
    long ext2;
    long ext3;
    MemorySegment word;

    Kevent() {}

    /** What is watched: an fd, a timer's or user's id, the address of a word. */
    public long ident() {
        return ident;
    }

    /** The filter's number, {@code EVFILT_*}. */
    public int filter() {
        return filter;
    }

    /** {@code EV_*} bits. */
    public int flags() {
        return flags;
    }

    /** {@code NOTE_*} bits, as 32 unsigned bits. */
    public int fflags() {
        return fflags;
    }

    /** What the filter says it is. */
    public long data() {
        return data;
    }

    /** The user's own object. */
    public Object udata() {
        return udata;
    }

    /** {@code ext[k]}; 0 and 1 are the filter's, 2 and 3 pass through. */
    public long ext(int k) {
        return switch (k) {
            case 0 -> ext0;
            case 1 -> ext1;
            case 2 -> ext2;
            case 3 -> ext3;
            default -> throw new IndexOutOfBoundsException("ext[" + k + "]: expected 0 to 3");
        };
    }

    /** The memory that a change gave as its ident, or null where it gave a number. */
    public MemorySegment word() {
        return word;
    }

    /** Sets the event's {@code EV_*} bits. */
    public void flags(int value) {
        flags = value;
    }

    /** Sets the event's {@code NOTE_*} bits. */
    public void fflags(int value) {
        fflags = value;
    }

    /** Sets the event's data. */
    public void data(long value) {
        data = value;
    }

    /**
     * Refers to these. Collectors mark where a reference was stored, at a cost, and in memory that threads share; null for
     * null is the most frequent by far.
     */
    void refersTo(Object newUdata, MemorySegment newWord) {
        if (udata != newUdata) {
            udata = newUdata;
        }
        if (word != newWord) {
            word = newWord;
        }
    }

    /** Says what to do; data and objects are set apart. */
    void fill(long newIdent, int newFilter, int newFlags, int newFflags) {
        ident = newIdent;
        filter = newFilter;
        flags = newFlags;
        fflags = newFflags;
        ext0 = 0;
        ext1 = 0;
        ext2 = 0;
        ext3 = 0;
    }

    boolean has(int bits) {
        return (flags & bits) != 0;
    }
}
