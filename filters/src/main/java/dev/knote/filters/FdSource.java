package dev.knote.filters;

import static dev.knote.Kqueue.NOTE_LOWAT;

import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;

/**
 * What an fd is to a filter, kept as the knote's hook: how to find out whether the condition holds. In
 * {@link FilterKnote#state()} are the {@link #HUNG} bits that the kernel gave last, or {@link #FRESH}.
 */
interface FdSource {
    /** Bits that mean that there is more to find out than how many bytes there are. */
    int HUNG = Epoll.EPOLLRDHUP | Epoll.EPOLLHUP | Epoll.EPOLLERR;
    /** In the knote's state: the kernel has not been asked yet. */
    int FRESH = 1 << 16;

    /**
     * Whether the condition holds: the filter's {@code event}.
     *
     * @param edge EPOLL* bits that came since the last call
     */
    boolean ready(FilterKnote knote, FdProbe probe, int edge);

    /** Whether the descriptor still is the file that it was. */
    default boolean same(FilterKnote knote) {
        return knote.sameFd();
    }

    /** Asked when the knote goes: whether its file was lost before, and the queue cannot know. */
    default boolean lost(FilterKnote knote) {
        return false;
    }

    /** A change was made: what holds is to be reported again. */
    default void touched() {}

    default void delivered(FilterKnote knote, FdProbe probe, Kevent event) {}

    /** The knote goes. */
    default void close() {}

    /** Whether {@code bytes} is as much as the knote wants, if it names a mark; else whether it is any. */
    static boolean enough(FilterKnote knote, long bytes) {
        return hasMark(knote) ? bytes >= knote.savedData() : bytes != 0;
    }

    static boolean hasMark(FilterKnote knote) {
        return (knote.savedFflags() & NOTE_LOWAT) != 0;
    }

    /**
     * The answer to a call that failed with {@code -errno}: no event, and no knote if there is no descriptor.
     */
    static boolean failed(FilterKnote knote, int result) {
        if (result == -Errno.EBADF) {
            knote.gone();
        }
        return false;
    }

    /**
     * Gives an event the error of its socket. Asking for the error takes it from the socket, and an event
     * that was found may be found again before it is delivered: hence not before delivery.
     */
    static void reportSocketError(FilterKnote knote, FdProbe probe, Kevent event) {
        long bits = knote.state();
        if ((bits & Epoll.EPOLLERR) != 0 && (bits & Epoll.EPOLLHUP) != 0) {
            int error = probe.option((int) knote.ident(), Fds.SO_ERROR);
            if (error > 0) {
                event.fflags(error);
            }
            knote.state(bits & ~Epoll.EPOLLERR);
        }
    }
}
