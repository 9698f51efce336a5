package dev.knote.transport.differential;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Datagrams on this transport are as on NIO. */
@Timeout(120)
class DatagramDifferenceTest {
    private static Bootstrap bootstrap(Story story) {
        return new Bootstrap().group(story.group).channelFactory(story.side.datagram)
                .handler(new Teller(story, "it"));
    }

    private static ByteBuf text(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    private static DatagramChannel peer() throws Exception {
        return DatagramChannel.open(java.net.StandardProtocolFamily.INET)
                .bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
    }

    private static String receive(DatagramChannel peer) throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(70_000);
        peer.receive(bytes);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }

    private static void send(DatagramChannel peer, String text, Channel to) throws Exception {
        var address = (InetSocketAddress) to.localAddress();
        peer.send(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)),
                new InetSocketAddress("127.0.0.1", address.getPort()));
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsNotBound(Side side) throws Exception {
        Story.compare(side, story -> {
            Channel channel = bootstrap(story).register().sync().channel();
            story.settle(channel.eventLoop());
            story.say(Story.state(channel) + channel.localAddress() + channel.remoteAddress());
            try (DatagramChannel peer = peer()) {
                story.ended("write", channel.writeAndFlush(
                        new DatagramPacket(text("early"), (InetSocketAddress) peer.getLocalAddress())));
            }
            story.ended("disconnect", channel.disconnect());
            story.say(Story.state(channel));
            story.ended("close", channel.close());
            story.await("it unregistered");
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itIsBoundConnectedAndDisconnected(Side side) throws Exception {
        Story.compare(side, story -> {
            try (DatagramChannel peer = peer(); DatagramChannel other = peer()) {
                Channel channel = bootstrap(story).bind(new InetSocketAddress("127.0.0.1", 0)).sync()
                        .channel();
                int port = ((InetSocketAddress) channel.localAddress()).getPort();
                send(peer, "hello", channel);
                story.await("it read: hello");
                story.ended("plain", channel.writeAndFlush(text("without an address")));
                story.ended("connect", channel.connect(peer.getLocalAddress()));
                story.say(Story.state(channel) + peer.getLocalAddress().equals(channel.remoteAddress()));
                story.ended("write", channel.writeAndFlush(text("plain")));
                story.say(receive(peer));
                send(other, "not heard", channel);
                send(peer, "heard", channel);
                story.await("it read: heard");
                story.ended("disconnect", channel.disconnect());
                story.say(Story.state(channel) + channel.remoteAddress()
                        + (((InetSocketAddress) channel.localAddress()).getPort() == port));
                send(other, "heard again", channel);
                story.await("it read: heard again");
                story.ended("to", channel.writeAndFlush(
                        new DatagramPacket(text("to other"), (InetSocketAddress) other.getLocalAddress())));
                story.say(receive(other));
                story.ended("close", channel.close());
                story.await("it unregistered");
            }
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itReadsWhenItIsTold(Side side) throws Exception {
        Story.compare(side, story -> {
            try (DatagramChannel peer = peer()) {
                Channel channel = bootstrap(story).option(ChannelOption.AUTO_READ, false)
                        .bind(new InetSocketAddress("127.0.0.1", 0)).sync().channel();
                story.settle(channel.eventLoop());
                for (int i = 0; i < 4; i++) {
                    send(peer, "number " + i, channel);
                }
                for (int i = 0; i < 4; i++) {
                    story.settle(channel.eventLoop());
                    story.say("now " + i);
                    channel.read();
                    story.await("it read: number " + i);
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void theAddressIsTaken(Side side) throws Exception {
        Story.compare(side, story -> {
            try (DatagramChannel peer = peer()) {
                Channel channel = bootstrap(story).register().sync().channel();
                story.settle(channel.eventLoop());
                story.ended("bind", channel.bind(peer.getLocalAddress()));
                story.say(Story.state(channel) + channel.localAddress());
                story.ended("close", channel.close());
            }
        });
    }
}
