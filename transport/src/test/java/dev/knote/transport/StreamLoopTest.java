package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatConnectsBetweenTwoLoopsIsConnectedOnTheNext(boolean domain, @TempDir Path directory)
            throws Exception {
        try (Streams streams = new Streams(2)) {
            Streams.Record record = new Streams.Record();
            Channel server = domain
                    ? Streams.bind(streams.domainServer(record),
                            new DomainSocketAddress(directory.resolve("socket").toString()))
                    : Streams.bind(streams.server(record));
            Channel client = streams.register(
                    domain ? new KnoteDomainSocketChannel() : new KnoteSocketChannel(),
                    new ChannelInboundHandlerAdapter());
            client.deregister().sync();
            ChannelFuture connected = client.connect(server.localAddress());
            client.eventLoop().submit(() -> {}).sync();
            streams.group.register(client).sync();
            connected.sync();
            client.writeAndFlush(Unpooled.copyInt(1, 2)).sync();
            Streams.await("what was written", () -> record.count() == 8);
        }
    }

    @Test
    void whatIsBoundBetweenTwoLoopsAcceptsOnTheNext() throws Exception {
        try (Streams streams = new Streams(2); Socket socket = new Socket()) {
            var accepted = new Streams.Record();
            // There from the beginning: who adds a handler later waits for the former loop to call it.
            KnoteServerSocketChannel server = streams.register(new KnoteServerSocketChannel(),
                    new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext context, Object message) {
                            accepted.active.add((Channel) message);
                        }
                    });
            server.deregister().sync();
            server.bind(Streams.loopback()).sync();
            streams.group.register(server).sync();
            socket.connect(server.localAddress());
            accepted.nextActive().unsafe().closeForcibly();
        }
    }

    @Test
    void aDatagramChannelDisconnectsBetweenTwoLoops() throws Exception {
        try (Streams streams = new Streams(2);
                DatagramSocket peer = new DatagramSocket(Streams.loopback());
                DatagramSocket other = new DatagramSocket(Streams.loopback())) {
            var heard = new LinkedBlockingQueue<Integer>();
            KnoteDatagramChannel channel = streams.register(new KnoteDatagramChannel(),
                    new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext context, Object message) {
                            DatagramPacket packet = (DatagramPacket) message;
                            heard.add(packet.content().readableBytes());
                            packet.release();
                        }
                    });
            channel.bind(Streams.loopback()).sync();
            channel.deregister().sync();
            channel.connect(peer.getLocalSocketAddress()).sync();
            assertTrue(channel.isConnected());
            channel.disconnect().sync();
            assertFalse(channel.isConnected());
            streams.group.register(channel).sync();
            other.send(new java.net.DatagramPacket(new byte[3], 3, channel.localAddress()));
            assertEquals(3, heard.poll(20, TimeUnit.SECONDS));
        }
    }

    /** Nothing of it stays with a loop that was slow to register it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void whatIsClosedBeforeItsRegistrationIsDoneIsNotRegistered(int kind) throws Exception {
        try (Streams streams = new Streams(1)) {
            IoEventLoop real = streams.group.next();
            var late = new LateLoop(real);
            Channel channel = switch (kind) {
                case 0 -> new KnoteSocketChannel();
                case 1 -> new KnoteDomainSocketChannel(pairedSocket());
                case 2 -> new KnoteDatagramChannel();
                default -> new MemoryWordChannel();
            };
            ChannelPromise promise = channel.newPromise();
            channel.unsafe().register(late.loop, promise);
            late.awaitHandle();
            channel.close().sync();
            IoRegistration registration = late.register();
            assertInstanceOf(ClosedChannelException.class, promise.await().cause());
            assertFalse(registration.isValid());
            assertFalse(channel.isRegistered());
        }
    }

    /** Of a connection whose other end is closed. */
    private static int pairedSocket() {
        int[] pair = Streams.socketPair();
        dev.knote.transport.socket.Socket.close(pair[1]);
        return pair[0];
    }
}
