package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Socket;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DatagramChannelConfig;
import io.netty.channel.socket.SocketChannelConfig;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import io.netty.channel.unix.UnixChannelOption;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Options are set by the configurations, and read back from the kernel. */
class ChannelConfigTest {
    private static final int SOL_SOCKET = 1;
    private static final int TCP = 6;
    private static final int IP = 0;
    private static final int IPV6 = 41;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final AtomicInteger cleared = new AtomicInteger();
    private int fd = -1;

    @BeforeEach
    void open() {
        fd = Socket.open(Addresses.family(), Socket.SOCK_STREAM);
    }

    @AfterEach
    void close() {
        Socket.close(fd);
        channel.finishAndReleaseAll();
    }

    private void open(int family, int type) {
        Socket.close(fd);
        fd = Socket.open(family, type);
        assertTrue(fd >= 0);
    }

    private KnoteSocketChannelConfig tcp() {
        return new KnoteSocketChannelConfig(channel, () -> fd, Addresses.family(), cleared::incrementAndGet);
    }

    private KnoteDatagramChannelConfig datagram(int family) {
        open(family, Socket.SOCK_DGRAM);
        return new KnoteDatagramChannelConfig(channel, () -> fd, family, cleared::incrementAndGet);
    }

    private int kernel(int level, int name) {
        long value = Socket.getsockopt(fd, level, name);
        assertTrue(value >= 0, () -> "getsockopt: " + value);
        return (int) value;
    }

    private <T> void set(KnoteChannelConfig<?> config, ChannelOption<T> option, T value, int level, int name,
            int expected) {
        assertTrue(config.setOption(option, value), option.name());
        assertEquals(expected, kernel(level, name), option.name());
        assertEquals(value, config.getOption(option), option.name());
        assertTrue(config.getOptions().containsKey(option), option.name());
    }

    @Test
    void theOptionsOfTcpReachTheKernel() {
        var config = tcp();
        set(config, ChannelOption.SO_KEEPALIVE, true, SOL_SOCKET, 9, 1);
        set(config, ChannelOption.SO_REUSEADDR, true, SOL_SOCKET, 2, 1);
        set(config, UnixChannelOption.SO_REUSEPORT, true, SOL_SOCKET, 15, 1);
        set(config, ChannelOption.TCP_NODELAY, false, TCP, 1, 0);
        set(config, ChannelOption.TCP_NODELAY, true, TCP, 1, 1);
        set(config, KnoteChannelOption.TCP_CORK, true, TCP, 3, 1);
        set(config, KnoteChannelOption.TCP_KEEPIDLE, 11, TCP, 4, 11);
        set(config, KnoteChannelOption.TCP_KEEPINTVL, 12, TCP, 5, 12);
        set(config, KnoteChannelOption.TCP_KEEPCNT, 13, TCP, 6, 13);
        set(config, KnoteChannelOption.TCP_QUICKACK, false, TCP, 12, 0);
        set(config, KnoteChannelOption.TCP_USER_TIMEOUT, 14, TCP, 18, 14);
        set(config, KnoteChannelOption.TCP_NOTSENT_LOWAT, 4_000_000_000L, TCP, 25, (int) 4_000_000_000L);
        set(config, KnoteChannelOption.IP_FREEBIND, true, IP, 15, 1);
        set(config, KnoteChannelOption.IP_BIND_ADDRESS_NO_PORT, true, IP, 24, 1);
    }

    @Test
    void everyOptionThatIsListedHasAValue() {
        var kinds = new KnoteChannelConfig<?>[] {tcp(),
                new KnoteServerSocketChannelConfig(channel, () -> fd, Addresses.family(), () -> {})};
        for (var config : kinds) {
            for (var option : config.getOptions().entrySet()) {
                assertEquals(option.getValue().getClass(), config.getOption(option.getKey()).getClass());
            }
        }
        var datagram = datagram(Socket.AF_INET6).getOptions();
        assertTrue(datagram.containsKey(ChannelOption.IP_MULTICAST_IF));
        assertTrue(datagram.containsKey(ChannelOption.IP_MULTICAST_ADDR));
    }

    @Test
    void theTypedSettersOfTcpReachTheKernelAndCanBeChained() {
        SocketChannelConfig config = tcp();
        assertTrue(config.isTcpNoDelay(), "by default");
        config.setTcpNoDelay(false).setKeepAlive(true).setReuseAddress(true).setTrafficClass(0x10)
                .setSendBufferSize(30_000).setReceiveBufferSize(40_000).setAllowHalfClosure(true)
                .setConnectTimeoutMillis(5).setWriteSpinCount(3).setAutoClose(false);
        assertEquals(0, kernel(TCP, 1));
        assertEquals(1, kernel(SOL_SOCKET, 9));
        assertEquals(1, kernel(SOL_SOCKET, 2));
        assertEquals(0x10, kernel(IP, 1));
        assertEquals(60_000, kernel(SOL_SOCKET, 7), "the kernel doubles it");
        assertEquals(80_000, kernel(SOL_SOCKET, 8), "the kernel doubles it");
        assertEquals(60_000, config.getSendBufferSize());
        assertEquals(80_000, config.getReceiveBufferSize());
        assertEquals(0x10, config.getTrafficClass());
        assertTrue(config.isAllowHalfClosure());
        assertEquals(true, config.getOption(ChannelOption.ALLOW_HALF_CLOSURE));
        assertEquals(5, config.getConnectTimeoutMillis());
        assertFalse(config.isAutoClose());
    }

