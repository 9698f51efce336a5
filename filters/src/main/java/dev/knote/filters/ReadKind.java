package dev.knote.filters;

import static dev.knote.linux.Epoll.EPOLLERR;
import static dev.knote.linux.Epoll.EPOLLHUP;
import static dev.knote.linux.Epoll.EPOLLIN;
import static dev.knote.linux.Epoll.EPOLLRDHUP;

import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;

/** The kinds of fd that can be read from, by how they tell what they have. Without state of a knote. */
enum ReadKind implements FdSource {
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

    /** A socket of bytes, connected or not yet. */
    STREAM {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int fd = (int) knote.ident();
            int bytes = isNews(knote, edge) ? probe.available(fd) : 0;
            if (bytes > 0) {
                return report(knote, bytes, false, true);
            }
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            boolean eof = (bits & EPOLLRDHUP) != 0;
            boolean readable = (bits & EPOLLIN) != 0; // and as many bytes as SO_RCVLOWAT says
            bytes = readable || eof ? probe.available(fd) : 0;
            if (bytes == -Errno.EINVAL && probe.option(fd, Fds.SO_ACCEPTCONN) > 0) {
                return startsToListen(knote, probe, edge);
            }
            // With nothing up to the urgent mark FIONREAD says 0, though there may be bytes behind it; asked
            // twice because somebody else may have read them in between.
            if (bytes <= 0 && !eof && readable && (probe.poll(fd, EPOLLIN) & EPOLLIN) != 0) {
                bytes = 1;
            }
            return report(knote, Math.max(bytes, 0), eof, readable && bytes > 0);
        }
    },

    /** A socket of datagrams, one of which may be empty. */
    DATAGRAM {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int fd = (int) knote.ident();
            int bytes = isNews(knote, edge) ? probe.available(fd) : 0;
            if (bytes > 0) {
                return report(knote, bytes, false, true);
            }
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            boolean readable = (bits & EPOLLIN) != 0;
            bytes = readable ? Math.max(probe.available(fd), 0) : 0;
            boolean there = report(knote, bytes, (bits & EPOLLRDHUP) != 0, readable);
            return there || (bits & EPOLLERR) != 0; // an error that came by ICMP: the next recv(2) has it
        }

        @Override
        public void delivered(FilterKnote knote, FdProbe probe, Kevent event) {}
    },

    /** A connected socket of records. */
    SEQPACKET {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            int fd = (int) knote.ident();
            boolean readable = (bits & (EPOLLIN | EPOLLERR)) == EPOLLIN; // peeking would take an error away
            int bytes = readable ? probe.record(fd) : 0;
            if (bytes < 0 && bytes != -Errno.EAGAIN && probe.option(fd, Fds.SO_ACCEPTCONN) > 0) {
                return startsToListen(knote, probe, edge);
            }
            return report(knote, Math.max(bytes, 0), (bits & EPOLLRDHUP) != 0, readable && bytes >= 0);
        }
    },

    /** A listening TCP socket. */
    LISTENING_TCP {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int connections = probe.backlog((int) knote.ident());
            if (connections < 0) {
                return LISTENING.ready(knote, probe, edge);
            }
            knote.state(0);
            knote.eof(false);
            knote.data(connections);
            return connections > 0;
        }
    },

    /** Another listening socket, which does not tell how many connections it has. */
    LISTENING {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            knote.eof(false);
            knote.data(bits & EPOLLIN);
            return (bits & EPOLLIN) != 0;
        }
    },

    /** A pipe or FIFO, open for reading. */
    PIPE {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int fd = (int) knote.ident();
            int bytes = isNews(knote, edge) ? probe.available(fd) : 0;
            if (bytes > 0) {
                return report(knote, bytes, false, true);
            }
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            bytes = (bits & EPOLLIN) != 0 ? probe.available(fd) : 0;
            return report(knote, Math.max(bytes, 0), (bits & EPOLLHUP) != 0, bytes > 0);
        }
    },

    /** A terminal, an eventfd, and whatever else can be waited for; many do not tell how much they have. */
    DEVICE {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            int bits = ask(knote, probe);
            if (bits < 0) {
                return FdSource.failed(knote, bits);
            }
            boolean readable = (bits & EPOLLIN) != 0;
            int bytes = readable ? probe.available((int) knote.ident()) : 0;
            boolean eof = (bits & EPOLLHUP) != 0;
            return report(knote, bytes < 0 ? (eof ? 0 : 1) : bytes, eof, readable);
        }
    },

    /** The end of a pipe that cannot be read from. */
    NEVER {
        @Override
        public boolean ready(FilterKnote knote, FdProbe probe, int edge) {
            knote.state(0);
            return false;
        }
    };

    private static ReadKind known(int fd, int type, FdProbe probe) {
        return switch (type) {
            case Fds.S_IFSOCK -> socket(fd, probe);
            case Fds.S_IFIFO -> probe.accessMode(fd) == Fds.O_WRONLY ? NEVER : PIPE;
            default -> DEVICE;
        };
    }

    private static ReadKind socket(int fd, FdProbe probe) {
        if (probe.option(fd, Fds.SO_ACCEPTCONN) > 0) {
            return listening(fd, probe);
        }
        return switch (probe.option(fd, Fds.SO_TYPE)) {
            case Fds.SOCK_SEQPACKET -> SEQPACKET;
            case Fds.SOCK_DGRAM, Fds.SOCK_RAW, Fds.SOCK_RDM -> DATAGRAM;
            default -> STREAM;
        };
    }

    private static ReadKind listening(int fd, FdProbe probe) {
        int domain = probe.option(fd, Fds.SO_DOMAIN);
        return domain == Fds.AF_INET || domain == Fds.AF_INET6 ? LISTENING_TCP : LISTENING;
    }

    private static boolean startsToListen(FilterKnote knote, FdProbe probe, int edge) {
        ReadKind source = listening((int) knote.ident(), probe);
        knote.hook(source);
        return source.ready(knote, probe, edge);
    }

    /**
     * Whether an edge of this call says that there are bytes and no more: then their number is all there is to find out.
     * Else the end may have come, which the queue has not heard of yet.
     */
    private static boolean isNews(FilterKnote knote, int edge) {
        return knote.state() == 0 && (edge & (EPOLLIN | HUNG)) == EPOLLIN && knote.isReadinessNew();
    }

    private static int ask(FilterKnote knote, FdProbe probe) {
        int bits = probe.poll((int) knote.ident(), EPOLLIN | EPOLLRDHUP);
        if (bits >= 0) {
            knote.state(bits & HUNG);
        }
        return bits;
    }

    private static boolean report(FilterKnote knote, int bytes, boolean eof, boolean readable) {
        knote.data(bytes);
        knote.eof(eof);
        return eof || readable && (!FdSource.hasMark(knote) || bytes >= knote.savedData());
    }

    @Override
    public void delivered(FilterKnote knote, FdProbe probe, Kevent event) {
        FdSource.reportSocketError(knote, probe, event);
    }
}
