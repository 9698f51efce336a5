package dev.knote.transport;

import dev.knote.linux.Fds;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.channel.ChannelException;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * A socket that a channel is made of.
 *
 * @param remote null if there is no peer
 */
record GivenSocket(int fd, int family, boolean active, SocketAddress remote) {
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
        return new GivenSocket(fd, family, false, null);
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
        return new GivenSocket(fd, family, true, remote);
    }

    /** One that somebody else has made: a connection, or a socket that is to be one. */
    static GivenSocket connection(int fd) {
        int family = adopt(fd);
        SocketAddress remote = Addresses.remote(fd);
        return new GivenSocket(fd, family, remote != null, remote);
    }

    /** One that somebody else has made: it listens, or can be bound. */
    static GivenSocket server(int fd) {
        int family = adopt(fd);
        return new GivenSocket(fd, family,
                Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_ACCEPTCONN) == 1, null);
    }

    /** One for datagrams that somebody else has made: bound, connected, or neither. */
    static GivenSocket datagrams(int fd) {
        int family = adopt(fd);
        boolean isUdp = (family == Socket.AF_INET || family == Socket.AF_INET6)
                && Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_TYPE) == Socket.SOCK_DGRAM;
        if (!isUdp) {
            throw new ChannelException("fd " + fd + " is no socket for datagrams of IP");
        }
        boolean bound = Addresses.local(fd) instanceof InetSocketAddress local && local.getPort() != 0;
        return new GivenSocket(fd, family, bound, Addresses.remote(fd));
    }

    /** Makes it non-blocking; returns its family. */
    private static int adopt(int fd) {
        Knote.ensureAvailability();
        long family = Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_DOMAIN);
        if (family < 0) {
            throw new ChannelException("fd " + fd + " is no socket",
                    Failures.of("getsockopt", (int) family));
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
