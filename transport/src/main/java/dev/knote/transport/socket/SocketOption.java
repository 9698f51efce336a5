package dev.knote.transport.socket;

import dev.knote.linux.Fds;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;

/**
 * How an option of a channel is one of a socket. On a socket of IPv6 an option that both protocols have is set for both,
 * and read for IPv6.
 *
 * @param option the channel's option
 * @param kind what its value is, here and in C
 * @param level of setsockopt(2)
 * @param name of setsockopt(2)
 * @param name6 its name at the level of IPv6, or NONE
 */
public record SocketOption(ChannelOption<?> option, Kind kind, int level, int name, int name6) {
    public static final int SOL_SOCKET = Fds.SOL_SOCKET;
    public static final int IPPROTO_IP = 0;
    public static final int IPPROTO_TCP = Fds.IPPROTO_TCP;
    public static final int IPPROTO_IPV6 = 41;
    public static final int IPV6_V6ONLY = 26;
    public static final int NONE = 0;
    private static final int PMTUDISC_DONT = 0;
    private static final int PMTUDISC_DO = 2;

    /** What a value is in Java, and in C. */
    public enum Kind {
        /** Integer: int. */
        INT,
        /** Boolean: int. */
        BOOL,
        /** Boolean: int, the other way round. */
        NOT,
        /** Long: unsigned int. */
        UNSIGNED,
        /** Boolean: int, whether the path's MTU is found out, by forbidding to fragment. */
        DISCOVERY,
        /** Integer, -1 for off: struct linger. */
        LINGER,
        /** InetAddress of the interface that multicast leaves by. */
        ADDRESS,
        /** NetworkInterface that multicast leaves by. */
        INTERFACE
    }

    /** An option that has one level. */
    public static SocketOption of(ChannelOption<?> option, Kind kind, int level, int name) {
        return new SocketOption(option, kind, level, name, NONE);
    }

    /** An option of IPv4, and of IPv6. */
    public static SocketOption ip(ChannelOption<?> option, Kind kind, int name, int name6) {
        return new SocketOption(option, kind, IPPROTO_IP, name, name6);
    }

    /** Whether the socket is there and has this option. */
    public boolean isKnown(int fd, int family) {
        return read(fd, family) >= 0;
    }

    /**
     * Asks for the value.
     *
     * @throws ChannelException if the kernel refuses
     */
    public Object get(int fd, int family) {
        return switch (kind) {
            case INT -> (int) check(read(fd, family));
            case BOOL -> check(read(fd, family)) != 0;
            case NOT -> check(read(fd, family)) == 0;
            case UNSIGNED -> check(read(fd, family));
            case DISCOVERY -> check(read(fd, family)) == PMTUDISC_DO;
            case LINGER -> getLinger(fd);
            case ADDRESS -> Multicast.getAddress(fd, family);
            case INTERFACE -> Multicast.getInterface(fd, family);
        };
    }

    private long read(int fd, int family) {
        return name6 != NONE && family == Socket.AF_INET6
                ? Socket.getsockopt(fd, IPPROTO_IPV6, name6)
                : Socket.getsockopt(fd, level, name);
    }

    private long check(long result) {
        if (result < 0) {
            throw new ChannelException("no value of " + option, Failures.of("getsockopt", (int) result));
        }
        return result;
    }

    private int getLinger(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(16, 8).address();
            Memory.putInt(at + 8, 8);
            check(Socket.getsockopt(fd, level, name, at, at + 8));
            return Memory.getInt(at) == 0 ? -1 : Memory.getInt(at + 4);
        }
    }

    /**
     * Sets the value.
     *
     * @throws ChannelException if the kernel refuses
     */
    public void set(int fd, int family, Object value) {
        int result = switch (kind) {
            case INT -> write(fd, family, (Integer) value);
            case BOOL -> write(fd, family, (Boolean) value ? 1 : 0);
            case NOT -> write(fd, family, (Boolean) value ? 0 : 1);
            case UNSIGNED -> write(fd, family, unsigned((Long) value));
            case DISCOVERY -> write(fd, family, (Boolean) value ? PMTUDISC_DO : PMTUDISC_DONT);
            case LINGER -> setLinger(fd, (Integer) value);
            case ADDRESS -> Multicast.setAddress(fd, family, (java.net.InetAddress) value);
            case INTERFACE -> Multicast.setInterface(fd, family, (java.net.NetworkInterface) value);
        };
        if (result < 0) {
            throw new ChannelException(option + " = " + value + " was refused",
                    Failures.of("setsockopt", result));
        }
    }

    private int unsigned(long value) {
        if (value < 0 || value > 0xffffffffL) {
            throw new IllegalArgumentException(option + " = " + value + ": expected 0 to 2^32 - 1");
        }
        return (int) value;
    }

    private int write(int fd, int family, int value) {
        if (name6 != NONE && family == Socket.AF_INET6) {
            int result = Socket.setsockopt(fd, IPPROTO_IPV6, name6, value);
            if (result < 0) {
                return result;
            }
        }
        return Socket.setsockopt(fd, level, name, value);
    }

    private int setLinger(int fd, int seconds) {
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(8, 4).address();
            Memory.putInt(at, seconds < 0 ? 0 : 1);
            Memory.putInt(at + 4, Math.max(seconds, 0));
            return Socket.setsockopt(fd, level, name, at, 8);
        }
    }

    /** The bytes of any option, at most {@code length} of them. */
    public static ByteBuffer getRaw(int fd, ChannelOption<?> option, int level, int name, int length) {
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(8 + length, 8).address();
            Memory.putInt(at, length);
            int result = Socket.getsockopt(fd, level, name, at + 8, at);
            if (result < 0) {
                throw new ChannelException("no value of " + option, Failures.of("getsockopt", result));
            }
            return ByteBuffer.wrap(Memory.get(at + 8, Memory.getInt(at)));
        }
    }

    /** Sets the bytes of any option; the buffer's position is left. */
    public static void setRaw(int fd, ChannelOption<?> option, int level, int name, ByteBuffer value) {
        byte[] bytes = new byte[value.remaining()];
        value.duplicate().get(bytes);
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(bytes.length + 1, 8).address();
            Memory.put(at, bytes);
            int result = Socket.setsockopt(fd, level, name, at, bytes.length);
            if (result < 0) {
                throw new ChannelException(option + " = " + java.util.HexFormat.of().formatHex(bytes)
                        + " was refused", Failures.of("setsockopt", result));
            }
        }
    }
}
