package dev.knote.transport;

import io.netty.channel.ChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import io.netty.channel.unix.UnixChannelOption;

/**
 * Options of Linux sockets, besides those of {@link ChannelOption} and {@link UnixChannelOption}. Any other option of a
 * socket can be had with {@link IntegerUnixChannelOption} and {@link RawUnixChannelOption}. The channels also know each
 * of these when a program names it by the constant of Netty's epoll or io_uring transport, or by the JDK's, as a
 * {@link io.netty.channel.socket.nio.NioChannelOption}.
 */
public final class KnoteChannelOption<T> extends UnixChannelOption<T> {
    /** Send no segment that is not full. */
    public static final ChannelOption<Boolean> TCP_CORK = valueOf("TCP_CORK");
    /** How many bytes may wait unsent in the socket before it counts as not writable. */
    public static final ChannelOption<Long> TCP_NOTSENT_LOWAT = valueOf("TCP_NOTSENT_LOWAT");
    /** Seconds of silence before the first keep-alive probe. */
    public static final ChannelOption<Integer> TCP_KEEPIDLE = valueOf("TCP_KEEPIDLE");
    /** Seconds between two keep-alive probes. */
    public static final ChannelOption<Integer> TCP_KEEPINTVL = valueOf("TCP_KEEPINTVL");
    /** After how many unanswered probes the connection is given up. */
    public static final ChannelOption<Integer> TCP_KEEPCNT = valueOf("TCP_KEEPCNT");
    /** Milliseconds that data may stay unacknowledged. */
    public static final ChannelOption<Integer> TCP_USER_TIMEOUT = valueOf("TCP_USER_TIMEOUT");
    /** Acknowledge at once; the kernel may fall back. */
    public static final ChannelOption<Boolean> TCP_QUICKACK = valueOf("TCP_QUICKACK");
    /** Of a server: seconds to wait for a connection's first data before it is accepted. */
    public static final ChannelOption<Integer> TCP_DEFER_ACCEPT = valueOf("TCP_DEFER_ACCEPT");
    /** Bind to an address that this host does not have. */
    public static final ChannelOption<Boolean> IP_FREEBIND = valueOf("IP_FREEBIND");
    /** Transparent proxying; needs CAP_NET_ADMIN. */
    public static final ChannelOption<Boolean> IP_TRANSPARENT = valueOf("IP_TRANSPARENT");
    /** A bind to port 0 leaves the choice of a port to connect. */
    public static final ChannelOption<Boolean> IP_BIND_ADDRESS_NO_PORT = valueOf("IP_BIND_ADDRESS_NO_PORT");
    /** Whether a socket hears the groups that others of this host have joined. */
    public static final ChannelOption<Boolean> IP_MULTICAST_ALL = valueOf("IP_MULTICAST_ALL");
    /** Whether this host hears what the socket sends to groups. */
    public static final ChannelOption<Boolean> IP_MULTICAST_LOOP = valueOf("IP_MULTICAST_LOOP");
    /** Whether a datagram that is too large for a network on its way is dropped rather than cut into pieces. */
    public static final ChannelOption<Boolean> IP_DONTFRAGMENT = valueOf("IP_DONTFRAGMENT");
    /** Whether urgent data is read with the rest, and not dropped. */
    public static final ChannelOption<Boolean> SO_OOBINLINE = valueOf("SO_OOBINLINE");
    /** Which queue of the network device the last packet came by; only to be read, 0 if there is none. */
    public static final ChannelOption<Integer> SO_INCOMING_NAPI_ID = valueOf("SO_INCOMING_NAPI_ID");
    /** Microseconds to poll the network device; a higher value needs CAP_NET_ADMIN. */
    public static final ChannelOption<Integer> SO_BUSY_POLL = valueOf("SO_BUSY_POLL");

    private KnoteChannelOption() {}
}
