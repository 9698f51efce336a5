package dev.knote.filters;

import static dev.knote.linux.Epoll.EPOLLERR;
import static dev.knote.linux.Epoll.EPOLLHUP;
import static dev.knote.linux.Epoll.EPOLLOUT;
import static dev.knote.linux.Epoll.EPOLLRDHUP;

import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.linux.Fds;

/**
 * The kinds of fd that can be written to, by how they tell how much room they have. Without state of a knote.
 */
enum WriteKind implements FdSource {
    /** Not asked for yet. */
    UNKNOWN {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int fd = (int) knote.ident();
            int type = probe.fileType(fd);
            if (type < 0) {
                return FdSource.failed(knote, type);
            }
            FdSource known = known(fd, type, probe);
            knote.hook(known);
            return known.ready(knote, probe, edge);
        }
    },

    /** Any socket. One that listens or was never connected is not ready. */
    SOCKET {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            // Both sides shut is HUP and RDHUP; HUP alone is a stream that was never connected.
            boolean hungUp = (bits & EPOLLHUP) != 0;
            boolean eof = hungUp && (bits & EPOLLRDHUP) != 0;
            knote.eof(eof);
            if (!eof && (hungUp || (bits & EPOLLOUT) == 0)) {
                return false;
            }
            int fd = (int) knote.ident();
            int size = probe.option(fd, Fds.SO_SNDBUF);
            return report(knote, size, Math.max(probe.queued(fd), 0), eof);
        }

        @Override
        public void delivered(FilterKnote knote, FdProbe probe, Kevent event) {
            FdSource.reportSocketError(knote, probe, event);
        }
    },

    /** A pipe or FIFO, open for writing. */
    PIPE {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            boolean eof = (bits & EPOLLERR) != 0;
            knote.eof(eof);
            if (!eof && (bits & EPOLLOUT) == 0) {
                return false;
            }
            int fd = (int) knote.ident();
            return report(knote, probe.pipeSize(fd), Math.max(probe.available(fd), 0), eof);
        }
    },

    /** A terminal, an eventfd, and whatever else can be waited for. */
    DEVICE {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            boolean eof = (bits & EPOLLHUP) != 0;
            boolean writable = (bits & EPOLLOUT) != 0;
            knote.eof(eof);
            knote.data(writable ? 1 : 0);
            return eof || writable;
        }
    },

    /** The end of a pipe that cannot be written to. */
    NEVER {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            knote.state(0);
            return false;
        }
    };

    /** In the knote's state: a deadline is set for looking whether the low-water mark is reached. */
    private static final int LOOKS_AGAIN = 1 << 17;
    private static final long LOOK_AGAIN_NANOS = 5_000_000;

    private static WriteKind known(int fd, int type, FdProbe probe) {
        return switch (type) {
            case Fds.S_IFSOCK -> SOCKET;
            case Fds.S_IFIFO -> probe.accessMode(fd) == Fds.O_RDONLY ? NEVER : PIPE;
            default -> DEVICE;
        };
    }

    private static int ask(FilterKnote knote, FdProbe probe) {
        if ((knote.state() & LOOKS_AGAIN) != 0) {
            knote.noDeadline();
        }
        int bits = probe.poll((int) knote.ident(), EPOLLOUT | EPOLLRDHUP);
        knote.state(bits < 0 ? 0 : bits & HUNG);
        return bits;
    }

    private static boolean report(FilterKnote knote, int size, int taken, boolean eof) {
        long room = Math.max(0, size - taken);
        knote.data(room);
        if (eof || !FdSource.hasMark(knote) || room >= knote.savedData()) {
            return true;
        }
        // The kernel has no edge for more room in what is writable already: look again, unless that is in
        // vain.
        if (size >= knote.savedData()) {
            knote.deadline(System.nanoTime() + LOOK_AGAIN_NANOS);
            knote.state(knote.state() | LOOKS_AGAIN);
        }
        return false;
    }
}
