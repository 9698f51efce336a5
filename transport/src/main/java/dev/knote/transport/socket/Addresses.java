package dev.knote.transport.socket;

import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.NetUtil;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.charset.StandardCharsets;

/**
 * Addresses of sockets and their C structures: sockaddr_in (family 0, port 2, address 4), sockaddr_in6 (family 0, port 2,
 * flowinfo 4, address 8, scope 24) and sockaddr_un (family 0, path 2).
 */
public final class Addresses {
    /** Room that is enough for any address. */
    public static final int MAX_SIZE = 128;

    private static final int IN_SIZE = 16;
    private static final int IN6_SIZE = 28;
    private static final int UN_HEADER = 2;
    private static final int UN_PATH_SIZE = 108;
    private static final int MAPPED = Integer.reverseBytes(0xffff);
    private static final int LENGTH_AT = MAX_SIZE;

    private static final boolean IPV6;
    private static final boolean V6_ONLY;

    static {
        int probe = NetUtil.isIpV4StackPreferred()
                ? -1
                : (int) dev.knote.linux.Native.syscall(
                        dev.knote.linux.Sys.SOCKET, Socket.AF_INET6, Socket.SOCK_DGRAM | 0x80000, 0);
        IPV6 = probe >= 0;
        V6_ONLY = IPV6
                && Socket.getsockopt(probe, SocketOption.IPPROTO_IPV6, SocketOption.IPV6_V6ONLY) == 1;
        if (IPV6) {
            Socket.close(probe);
        }
    }

    private Addresses() {}

    /** AF_INET6, which speaks IPv4 too, or AF_INET where that is not to be had or not wanted. */
    public static int family() {
        return IPV6 ? Socket.AF_INET6 : Socket.AF_INET;
    }

    static boolean isV6OnlyByDefault() {
        return V6_ONLY;
    }

    /**
     * Writes an address of any kind for a socket of {@code family}; returns its length.
     *
     * @throws UnresolvedAddressException for a host name without an address
     * @throws UnsupportedAddressTypeException if the socket cannot have it
     * @throws SocketException for a path that is too long, or has a NUL inside
     */
    public static int encode(SocketAddress address, int family, long at) throws SocketException {
        if (family != Socket.AF_UNIX && address instanceof InetSocketAddress inet) {
            return encode(inet, family, at);
        }
        if (family == Socket.AF_UNIX && address instanceof DomainSocketAddress domain) {
            return encodePath(domain.path(), at);
        }
        if (family == Socket.AF_UNIX && address instanceof UnixDomainSocketAddress domain) {
            return encodePath(domain.getPath().toString(), at);
        }
        throw new UnsupportedAddressTypeException();
    }

    /** As {@link #encode(SocketAddress, int, long)}, for AF_INET and AF_INET6. */
    public static int encode(InetSocketAddress socketAddress, int family, long at) {
        if (socketAddress.isUnresolved()) {
            throw new UnresolvedAddressException();
        }
        return encode(socketAddress.getAddress(), socketAddress.getPort(), family, at);
    }

    static int encode(InetAddress address, int port, int family, long at) {
        Memory.putShort(at, family);
        Memory.putByte(at + 2, port >>> 8);
        Memory.putByte(at + 3, port);
        if (family == Socket.AF_INET) {
            if (address instanceof Inet4Address) {
                Memory.put(at + 4, address.getAddress());
            } else if (address.isAnyLocalAddress()) {
                Memory.putInt(at + 4, 0);
            } else {
                throw new UnsupportedAddressTypeException();
            }
            Memory.putLong(at + 8, 0);
            return IN_SIZE;
        }
        Memory.putInt(at + 4, 0);
        if (address instanceof Inet6Address six) {
            Memory.put(at + 8, six.getAddress());
            Memory.putInt(at + 24, six.getScopeId());
        } else {
            Memory.putLong(at + 8, 0);
            Memory.putInt(at + 16, address.isAnyLocalAddress() ? 0 : MAPPED); // not "any of IPv4", which hears no IPv6
            Memory.put(at + 20, address.getAddress());
            Memory.putInt(at + 24, 0);
        }
        return IN6_SIZE;
    }

