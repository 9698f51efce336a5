package dev.knote;

/**
 * One event, as a handler sees it. The object is used again for the next event: it is good until the handler returns.
 */
public interface Event {
    /** What was watched. */
    long ident();

    /** The filter's number, {@code EVFILT_*}. */
    int filter();

    /** {@code EV_*} bits. */
    int flags();

    /** {@code NOTE_*} bits. */
    int fflags();

    /** What the filter says it is; if {@link #isError()}, an errno. */
    long data();

    /** The object given at registration. */
    Object attachment();

    /** {@code ext[k]}. */
    long ext(int k);

    /** Whether the event carries EV_EOF. */
    boolean isEof();

    /** Whether the event carries EV_ERROR. */
    boolean isError();
}