    @Test
    void lingerIsOffUnlessItIsSet() {
        var config = tcp();
        assertEquals(-1, config.getSoLinger());
        config.setSoLinger(7);
        assertEquals(7, config.getSoLinger());
        assertEquals(1, kernel(SOL_SOCKET, 13), "on");
        config.setSoLinger(0);
        assertEquals(0, config.getSoLinger());
        assertEquals(1, kernel(SOL_SOCKET, 13), "on, with 0 seconds");
        config.setSoLinger(-1);
        assertEquals(-1, config.getSoLinger());
        assertEquals(0, kernel(SOL_SOCKET, 13));
    }

    @Test
    void aServersOptionsReachTheKernel() {
        var config = new KnoteServerSocketChannelConfig(channel, () -> fd, Addresses.family(), () -> {});
        set(config, ChannelOption.SO_REUSEADDR, true, SOL_SOCKET, 2, 1);
        set(config, UnixChannelOption.SO_REUSEPORT, true, SOL_SOCKET, 15, 1);
        set(config, KnoteChannelOption.TCP_DEFER_ACCEPT, 1, TCP, 9, 1);
        assertTrue(config.setOption(ChannelOption.SO_BACKLOG, 77));
        assertEquals(77, config.getBacklog());
        assertEquals(77, config.getOptions().get(ChannelOption.SO_BACKLOG));
        assertThrows(IllegalArgumentException.class, () -> config.setBacklog(-1));
    }

