package dev.knote.transport;

import dev.knote.Interest;
import io.netty.channel.IoOps;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A change to submit to a registration: the six fields of a {@code struct kevent}. Immutable, so that one object can be
 * submitted any number of times, by any thread.
 *
 * @param ident what to watch; of a word its address
 * @param word the word of memory to watch, or null
 * @param filter {@code EVFILT_*}
 * @param flags {@code EV_*}: EV_ADD and so on
 * @param fflags {@code NOTE_*}
 * @param data what the filter says it is
 * @param udata comes back with every event; not null if {@code EV_KEEPUDATA} is not set and it is wanted back
 */
public record KnoteIoOps(long ident, MemorySegment word, int filter, int flags, int fflags, long data,
        Object udata) implements IoOps {

    /** A change for a numeric ident. */
    public static KnoteIoOps of(long ident, int filter, int flags, int fflags, long data, Object udata) {
        return new KnoteIoOps(ident, null, filter, flags, fflags, data, udata);
    }

    /** A change for a numeric ident, without udata. */
    public static KnoteIoOps of(long ident, int filter, int flags, int fflags, long data) {
        return of(ident, filter, flags, fflags, data, null);
    }

    /** A change for a word of memory. */
    public static KnoteIoOps of(MemorySegment word, int filter, int flags, int fflags, long data,
            Object udata) {
        Objects.requireNonNull(word, "word");
        return new KnoteIoOps(word.address(), word, filter, flags, fflags, data, udata);
    }

    /** What an interest describes, with more {@code EV_*} bits: EV_ADD to register it. */
    public static KnoteIoOps of(Interest interest, int moreFlags, Object udata) {
        return new KnoteIoOps(interest.ident(), interest.word(), interest.filter(),
                interest.flags() | moreFlags,
                interest.fflags(), interest.data(), udata);
    }
}
