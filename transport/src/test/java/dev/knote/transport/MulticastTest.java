package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups of IPv4, on sockets of both families. */
@Timeout(60)
class MulticastTest {
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
    private final BlockingQueue<Integer> heard = new LinkedBlockingQueue<>();
    private InetAddress group;
    private NetworkInterface network;
    private InetAddress source;

    @BeforeEach
    void findNetwork() throws IOException {
        group = InetAddress.getByName("230.0.0.77");
        for (NetworkInterface each : NetworkInterface.networkInterfaces().toList()) {
            var address = each.inetAddresses().filter(Inet4Address.class::isInstance).findFirst();
            if (each.isUp() && each.supportsMulticast() && address.isPresent() && carries(each)) {
                network = each;
                source = address.get();
            }
        }
        assumeTrue(network != null, "no network interface here carries multicast of IPv4");
    }

    private boolean carries(NetworkInterface candidate) {
        try (var probe = new MulticastSocket()) {
            probe.setNetworkInterface(candidate);
            probe.send(new java.net.DatagramPacket(new byte[1], 1, new InetSocketAddress(group, 9)));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @AfterEach
    void close() {
        loops.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private KnoteDatagramChannel listener(SocketProtocolFamily family) throws Exception {
        return bind(family, new InetSocketAddress(InetAddress.getByName("0.0.0.0"), 0));
    }

    private KnoteDatagramChannel bind(SocketProtocolFamily family, InetSocketAddress address)
            throws Exception {
        var handler = new SimpleChannelInboundHandler<DatagramPacket>() {
            @Override
            protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
                heard.add(packet.content().readInt());
            }
        };
        return (KnoteDatagramChannel) new Bootstrap().group(loops)
                .channelFactory(() -> new KnoteDatagramChannel(family))
                .option(ChannelOption.IP_MULTICAST_IF, network).handler(handler).bind(address).sync()
                .channel();
    }

    /** Sends a number to the group, then another to the listener alone; what was heard before the other one. */
    private Integer hearsOf(KnoteDatagramChannel from, KnoteDatagramChannel listener, int number)
            throws Exception {
        int port = listener.localAddress().getPort();
        from.writeAndFlush(new DatagramPacket(Unpooled.copyInt(number), new InetSocketAddress(group, port)))
                .sync();
        from.writeAndFlush(new DatagramPacket(Unpooled.copyInt(-1), new InetSocketAddress(source, port)))
                .sync();
        Integer first = heard.poll(20, TimeUnit.SECONDS);
        assertNotNull(first);
        if (first == -1) {
            return null;
        }
        assertEquals(-1, heard.poll(20, TimeUnit.SECONDS));
        return first;
    }

    private static void done(ChannelFuture future) throws Exception {
        future.await();
        assertTrue(future.isSuccess(), () -> "" + future.cause());
    }

    @ParameterizedTest
    @EnumSource(value = SocketProtocolFamily.class, names = {"INET", "INET6"})
    void aGroupIsHeardFromJoiningToLeaving(SocketProtocolFamily family) throws Exception {
        var listener = listener(family);
        var sender = bind(family, new InetSocketAddress(source, 0));
        assertEquals(null, hearsOf(sender, listener, 1));
        done(listener.joinGroup(group));
        assertEquals(2, hearsOf(sender, listener, 2));
        done(listener.leaveGroup(group));
        assertEquals(null, hearsOf(sender, listener, 3));
    }

    @ParameterizedTest
    @EnumSource(value = SocketProtocolFamily.class, names = {"INET", "INET6"})
    void aBlockedSourceIsNotHeard(SocketProtocolFamily family) throws Exception {
        var listener = listener(family);
        var sender = bind(family, new InetSocketAddress(source, 0));
        var socketAddress = new InetSocketAddress(group, 0);
        assertTrue(listener.block(group, network, source).await().cause() instanceof IOException,
                "not joined");
        done(listener.joinGroup(socketAddress, network));
        assertEquals(1, hearsOf(sender, listener, 1));
        done(listener.block(group, network, source));
        assertEquals(null, hearsOf(sender, listener, 2));
    }

    @Test
    void onlyTheSourceThatWasJoinedIsHeard() throws Exception {
        var listener = listener(SocketProtocolFamily.INET);
        var sender = bind(SocketProtocolFamily.INET, new InetSocketAddress(source, 0));
        InetAddress other = InetAddress.getByName("192.0.2.1");
        done(listener.joinGroup(group, network, other));
        assertEquals(null, hearsOf(sender, listener, 1));
        done(listener.joinGroup(group, network, source));
        assertEquals(2, hearsOf(sender, listener, 2));
        done(listener.leaveGroup(group, network, source));
        assertEquals(null, hearsOf(sender, listener, 3));
    }

    @Test
    void withoutLoopingTheHostDoesNotHearItself() throws Exception {
        var listener = listener(SocketProtocolFamily.INET);
        var sender = bind(SocketProtocolFamily.INET, new InetSocketAddress(source, 0));
        done(listener.joinGroup(new InetSocketAddress(group, 0), network));
        assertEquals(1, hearsOf(sender, listener, 1));
        sender.config().setLoopbackModeDisabled(true);
        assertEquals(null, hearsOf(sender, listener, 2));
    }
}
