package dev.knote.transport;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Readiness of a socket as epoll tells it, for reading and writing at once: {@code data} is the EPOLL* bits, EPOLLPRI too.
 * With EV_CLEAR an event is an edge, and nothing is asked of the kernel; fflags of EPOLLIN, with or without
 * EPOLLPRI, leave writing out.
 * Without it the knote is level triggered: the knote's fflags are the bits of interest, and poll(2) is asked
 * where no edge says what is ready; EPOLLERR and EPOLLHUP count whatever the interest, as for epoll, but if
 * there is none. With EPOLLET among them, edges alone count for now.
 *
 * <p>The fd is deleted from the queue before it is closed.
 */
final class SocketFilter implements Filter {
    /** Its number. */
    static final int EVFILT_SOCKET = -101;

    private static final int ALWAYS = Epoll.EPOLLERR | Epoll.EPOLLHUP;

    private final MemorySegment pollfd = Arena.ofAuto().allocate(8, 8);
    private final MemorySegment zero = Arena.ofAuto().allocate(16, 8);

    @Override
    public int number() {
        return EVFILT_SOCKET;
    }

    @Override
    public String name() {
        return "EVFILT_SOCKET";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        int interest = FilterKnote.FD_BOTH;
        boolean edgeTriggered = (change.flags() & Kqueue.EV_CLEAR) != 0;
        if (edgeTriggered) {
            interest = switch (change.fflags()) {
                case Epoll.EPOLLIN -> FilterKnote.FD_READ;
                case Epoll.EPOLLIN | Epoll.EPOLLPRI -> FilterKnote.FD_READ | FilterKnote.FD_URGENT;
                default -> FilterKnote.FD_BOTH;
            };
        }
        if (edgeTriggered && change.udata() instanceof Registration.Watch watch
                && watch.registration.handle instanceof AbstractKnoteChannel.KnoteUnsafe channel) {
            knote.watchEdges((int) knote.ident(), interest, channel);
        } else {
            knote.watchFd((int) knote.ident(), interest);
        }
    }

    @Override
    public boolean event(FilterKnote knote) {
        int ready = knote.takeReadiness();
        if ((knote.flags() & Kqueue.EV_CLEAR) == 0) {
            ready = level(knote, ready);
        }
        knote.data(ready);
        return ready != 0;
    }

    /** An edge tells the whole readiness of its moment; without one it may be over since. */
    private int level(FilterKnote knote, int edge) {
        int interest = knote.savedFflags();
        if ((interest & ~Epoll.EPOLLET) == 0) {
            return 0;
        }
        int ready = edge & (interest | ALWAYS);
        if (ready == 0 && (interest & Epoll.EPOLLET) == 0) {
            ready = Fds.poll((int) knote.ident(), interest, pollfd, zero);
            if (ready == -Errno.EINTR) {
                knote.activate();
                return 0;
            }
        }
        return ready < 0 || (ready & Fds.POLLNVAL) != 0 ? 0 : ready;
    }
}
