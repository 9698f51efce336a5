package dev.knote.transport.socket;

import dev.knote.linux.Errno;
import io.netty.channel.ChannelException;
import java.lang.foreign.Arena;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Optional;

/** The interface that a socket's multicast leaves by, and its membership in groups. */
public final class Multicast {
    private static final int IP_MULTICAST_IF = 32;
    private static final int IPV6_MULTICAST_IF = 17;
    private static final int JOIN_GROUP = 42;
    private static final int BLOCK_SOURCE = 43;
    private static final int LEAVE_GROUP = 45;
    private static final int JOIN_SOURCE_GROUP = 46;
    private static final int LEAVE_SOURCE_GROUP = 47;
    /** struct group_req: interface 0, group 8. struct group_source_req has a source at 136. */
    private static final int GROUP_AT = 8;
    private static final int SOURCE_AT = 136;
    private static final int GROUP_REQ_SIZE = 136;
    private static final int GROUP_SOURCE_REQ_SIZE = 264;
    /** struct ip_mreqn: group 0, address of the interface 4, its index 8. */
    private static final int MREQN_SIZE = 12;

    private static final int IP_MULTICAST_ALL = 49;
    private static final int IPV6_MULTICAST_ALL = 29;

    private Multicast() {}

    /** As the JDK's sockets do: not the groups that others of this host have joined. */
    public static void hearOnlyJoined(int fd, int family) {
        Socket.setsockopt(fd, SocketOption.IPPROTO_IP, IP_MULTICAST_ALL, 0);
        if (family == Socket.AF_INET6) {
            Socket.setsockopt(fd, SocketOption.IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        }
    }

    /** Joins a group, or only what one source sends to it, which may be null, as may the interface. */
    public static int join(int fd, InetAddress group, NetworkInterface by, InetAddress source) {
        return change(fd, source == null ? JOIN_GROUP : JOIN_SOURCE_GROUP, group, by, source);
    }

    /** Takes {@link #join} back. */
    public static int leave(int fd, InetAddress group, NetworkInterface by, InetAddress source) {
        return change(fd, source == null ? LEAVE_GROUP : LEAVE_SOURCE_GROUP, group, by, source);
    }

    /** Hears no more what a source sends to a group that was joined. */
    public static int block(int fd, InetAddress group, NetworkInterface by, InetAddress source) {
        return change(fd, BLOCK_SOURCE, group, by, source);
    }

    private static int change(int fd, int name, InetAddress group, NetworkInterface by, InetAddress source) {
        boolean four = group instanceof Inet4Address;
        int family = four ? Socket.AF_INET : Socket.AF_INET6;
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(GROUP_SOURCE_REQ_SIZE, 8).address();
            Memory.putInt(at, by == null ? 0 : by.getIndex());
            Addresses.encode(group, 0, family, at + GROUP_AT);
            if (source != null) {
                Addresses.encode(source, 0, family, at + SOURCE_AT);
            }
            return Socket.setsockopt(fd, four ? SocketOption.IPPROTO_IP : SocketOption.IPPROTO_IPV6, name, at,
                    source == null ? GROUP_REQ_SIZE : GROUP_SOURCE_REQ_SIZE);
        }
    }

    static int setInterface(int fd, int family, NetworkInterface by) {
        return setInterface(fd, family, by.getIndex(), address(by, true).orElse(null));
    }

    /** The kernel tells an IPv4 socket's interface by address alone. */
    private static int setInterface(int fd, int family, int index, InetAddress address) {
        int result = 0;
        if (family == Socket.AF_INET6) {
            result = Socket.setsockopt(fd, SocketOption.IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
        }
        if (result < 0) {
            return result;
        }
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(MREQN_SIZE, 4).address();
            if (address instanceof Inet4Address) {
                Memory.put(at + 4, address.getAddress());
            }
            Memory.putInt(at + 8, index);
            return Socket.setsockopt(fd, SocketOption.IPPROTO_IP, IP_MULTICAST_IF, at, MREQN_SIZE);
        }
    }

    static NetworkInterface getInterface(int fd, int family) {
        try {
            if (family == Socket.AF_INET6) {
                int index = (int) check(
                        Socket.getsockopt(fd, SocketOption.IPPROTO_IPV6, IPV6_MULTICAST_IF));
                return index == 0 ? null : NetworkInterface.getByIndex(index);
            }
            InetAddress address = getAddress4(fd);
            return address == null ? null : NetworkInterface.getByInetAddress(address);
        } catch (SocketException e) {
            throw new ChannelException("the network interfaces can't be told", e);
        }
    }

    static int setAddress(int fd, int family, InetAddress address) {
        if (address.isAnyLocalAddress()) {
            return setInterface(fd, family, 0, null);
        }
        try {
            NetworkInterface by = NetworkInterface.getByInetAddress(address);
            return by == null ? -Errno.EADDRNOTAVAIL : setInterface(fd, family, by.getIndex(), address);
        } catch (SocketException e) {
            throw new ChannelException("the network interfaces can't be told", e);
        }
    }

    static InetAddress getAddress(int fd, int family) {
        InetAddress address = getAddress4(fd);
        if (address != null || family == Socket.AF_INET) {
            return address;
        }
        NetworkInterface by = getInterface(fd, family);
        return by == null ? null : address(by, false).orElse(null);
    }

    private static InetAddress getAddress4(int fd) {
        int inNetworkOrder = (int) check(Socket.getsockopt(fd, SocketOption.IPPROTO_IP, IP_MULTICAST_IF));
        if (inNetworkOrder == 0) {
            return null;
        }
        byte[] bytes = new byte[4];
        java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.nativeOrder()).putInt(inNetworkOrder);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (java.net.UnknownHostException e) {
            throw new AssertionError("4 bytes are an address", e);
        }
    }

    private static Optional<InetAddress> address(NetworkInterface by, boolean four) {
        return by.inetAddresses().filter(address -> !four || address instanceof Inet4Address).findFirst();
    }

    private static long check(long result) {
        if (result < 0) {
            throw new ChannelException("no value of the multicast interface",
                    Failures.of("getsockopt", (int) result));
        }
        return result;
    }
}