    @Test
    void aDomainSocketReadsBytesAndNothingElse() {
        open(Socket.AF_UNIX, Socket.SOCK_STREAM);
        var config = new KnoteDomainSocketChannelConfig(channel, () -> fd, Socket.AF_UNIX, () -> {});
        assertTrue(config.setOption(ChannelOption.SO_SNDBUF, 30_000));
        assertEquals(60_000, kernel(SOL_SOCKET, 7));
        assertTrue(config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, true));
        assertTrue(config.isAllowHalfClosure());
        assertTrue(config.setOption(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.BYTES));
        assertThrows(UnsupportedOperationException.class,
                () -> config.setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS));
        assertEquals(DomainSocketReadMode.BYTES, config.getReadMode());
        assertFalse(config.setOption(ChannelOption.TCP_NODELAY, true));
        var server = new KnoteServerDomainSocketChannelConfig(channel, () -> fd, Socket.AF_UNIX, () -> {});
        assertEquals(9, server.setBacklog(9).getOption(ChannelOption.SO_BACKLOG));
        assertTrue(server.getOptions().containsKey(ChannelOption.SO_RCVBUF));
    }

    @ParameterizedTest
    @ValueSource(ints = {Socket.AF_INET, Socket.AF_INET6})
    void theOptionsOfDatagramsReachTheKernelForBothProtocols(int family) {
        DatagramChannelConfig config = datagram(family);
        boolean six = family == Socket.AF_INET6;
        config.setBroadcast(true).setTimeToLive(9).setLoopbackModeDisabled(true).setTrafficClass(0x20);
        assertEquals(1, kernel(SOL_SOCKET, 6));
        assertEquals(9, kernel(IP, 33));
        assertEquals(0, kernel(IP, 34));
        assertEquals(0x20, kernel(IP, 1));
        if (six) {
            assertEquals(9, kernel(IPV6, 18));
            assertEquals(0, kernel(IPV6, 19));
            assertEquals(0x20, kernel(IPV6, 67));
        }
        assertTrue(config.isBroadcast() && config.isLoopbackModeDisabled());
        assertEquals(9, config.getTimeToLive());
        assertEquals(0x20, config.getTrafficClass());
        assertTrue(config.setOption(KnoteChannelOption.IP_MULTICAST_ALL, false));
        assertEquals(0, six ? kernel(IPV6, 29) : kernel(IP, 49));
    }

    @ParameterizedTest
    @ValueSource(ints = {Socket.AF_INET, Socket.AF_INET6})
    void theInterfaceOfMulticastIsSetByNameAndByAddress(int family) throws Exception {
        var config = datagram(family);
        InetAddress address = InetAddress.getByName("127.0.0.1");
        NetworkInterface loopback = NetworkInterface.getByInetAddress(address);
        assertNull(config.getNetworkInterface());
        assertNull(config.getInterface());
        config.setNetworkInterface(loopback);
        assertEquals(loopback, config.getNetworkInterface());
        assertEquals(address, config.getInterface());
        config.setInterface(InetAddress.getByName("0.0.0.0"));
        assertNull(config.getNetworkInterface());
        config.setInterface(address);
        assertEquals(address, config.getInterface());
        assertEquals(loopback, config.getNetworkInterface());
        if (family == Socket.AF_INET6) {
            assertEquals(loopback.getIndex(), kernel(IPV6, 17));
        }
        assertThrows(ChannelException.class, () -> config.setInterface(InetAddress.getByName("192.0.2.1")));
    }

    @Test
    void anyIntegerAndRawOptionOfASocketCanBeSet() {
        var config = tcp();
        var keepCount = new IntegerUnixChannelOption("COUNT", TCP, 6);
        assertTrue(config.setOption(keepCount, 21));
        assertEquals(21, kernel(TCP, 6));
        assertEquals(21, config.getOption(keepCount));
        var raw = new RawUnixChannelOption("RAW", TCP, 6, 4);
        var value = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(22).flip();
        assertTrue(config.setOption(raw, value));
        assertEquals(22, kernel(TCP, 6));
        assertEquals(22, config.getOption(raw).order(ByteOrder.nativeOrder()).getInt(0));
        assertThrows(IllegalArgumentException.class,
                () -> config.setOption(raw, ByteBuffer.allocate(3)));
        var unknown = new IntegerUnixChannelOption("UNKNOWN", TCP, 9999);
        assertThrows(ChannelException.class, () -> config.setOption(unknown, 1));
        assertThrows(ChannelException.class, () -> config.getOption(unknown));
    }

    @Test
    void anOptionThatIsNotKnownIsNullAndNotSet() {
        ChannelOption<String> mine = ChannelOption.valueOf("dev.knote.NOBODY_KNOWS");
        for (var config : new KnoteChannelConfig<?>[] {tcp(), datagram(Socket.AF_INET)}) {
            assertFalse(config.setOption(mine, "x"));
            assertNull(config.getOption(mine));
            assertFalse(config.setOption(ChannelOption.SO_TIMEOUT, 1));
            assertFalse(config.setOption(ChannelOption.TCP_FASTOPEN_CONNECT, true));
            assertFalse(config.getOptions().containsValue(null) && config.getOptions().containsKey(mine));
        }
    }

    @Test
    void aRefusedOptionIsNamedWithItsValue() {
        var config = tcp();
        var e = assertThrows(ChannelException.class,
                () -> config.setOption(KnoteChannelOption.TCP_KEEPCNT, 100_000));
        assertTrue(e.getMessage().contains("TCP_KEEPCNT") && e.getMessage().contains("100000"),
                e.getMessage());
        assertTrue(e.getCause().getMessage().contains("Invalid argument"), e.getCause().getMessage());
    }

    @Test
    void theNamesOfOtherTransportsMeanTheSame() {
        var config = tcp();
        ChannelOption<Integer> epoll = ChannelOption
                .valueOf("io.netty.channel.epoll.EpollChannelOption#TCP_USER_TIMEOUT");
        assertTrue(config.setOption(epoll, 31));
        assertEquals(31, kernel(TCP, 18));
        assertEquals(31, config.getOption(epoll));
        assertTrue(config.setOption(NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT), true));
        assertEquals(1, kernel(SOL_SOCKET, 15));
    }

    @Test
    void aClosedChannelIsNotAskedNorSet() {
        var config = tcp();
        Socket.close(fd);
        fd = -1;
        var e = assertThrows(ChannelException.class, () -> config.setTcpNoDelay(true));
        assertEquals(ClosedChannelException.class, e.getCause().getClass());
        assertFalse(config.getOptions().containsKey(ChannelOption.TCP_NODELAY));
        assertTrue(config.getOptions().containsKey(ChannelOption.ALLOCATOR));
        e = assertThrows(ChannelException.class, config::isTcpNoDelay);
        assertEquals(ClosedChannelException.class, e.getCause().getClass());
    }

    @Test
    void theChannelHearsThatAutoReadWasSwitchedOff() {
        var config = tcp();
        config.setAutoRead(false);
        assertEquals(1, cleared.get());
        config.setAutoRead(false);
        assertEquals(1, cleared.get());
    }

    @Test
    @SuppressWarnings("deprecation")
    void aDatagramChannelIsActiveOnRegistrationOnlyIfThatWasSaidBefore() {
        var config = datagram(Socket.AF_INET);
        assertTrue(config.getRecvByteBufAllocator() instanceof FixedRecvByteBufAllocator);
        assertThrows(IllegalStateException.class, // the embedded channel is registered
                () -> config.setOption(ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION, true));
        assertFalse(config.isActiveOnRegistration());
    }
}
