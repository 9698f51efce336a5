package dev.knote.transport;

import io.netty.channel.IoEvent;

/** An event of a knote: what kevent(2) returns. The object is used again: it is good until the handle returns. */
public interface KnoteIoEvent extends IoEvent {
    /** What was watched: an fd, a number, a word's address. */
    long ident();

    /** The filter's number, {@code EVFILT_*}. */
    int filter();

    /** {@code EV_*} bits. */
    int flags();

    /** {@code NOTE_*} bits. */
    int fflags();

    /** What the filter says it is; with EV_ERROR an errno. */
    long data();

    /** The object of the {@link KnoteIoOps} that made the knote, or that replaced it since. */
    Object udata();

    /** {@code ext[k]}. */
    long ext(int k);
}
