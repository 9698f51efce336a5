package dev.knote.transport;

import dev.knote.linux.Fds;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.channel.ChannelException;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * A socket that a channel is made of.
 *
 * @param local null if it is not bound
 * @param remote null if there is no peer
 */
record GivenSocket(int fd, int family, boolean active, SocketAddress local, SocketAddress remote) {
    private static final int F_SETFL = 4;
    private static final int O_NONBLOCK = 0x800;

    /** A new stream socket. */
    static GivenSocket make(int family) {
        return make(family, Socket.SOCK_STREAM);
    }

    /** A new socket of a type, SOCK_STREAM or SOCK_DGRAM. */
    static GivenSocket make(int family, int type) {
        Knote.ensureAvailability();
        int fd = Socket.open(family, type);
        if (fd < 0) {
            throw new ChannelException("no socket", Failures.of("socket", fd));
        }
        return new GivenSocket(fd, family, false, null, null);
    }

    /** AF_INET or AF_INET6; the one that is usual here for null. */
    static int family(SocketProtocolFamily family) {
        if (family == null) {
            return Addresses.family();
        }
        return switch (family) {
            case INET -> Socket.AF_INET;
            case INET6 -> Socket.AF_INET6;
            case UNIX -> throw new IllegalArgumentException("UNIX is no family of IP");
        };
    }

    /** A connection that listened-to {@code family} has brought. */
    static GivenSocket accepted(int fd, int family, SocketAddress remote) {
        return new GivenSocket(fd, family, true, Addresses.local(fd), remote);
    }

    /** One that somebody else has made: a connection, or a socket that is to be one. */
    static GivenSocket connection(int fd, boolean unix) {
        int family = adoptStream(fd, unix);
        SocketAddress remote = Addresses.remote(fd);
        SocketAddress local = Addresses.local(fd);
        boolean connected = remote != null;
        return new GivenSocket(fd, family, connected, connected || isBound(local) ? local : null, remote);
    }

    /** One that somebody else has made: it listens, or can be bound. */
    static GivenSocket server(int fd, boolean unix) {
        int family = adoptStream(fd, unix);
        boolean listens = Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_ACCEPTCONN) == 1;
        SocketAddress local = Addresses.local(fd);
        return new GivenSocket(fd, family, listens, listens || isBound(local) ? local : null, null);
    }

    /** One for datagrams that somebody else has made: bound, connected, or neither. */
    static GivenSocket datagrams(int fd) {
        int family = adopt(fd, Socket.SOCK_DGRAM, false, "socket for datagrams of IP");
        SocketAddress local = Addresses.local(fd);
        boolean bound = isBound(local);
        return new GivenSocket(fd, family, bound, bound ? local : null, Addresses.remote(fd));
    }

    private static boolean isBound(SocketAddress local) {
        return local instanceof InetSocketAddress inet && inet.getPort() != 0
                || local instanceof DomainSocketAddress domain && !domain.path().isEmpty();
    }

    private static int adoptStream(int fd, boolean unix) {
        return adopt(fd, Socket.SOCK_STREAM, unix, unix ? "Unix domain socket of streams" : "TCP socket");
    }

    /** Makes it non-blocking, if it is of this kind; returns its family. */
    private static int adopt(int fd, int type, boolean unix, String kind) {
        Knote.ensureAvailability();
        long family = Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_DOMAIN);
        if (family < 0) {
            throw new ChannelException("fd " + fd + " is no socket",
                    Failures.of("getsockopt", (int) family));
        }
        boolean isOfFamily = unix
                ? family == Socket.AF_UNIX
                : family == Socket.AF_INET || family == Socket.AF_INET6;
        if (!isOfFamily || Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_TYPE) != type) {
            throw new ChannelException("fd " + fd + " is no " + kind);
        }
        int flags = Fds.fcntl(fd, Fds.F_GETFL, 0);
        int result = flags < 0 ? flags : Fds.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        if (result < 0) {
            throw new ChannelException("fd " + fd + " can't be made non-blocking",
                    Failures.of("fcntl", result));
        }
        return (int) family;
    }
}
