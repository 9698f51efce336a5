package dev.knote;

import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;

/**
 * What to register with an {@link EventQueue}: a filter, a typed ident and how events are to be delivered. The filters'
 * own classes make them ({@code Read.of(fd)}, {@code Timer.every(duration)}); {@link #of} makes one for any filter.
 * Immutable.
 *
 * @param filter the filter's number, {@code EVFILT_*}
 * @param ident what is watched; of a word, its address
 * @param word the memory that is watched, or null
 * @param flags {@code EV_*} bits: of CLEAR, ONESHOT, DISPATCH, DISABLE
 * @param fflags {@code NOTE_*} bits
 * @param data what the filter says it is
 */
public record Interest(int filter, long ident, MemorySegment word, int flags, int fflags, long data) {
    private static final int ALLOWED = EV_CLEAR | EV_ONESHOT | EV_DISPATCH | EV_DISABLE;

    /** Checks the flags, and that the ident is the word's address if there is a word. */
    public Interest {
        if ((flags & ~ALLOWED) != 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "Interest: flags is 0x" + Integer.toHexString(flags)
                            + ": expected no others than EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_DISABLE");
        }
        if (word != null && word.address() != ident) {
            throw new KeventException(
                    Errno.EINVAL,
                    "Interest: ident is 0x" + Long.toHexString(ident) + ": expected the word's address, 0x"
                            + Long.toHexString(word.address()));
        }
    }

    /** The filter with this number for {@code ident}, level triggered, without fflags and data. */
    public static Interest of(int filter, long ident) {
        return new Interest(filter, ident, null, 0, 0, 0);
    }

    /** The filter with this number for a word of memory. */
    public static Interest of(int filter, MemorySegment word) {
        return new Interest(filter, word.address(), word, 0, 0, 0);
    }

    /** Reports a change of the condition once, not its holding ({@code EV_CLEAR}). */
    public Interest clear() {
        return new Interest(filter, ident, word, flags | EV_CLEAR, fflags, data);
    }

    /** Ends with the first event ({@code EV_ONESHOT}). */
    public Interest oneShot() {
        return new Interest(filter, ident, word, flags | EV_ONESHOT, fflags, data);
    }

    /** Disabled by each event until {@link Knote#enable()} ({@code EV_DISPATCH}). */
    public Interest dispatch() {
        return new Interest(filter, ident, word, flags | EV_DISPATCH, fflags, data);
    }

    /** Begins disabled ({@code EV_DISABLE}). */
    public Interest disabled() {
        return new Interest(filter, ident, word, flags | EV_DISABLE, fflags, data);
    }

    /** With these {@code NOTE_*} bits. */
    public Interest fflags(int bits) {
        return new Interest(filter, ident, word, flags, bits, data);
    }

    /** With this data. */
    public Interest data(long value) {
        return new Interest(filter, ident, word, flags, fflags, value);
    }
}
