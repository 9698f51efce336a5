package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A channel comes to a loop, and goes, when it may least be expected. */
@Timeout(120)
class StreamLoopTest {
    @Test
    void whatMovedBeforeItWasConnectedCanWrite() throws Exception {
        try (Streams streams = new Streams(2)) {
            Streams.Record record = new Streams.Record();
            Channel server = Streams.bind(streams.server(record));
            Channel client = streams.register(new KnoteSocketChannel(), new ChannelInboundHandlerAdapter());
            client.deregister().sync();
            streams.group.register(client).sync();
            client.connect(server.localAddress()).sync();
            client.writeAndFlush(Unpooled.copyInt(1, 2)).await(5, TimeUnit.SECONDS);
            Streams.await("what was written", () -> record.count() == 8);
        }
    }

    @Test
    void whatIsFlushedBetweenTwoLoopsIsSentOnTheNext() throws Exception {
        try (Streams streams = new Streams(2)) {
            Streams.Record record = new Streams.Record();
            int[] fds = Streams.socketPair();
            streams.register(new KnoteDomainSocketChannel(fds[0]), record);
            Channel client = streams.register(new KnoteDomainSocketChannel(fds[1]),
                    new ChannelInboundHandlerAdapter());
            client.deregister().sync();
            ChannelFuture first = client.write(Unpooled.copyInt(1));
            ChannelFuture second = client.writeAndFlush(Unpooled.copyInt(2));
            client.eventLoop().submit(() -> {}).sync();
            streams.group.register(client).sync();
            first.sync();
            second.sync();
            Streams.await("what was written", () -> record.count() == 8);
        }
    }

    @Test
    void aDatagramFlushedBetweenTwoLoopsIsSentOnTheNext() throws Exception {
        try (Streams streams = new Streams(2); DatagramSocket peer = new DatagramSocket(Streams.loopback())) {
            peer.setSoTimeout(10_000);
            Channel client = streams.register(new KnoteDatagramChannel(), new ChannelInboundHandlerAdapter());
            client.bind(Streams.loopback()).sync();
            client.deregister().sync();
            ChannelFuture sent = client.writeAndFlush(new DatagramPacket(Unpooled.copyInt(1),
                    new InetSocketAddress(peer.getLocalAddress(), peer.getLocalPort())));
            client.eventLoop().submit(() -> {}).sync();
            streams.group.register(client).sync();
            sent.sync();
            var got = new java.net.DatagramPacket(new byte[10], 10);
            peer.receive(got);
            assertEquals(4, got.getLength());
        }
    }
}
