package dev.knote.transport;

import dev.knote.transport.socket.SocketOption;
import dev.knote.transport.socket.SocketOption.Kind;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.unix.UnixChannelOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The socket options that a kind of channel has. */
final class SocketOptions {
    private static final SocketOption RCVBUF = socket(ChannelOption.SO_RCVBUF, Kind.INT, 8);
    private static final SocketOption SNDBUF = socket(ChannelOption.SO_SNDBUF, Kind.INT, 7);
    private static final SocketOption REUSEADDR = socket(ChannelOption.SO_REUSEADDR, Kind.BOOL, 2);
    private static final SocketOption REUSEPORT = socket(UnixChannelOption.SO_REUSEPORT, Kind.BOOL, 15);
    private static final SocketOption BUSY_POLL = socket(KnoteChannelOption.SO_BUSY_POLL, Kind.INT, 46);
    private static final SocketOption TOS = SocketOption.ip(ChannelOption.IP_TOS, Kind.INT, 1, 67);
    private static final SocketOption FREEBIND = ip(KnoteChannelOption.IP_FREEBIND, 15);
    private static final SocketOption TRANSPARENT = ip(KnoteChannelOption.IP_TRANSPARENT, 19);
    private static final SocketOption NO_PORT = ip(KnoteChannelOption.IP_BIND_ADDRESS_NO_PORT, 24);
    private static final SocketOption LINGER = socket(ChannelOption.SO_LINGER, Kind.LINGER, 13);
    private static final SocketOption NAPI_ID = socket(KnoteChannelOption.SO_INCOMING_NAPI_ID, Kind.INT, 56);
    private static final SocketOption KEEPIDLE = tcp(KnoteChannelOption.TCP_KEEPIDLE, Kind.INT, 4);
    private static final SocketOption KEEPINTVL = tcp(KnoteChannelOption.TCP_KEEPINTVL, Kind.INT, 5);
    private static final SocketOption KEEPCNT = tcp(KnoteChannelOption.TCP_KEEPCNT, Kind.INT, 6);
    private static final SocketOption QUICKACK = tcp(KnoteChannelOption.TCP_QUICKACK, Kind.BOOL, 12);

    static final SocketOptions TCP = new SocketOptions(RCVBUF, SNDBUF, REUSEADDR, REUSEPORT, BUSY_POLL, TOS,
            FREEBIND, TRANSPARENT, NO_PORT, LINGER, NAPI_ID, KEEPIDLE, KEEPINTVL, KEEPCNT, QUICKACK,
            socket(ChannelOption.SO_KEEPALIVE, Kind.BOOL, 9),
            socket(KnoteChannelOption.SO_OOBINLINE, Kind.BOOL, 10),
            tcp(ChannelOption.TCP_NODELAY, Kind.BOOL, 1),
            tcp(KnoteChannelOption.TCP_CORK, Kind.BOOL, 3),
            tcp(KnoteChannelOption.TCP_USER_TIMEOUT, Kind.INT, 18),
            tcp(KnoteChannelOption.TCP_NOTSENT_LOWAT, Kind.UNSIGNED, 25));

    static final SocketOptions TCP_SERVER = new SocketOptions(RCVBUF, REUSEADDR, REUSEPORT, BUSY_POLL, TOS,
            FREEBIND, TRANSPARENT, NAPI_ID, KEEPIDLE, KEEPINTVL, KEEPCNT, QUICKACK,
            tcp(KnoteChannelOption.TCP_DEFER_ACCEPT, Kind.INT, 9),
            tcp(ChannelOption.TCP_FASTOPEN, Kind.INT, 23));

    static final SocketOptions DATAGRAM = new SocketOptions(RCVBUF, SNDBUF, REUSEADDR, REUSEPORT, BUSY_POLL,
            TOS, FREEBIND, TRANSPARENT, NAPI_ID,
            socket(ChannelOption.SO_BROADCAST, Kind.BOOL, 6),
            SocketOption.ip(ChannelOption.IP_MULTICAST_IF, Kind.INTERFACE, 32, 17),
            SocketOption.ip(ChannelOption.IP_MULTICAST_ADDR, Kind.ADDRESS, 32, 17),
            SocketOption.ip(ChannelOption.IP_MULTICAST_TTL, Kind.INT, 33, 18),
            SocketOption.ip(ChannelOption.IP_MULTICAST_LOOP_DISABLED, Kind.NOT, 34, 19),
            SocketOption.ip(KnoteChannelOption.IP_MULTICAST_LOOP, Kind.BOOL, 34, 19),
            SocketOption.ip(KnoteChannelOption.IP_DONTFRAGMENT, Kind.DISCOVERY, 10, 23),
            SocketOption.ip(KnoteChannelOption.IP_MULTICAST_ALL, Kind.BOOL, 49, 29));

    static final SocketOptions DOMAIN = new SocketOptions(RCVBUF, SNDBUF, LINGER);

    static final SocketOptions DOMAIN_SERVER = new SocketOptions(RCVBUF, REUSEADDR);

    /** What other transports, and the JDK, call an option. */
    private static final Map<String, String> OTHER_NAMES = Map.of(
            "TCP_KEEPINTERVAL", "TCP_KEEPINTVL",
            "TCP_KEEPCOUNT", "TCP_KEEPCNT");
    private static final List<String> OTHER_TRANSPORTS = List.of(
            "io.netty.channel.epoll.EpollChannelOption#",
            "io.netty.channel.uring.IoUringChannelOption#");

    private final Map<ChannelOption<?>, SocketOption> byOption = new HashMap<>();
    private final Map<String, SocketOption> byName = new HashMap<>();

    private SocketOptions(SocketOption... options) {
        for (SocketOption option : options) {
            byOption.put(option.option(), option);
            String name = option.option().name();
            byName.put(name.substring(name.indexOf('#') + 1), option);
        }
    }

    private static SocketOption socket(ChannelOption<?> option, Kind kind, int name) {
        return SocketOption.of(option, kind, SocketOption.SOL_SOCKET, name);
    }

    private static SocketOption tcp(ChannelOption<?> option, Kind kind, int name) {
        return SocketOption.of(option, kind, SocketOption.IPPROTO_TCP, name);
    }

    private static SocketOption ip(ChannelOption<?> option, int name) {
        return SocketOption.of(option, Kind.BOOL, SocketOption.IPPROTO_IP, name);
    }

    /** The option, also when it goes by another transport's name; null if there is none. */
    SocketOption find(ChannelOption<?> option) {
        SocketOption found = byOption.get(option);
        return found != null ? found : byName.get(plainName(option));
    }

    private static String plainName(ChannelOption<?> option) {
        String name = option.name();
        if (option instanceof NioChannelOption) {
            return OTHER_NAMES.getOrDefault(name, name);
        }
        for (String prefix : OTHER_TRANSPORTS) {
            if (name.startsWith(prefix)) {
                return name.substring(prefix.length());
            }
        }
        return "";
    }

    Iterable<SocketOption> all() {
        return byOption.values();
    }
}
