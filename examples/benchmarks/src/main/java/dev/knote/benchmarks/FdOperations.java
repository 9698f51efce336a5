package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.linux.Epoll;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** Operations on file descriptors. The queues have a single owner, unless the argument says shared. */
final class FdOperations {
    private FdOperations() {}

    private static int queue(String kind) {
        Options options = Options.defaults();
        return EventQueue.open(kind.equals("shared") ? options : options.singleOwner()).fd();
    }

    /** EV_ADD and EV_DELETE of READ. The argument: one or two (calls), pipe or socket, owner or shared. */
    static Operation register(String argument) {
        String[] parts = argument.split(",");
        int kq = queue(parts[2]);
        int fd = parts[1].equals("pipe") ? Linux.pipe()[0] : Linux.socketPair()[0];
        KeventList changes = KeventList.allocate(2);
        EV_SET(changes, 0, fd, EVFILT_READ, EV_ADD, 0, 0, null);
        EV_SET(changes, 1, fd, EVFILT_READ, EV_DELETE, 0, 0, null);
        KeventList delete = KeventList.allocate(1);
        EV_SET(delete, 0, fd, EVFILT_READ, EV_DELETE, 0, 0, null);
        if (parts[0].equals("one")) {
            return n -> {
                for (int i = 0; i < n; i++) {
                    kevent(kq, changes, 2, null, 0, null);
                }
            };
        }
        return n -> {
            for (int i = 0; i < n; i++) {
                kevent(kq, changes, 1, null, 0, null);
                kevent(kq, delete, 1, null, 0, null);
            }
        };
    }

    /** The two system calls of {@link #register} and nothing else: what is left to Java. The argument: pipe or socket. */
    static Operation registerRaw(String argument) {
        int epfd = Epoll.epoll_create1();
        int fd = argument.equals("pipe") ? Linux.pipe()[0] : Linux.socketPair()[0];
        MemorySegment event = Arena.global().allocate(16, 16);
        return n -> {
            for (int i = 0; i < n; i++) {
                if (Epoll.epoll_ctl(epfd, Epoll.EPOLL_CTL_ADD, fd, Epoll.EPOLLIN, fd, event) != 0
                        || Epoll.epoll_ctl(epfd, Epoll.EPOLL_CTL_DEL, fd, 0, 0, event) != 0) {
                    throw new IllegalStateException("epoll_ctl failed");
                }
            }
        };
    }

    /** write, kevent, read on one pipe among idle fds. The argument: how many idle ones, clear or level. */
    static Operation idle(String argument) {
        String[] parts = argument.split(",");
        int kq = queue("owner");
        KeventList events = KeventList.allocate(16);
        for (int i = Integer.parseInt(parts[0]); i > 0; i--) {
            EV_SET(events, 0, Fds.eventfd(), EVFILT_READ, EV_ADD, 0, 0, null);
            kevent(kq, events, 1, null, 0, null);
        }
        int[] pipe = Linux.pipe();
        int clear = parts[1].equals("clear") ? EV_CLEAR : 0;
        EV_SET(events, 0, pipe[0], EVFILT_READ, EV_ADD | clear, 0, 0, null);
        kevent(kq, events, 1, null, 0, null);
        MemorySegment bytes = Arena.global().allocate(8, 8);
        return n -> {
            for (int i = 0; i < n; i++) {
                Fds.write(pipe[1], bytes.address(), Long.BYTES);
                if (kevent(kq, null, 0, events, 16, null) != 1) {
                    throw new IllegalStateException("not one event");
                }
                Fds.read(pipe[0], bytes.address(), Long.BYTES);
            }
        };
    }

    /** Retrieves the event of a pipe that can be written to, again and again. */
    static Operation writable(String argument) {
        int kq = queue("owner");
        int[] pipe = Linux.pipe();
        KeventList events = KeventList.allocate(1);
        EV_SET(events, 0, pipe[1], EVFILT_WRITE, EV_ADD, 0, 0, null);
        kevent(kq, events, 1, null, 0, null);
        return n -> {
            for (int i = 0; i < n; i++) {
                if (kevent(kq, null, 0, events, 1, Duration.ZERO) != 1) {
                    throw new IllegalStateException("not one event");
                }
            }
        };
    }
}