    private static int encodePath(String path, long at) throws SocketException {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        boolean isAbstract = bytes.length > 0 && bytes[0] == 0;
        int most = isAbstract ? UN_PATH_SIZE : UN_PATH_SIZE - 1;
        if (bytes.length > most) {
            throw new SocketException("the path of a Unix domain socket has at most " + most + " bytes, not "
                    + bytes.length + ": " + path);
        }
        if (!isAbstract && path.indexOf('\0') >= 0) {
            throw new SocketException("the path of a Unix domain socket has a NUL inside: "
                    + path.replace("\0", "\\0"));
        }
        Memory.putShort(at, Socket.AF_UNIX);
        Memory.put(at + UN_HEADER, bytes);
        if (isAbstract || bytes.length == 0) {
            return UN_HEADER + bytes.length; // of none the kernel makes an abstract name by itself
        }
        Memory.putByte(at + UN_HEADER + bytes.length, 0);
        return UN_HEADER + bytes.length + 1;
    }

    /** The address of {@code length} bytes, an InetSocketAddress or DomainSocketAddress; null if there is none. */
    public static SocketAddress decode(long at, int length) {
        if (length < UN_HEADER) {
            return null;
        }
        return switch (Memory.getShort(at)) {
            case Socket.AF_INET, Socket.AF_INET6 -> decodeInet(at);
            case Socket.AF_UNIX -> decodePath(at, length);
            default -> null;
        };
    }

    /** Of a sockaddr_in or sockaddr_in6. */
    public static InetSocketAddress decodeInet(long at) {
        int port = Memory.getByte(at + 2) << 8 | Memory.getByte(at + 3);
        try {
            if (Memory.getShort(at) == Socket.AF_INET) {
                return new InetSocketAddress(InetAddress.getByAddress(Memory.get(at + 4, 4)), port);
            }
            if (isMapped(at)) {
                return new InetSocketAddress(InetAddress.getByAddress(Memory.get(at + 20, 4)), port);
            }
            int scope = Memory.getInt(at + 24);
            byte[] bytes = Memory.get(at + 8, 16);
            return new InetSocketAddress(Inet6Address.getByAddress(null, bytes, scope == 0 ? -1 : scope),
                    port);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes are an address", e);
        }
    }

    private static boolean isMapped(long at) {
        return Memory.getLong(at + 8) == 0 && Memory.getInt(at + 16) == MAPPED;
    }

    private static DomainSocketAddress decodePath(long at, int length) {
        int bytes = Math.min(length - UN_HEADER, UN_PATH_SIZE);
        boolean isAbstract = bytes > 0 && Memory.getByte(at + UN_HEADER) == 0;
        int end = isAbstract ? bytes : 0;
        while (end < bytes && Memory.getByte(at + UN_HEADER + end) != 0) {
            end++;
        }
        return new DomainSocketAddress(new String(Memory.get(at + UN_HEADER, end), StandardCharsets.UTF_8));
    }

    /** What the socket is bound to; null if it can't be told. */
    public static SocketAddress local(int fd) {
        return ask(fd, false);
    }

    /** What the socket is connected to; null if it is not. */
    public static SocketAddress remote(int fd) {
        return ask(fd, true);
    }

    private static SocketAddress ask(int fd, boolean peer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(MAX_SIZE + 8, 8);
            long at = room.address();
            Memory.putInt(at + LENGTH_AT, MAX_SIZE);
            int result = peer
                    ? Socket.getpeername(fd, at, at + LENGTH_AT)
                    : Socket.getsockname(fd, at, at + LENGTH_AT);
            return result < 0 ? null : decode(at, Memory.getInt(at + LENGTH_AT));
        }
    }
}
