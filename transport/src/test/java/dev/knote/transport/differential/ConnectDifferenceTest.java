package dev.knote.transport.differential;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connecting on this transport is as on NIO. */
@Timeout(120)
class ConnectDifferenceTest {
    @TempDir
    Path temp;

    private static InetSocketAddress closedPort() throws Exception {
        try (ServerSocketChannel server = Peer.listen(null)) {
            return (InetSocketAddress) server.getLocalAddress();
        }
    }

    private static Channel registered(Story story) throws Exception {
        Channel channel = Peer.client(story, false).register().sync().channel();
        story.settle(channel.eventLoop());
        return channel;
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void nobodyListens(Side side) throws Exception {
        InetSocketAddress nobody = closedPort();
        Story.compare(side, story -> {
            ChannelFuture connect = Peer.client(story, false).connect(nobody);
            story.ended("connect", connect);
            story.await("client unregistered");
            Channel channel = registered(story);
            story.ended("connect without a bootstrap", channel.connect(nobody));
            story.settle(channel.eventLoop());
            story.say(Story.state(channel));
            story.ended("close", channel.close());
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void thereIsNoPath(Side side) throws Exception {
        SocketAddress nobody = UnixDomainSocketAddress.of(temp.resolve("none"));
        Story.compare(side, story -> {
            ChannelFuture connect = Peer.client(story, true).connect(nobody);
            connect.await();
            story.await("client removed");
            story.say("connected " + connect.isSuccess() + (connect.cause() instanceof java.io.IOException));
        });
    }

    /** NIO closes a channel that could not be connected; but not one that could not be bound. */
    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsNoAddressToConnectTo(Side side) throws Exception {
        SocketAddress unresolved = InetSocketAddress.createUnresolved("nowhere.invalid", 80);
        SocketAddress unix = UnixDomainSocketAddress.of(temp.resolve("none"));
        Story.compare(side, story -> {
            for (SocketAddress remote : List.of(unresolved, unix, new LocalAddress("none"))) {
                for (SocketAddress local : Arrays.asList(null, Peer.address(null, 0), unresolved)) {
                    for (boolean stream : new boolean[] {true, false}) {
                        Channel channel = stream ? registered(story) : datagrams(story);
                        story.ended("connect", channel.connect(remote, local));
                        story.settle(channel.eventLoop());
                        story.say(Story.state(channel));
                        story.ended("close", channel.close());
                    }
                }
            }
        });
    }

    private static Channel datagrams(Story story) throws Exception {
        return new Bootstrap().group(story.group).channelFactory(story.side.datagram)
                .handler(new Teller(story, "datagrams")).register().sync().channel();
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsUsedBeforeItIsConnected(Side side) throws Exception {
        Story.compare(side, story -> {
            Channel channel = registered(story);
            channel.read();
            story.ended("write",
                    channel.writeAndFlush(Unpooled.copiedBuffer("early", StandardCharsets.US_ASCII)));
            story.say(Story.state(channel) + channel.localAddress() + channel.remoteAddress());
            try (ServerSocketChannel server = Peer.listen(null)) {
                story.ended("connect", channel.connect(server.getLocalAddress()));
                story.say(Story.state(channel));
                story.ended("close", channel.close());
                story.ended("connect closed", channel.connect(server.getLocalAddress()));
            }
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsShutDownWhenItIsClosed(Side side) throws Exception {
        for (boolean inputFirst : new boolean[] {true, false}) {
            Story.compare(side, story -> {
                try (Peer peer = Peer.connected(story, false, more -> {})) {
                    var channel = (DuplexChannel) peer.channel;
                    if (inputFirst) {
                        story.ended("input", channel.shutdownInput());
                        story.ended("input again", channel.shutdownInput());
                    } else {
                        story.ended("output", channel.shutdownOutput());
                        story.ended("output again", channel.shutdownOutput());
                    }
                    story.ended("close", channel.close());
                    story.ended("input closed", channel.shutdownInput());
                    story.ended("output closed", channel.shutdownOutput());
                    story.ended("both closed", channel.shutdown());
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsBoundFirst(Side side) throws Exception {
        Story.compare(side, story -> {
            Channel channel = registered(story);
            story.ended("bind", channel.bind(Peer.address(null, 0)));
            story.say(Story.state(channel) + ((InetSocketAddress) channel.localAddress()).getAddress());
            Channel other = registered(story);
            try (ServerSocketChannel server = Peer.listen(null)) {
                story.ended("in use", other.bind(server.getLocalAddress()));
                story.say(Story.state(other));
                story.ended("connect from one in use",
                        other.connect(server.getLocalAddress(), server.getLocalAddress()));
                story.settle(other.eventLoop());
                story.say(Story.state(other));
                story.ended("connect", channel.connect(server.getLocalAddress()));
                story.ended("close", channel.close());
                story.ended("close other", other.close());
            }
        });
    }

    /** A server whose queue is full, so that connecting takes its time. */
    private interface Slow {
        void tell(Story story, SocketAddress slow) throws Exception;
    }

    private static void slowly(Side side, Slow tale) throws Exception {
        Story.compare(side, story -> {
            List<SocketChannel> waiting = new ArrayList<>();
            try (ServerSocketChannel server = ServerSocketChannel.open()
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1)) {
                for (int i = 0; i < 8; i++) {
                    SocketChannel one = SocketChannel.open();
                    one.configureBlocking(false);
                    waiting.add(one);
                    one.connect(server.getLocalAddress());
                }
                tale.tell(story, server.getLocalAddress());
            } finally {
                for (SocketChannel one : waiting) {
                    one.close();
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void theTimeIsOver(Side side) throws Exception {
        slowly(side, (story, slow) -> {
            Bootstrap bootstrap = Peer.client(story, false).option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 50);
            story.ended("connect", bootstrap.connect(slow));
            story.await("client unregistered");
        });
    }

    /** What is known to differ, and told in docs/transport.md. */
    @ParameterizedTest
    @EnumSource
    void aSecondConnectOrBindClosesTheChannelOnNioAlone(Side side) throws Exception {
        List<String> lines = Story.tell(side, story -> {
            try (ServerSocketChannel server = Peer.listen(null)) {
                Channel channel = registered(story);
                story.ended("bind", channel.bind(Peer.address(null, 0)));
                story.ended("bind again", channel.bind(Peer.address(null, 0)));
                story.say("bound twice " + Story.state(channel));
                story.ended("connect", channel.connect(server.getLocalAddress()));
                story.ended("connect again", channel.connect(server.getLocalAddress()));
                story.settle(channel.eventLoop());
                story.say("connected twice " + Story.state(channel));
                channel.close().sync();
            }
        });
        assertTrue(lines.contains("bind again "
                + (side == Side.OWN ? "BindException" : "AlreadyBoundException")), lines::toString);
        assertTrue(lines.contains("bound twice O-RW"), lines::toString);
        assertTrue(lines.contains("connect again AlreadyConnectedException"), lines::toString);
        assertTrue(lines.contains("connected twice " + (side == Side.OWN ? "OARW" : "----")),
                lines::toString);
    }
}
