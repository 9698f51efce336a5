package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Socket;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultAddressedEnvelope;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.SegmentedDatagramPacket;
import io.netty.util.CharsetUtil;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class KnoteDatagramChannelTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(LOOPBACK, 0);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, KnoteIoHandler.newFactory());
    private final List<Peer> peers = new ArrayList<>();

    /** A channel and what it has heard. */
    private final class Peer extends ChannelInboundHandlerAdapter {
        final BlockingQueue<DatagramPacket> packets = new LinkedBlockingQueue<>();
        final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
        final BlockingQueue<String> states = new LinkedBlockingQueue<>();
        final KnoteDatagramChannel channel;

        Peer(KnoteDatagramChannel channel, boolean autoRead) {
            this.channel = channel;
            peers.add(this);
            new Bootstrap().group(group).channelFactory(() -> channel)
                    .option(ChannelOption.AUTO_READ, autoRead)
                    .handler(this).register().syncUninterruptibly();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            packets.add((DatagramPacket) message);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            states.add("inactive");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failures.add(cause);
        }

        /** The text of the next datagram. */
        String next() throws InterruptedException {
            DatagramPacket packet = packets.poll(20, TimeUnit.SECONDS);
            assertNotNull(packet, "no datagram came");
            String text = packet.content().toString(CharsetUtil.UTF_8);
            packet.release();
            return text;
        }

        Peer bound() throws InterruptedException {
            channel.bind(ANY_PORT).sync();
            return this;
        }

        InetSocketAddress address() {
            return channel.localAddress();
        }

        ChannelFuture send(String text, Peer to) throws InterruptedException {
            return channel.writeAndFlush(new DatagramPacket(buffer(text), to.address())).await();
        }
    }

    private Peer peer() {
        return new Peer(new KnoteDatagramChannel(), true);
    }

    private static ByteBuf buffer(String text) {
        return Unpooled.copiedBuffer(text, CharsetUtil.UTF_8);
    }

    @AfterEach
    void close() {
        for (Peer peer : peers) {
            peer.channel.close().syncUninterruptibly();
            peer.packets.forEach(DatagramPacket::release);
        }
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Its fd is another handle's, say: it would hear nothing. */
    @Test
    void aChannelThatCannotBeWatchedIsNotRegistered() throws Exception {
        var channel = new KnoteDatagramChannel();
        IoEventLoop loop = (IoEventLoop) group.next();
        IoRegistration other = loop.register(new RecordingHandle()).sync().getNow();
        other.submit(KnoteIoOps.of(channel.fd().intValue(), SocketFilter.EVFILT_SOCKET, Kqueue.EV_ADD, 1, 0));
        ChannelFuture registered = ((EventLoop) loop).register(channel).await();
        assertFalse(registered.isSuccess());
        assertInstanceOf(IllegalStateException.class, registered.cause());
        assertFalse(channel.isRegistered());
        channel.closeFuture().sync();
        assertFalse(channel.isOpen());
        assertTrue(other.cancel());
    }

    @Test
    void whoSendsIsBoundByThatAndCanBeAnswered() throws Exception {
        Peer server = peer().bound();
        Peer client = new Peer(new KnoteDatagramChannel(), true);
        assertNull(client.address());
        assertFalse(client.channel.isActive());
        client.channel.close().sync();
        var channel = new KnoteDatagramChannel();
        channel.config().setOption(activeOnRegistration(), true);
        Peer active = new Peer(channel, true);
        assertTrue(active.channel.isActive());
        assertTrue(active.send("question", server).isSuccess());
        DatagramPacket question = server.packets.poll(20, TimeUnit.SECONDS);
        assertNotNull(question);
        assertEquals(active.address().getPort(), question.sender().getPort());
        assertEquals(server.address(), question.recipient());
        server.channel.writeAndFlush(new DatagramPacket(question.content(), question.sender())).sync();
        assertEquals("question", active.next());
    }

    @SuppressWarnings("deprecation")
    private static ChannelOption<Boolean> activeOnRegistration() {
        return ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION;
    }

    @Test
    void anEmptyDatagramIsSentAndComes() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        assertTrue(client.send("", server).isSuccess());
        assertTrue(client.send("after", server).isSuccess());
        assertEquals("", server.next());
        assertEquals("after", server.next());
    }

    @Test
    void anyEnvelopeOfABufferIsSent() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        client.channel.writeAndFlush(new DefaultAddressedEnvelope<>(buffer("heap"), server.address())).sync();
        ByteBuf direct = Unpooled.directBuffer().writeBytes("direct".getBytes(CharsetUtil.UTF_8));
        client.channel.writeAndFlush(new DefaultAddressedEnvelope<>(direct, server.address())).sync();
        assertEquals("heap", server.next());
        assertEquals("direct", server.next());
        assertEquals(0, direct.refCnt());
    }

    @Test
    void whatCannotBeSentIsRefusedAndReleased() throws Exception {
        Peer client = peer().bound();
        ByteBuf content = buffer("x");
        ChannelFuture foreign = client.channel.writeAndFlush(
                new DefaultAddressedEnvelope<>(content, new DomainSocketAddress("/x"))).await();
        assertInstanceOf(UnsupportedOperationException.class, foreign.cause());
        assertEquals(0, content.refCnt());
        ChannelFuture text = client.channel.writeAndFlush("text").await();
        assertInstanceOf(UnsupportedOperationException.class, text.cause());
        ChannelFuture segments = client.channel.writeAndFlush(
                new SegmentedDatagramPacket(buffer("xy"), 1, client.address())).await();
        assertInstanceOf(UnsupportedOperationException.class, segments.cause());
    }

    @Test
    void aMessageThatFailsIsNoMatterOfTheNext() throws Exception {
        Peer server = peer().bound();
        Peer client = new Peer(new KnoteDatagramChannel(SocketProtocolFamily.INET), true).bound();
        ByteBuf large = Unpooled.directBuffer().writeZero(70_000);
        var six = new InetSocketAddress("::1", server.address().getPort());
        var channel = client.channel;
        ChannelFuture tooLong = channel.write(new DatagramPacket(large, server.address()));
        ChannelFuture wrongFamily = channel.write(new DatagramPacket(buffer("x"), six));
        ChannelFuture nobody = channel.write(buffer("x"));
        ChannelFuture good = channel.writeAndFlush(new DatagramPacket(buffer("good"), server.address()));
        assertTrue(good.await().isSuccess());
        IOException e = assertInstanceOf(IOException.class, tooLong.cause());
        assertTrue(e.getMessage().contains("Message too long"), e.getMessage());
        assertInstanceOf(UnsupportedAddressTypeException.class, wrongFamily.cause());
        assertInstanceOf(NotYetConnectedException.class, nobody.cause());
        assertEquals(0, large.refCnt());
        assertEquals("good", server.next());
        assertTrue(channel.isActive());
    }

    @Test
    void manyPiecesAreOneDatagram() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        for (int pieces : new int[] {2, 1024, 1500}) {
            CompositeByteBuf composite = Unpooled.compositeBuffer(2000);
            for (int i = 0; i < pieces; i++) {
                composite.addComponent(true, Unpooled.directBuffer(1).writeByte('a' + i % 26));
            }
            client.channel.writeAndFlush(new DatagramPacket(composite, server.address())).sync();
            String text = server.next();
            assertEquals(pieces, text.length());
            assertEquals("ab", text.substring(0, 2));
            assertEquals('a' + (pieces - 1) % 26, text.charAt(pieces - 1));
            assertEquals(0, composite.refCnt());
        }
    }

    @Test
    void aBurstComesWholeHoweverLittleIsReadAtOnce() throws Exception {
        int count = 150; // what fits into a socket's buffer
        for (int perRead : new int[] {1, 16}) {
            Peer server = new Peer(new KnoteDatagramChannel(), false);
            server.channel.config().setRecvByteBufAllocator(
                    new FixedRecvByteBufAllocator(2048).maxMessagesPerRead(perRead));
            server.bound();
            Peer client = peer().bound();
            for (int i = 0; i < count; i++) {
                assertTrue(client.send("" + i, server).isSuccess());
            }
            assertTrue(server.packets.isEmpty());
            server.channel.config().setAutoRead(true);
            for (int i = 0; i < count; i++) {
                assertEquals("" + i, server.next());
            }
        }
    }

    @Test
    void aReadBringsOneDatagramIfThatIsAllThatWasAskedFor() throws Exception {
        Peer server = new Peer(new KnoteDatagramChannel(), false);
        server.channel.config().setRecvByteBufAllocator(
                new FixedRecvByteBufAllocator(2048).maxMessagesPerRead(1));
        server.bound();
        Peer client = peer().bound();
        for (int i = 0; i < 3; i++) {
            client.send("" + i, server);
        }
        for (int i = 0; i < 3; i++) {
            server.channel.read();
            assertEquals("" + i, server.next());
            server.channel.eventLoop().submit(() -> {}).sync();
            server.channel.eventLoop().schedule(() -> {}, 5, TimeUnit.MILLISECONDS).sync();
            assertTrue(server.packets.isEmpty(), "more than one");
        }
    }

    @Test
    void aDatagramThatIsLongerThanTheBufferIsCut() throws Exception {
        Peer server = peer();
        server.channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(4));
        server.bound();
        peer().bound().send("truncated", server);
        assertEquals("trun", server.next());
    }

    @Test
    void theAddressOfAPeerIsMadeOnceWhileNobodyElseTalks() throws Exception {
        Peer server = peer().bound();
        Peer one = peer().bound();
        Peer two = peer().bound();
        one.send("1", server);
        one.send("2", server);
        two.send("3", server);
        one.send("4", server);
        List<InetSocketAddress> senders = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            DatagramPacket packet = server.packets.poll(20, TimeUnit.SECONDS);
            assertNotNull(packet);
            senders.add(packet.sender());
            packet.release();
        }
        assertSame(senders.get(0), senders.get(1));
        assertEquals(List.of(one.address(), one.address(), two.address(), one.address()), senders);
    }

    @Test
    void disconnectedItKeepsItsPortAndHearsEverybody() throws Exception {
        Peer server = peer().bound();
        Peer stranger = peer().bound();
        Peer client = peer();
        client.channel.connect(server.address()).sync();
        assertTrue(client.channel.isConnected());
        assertEquals(server.address(), client.channel.remoteAddress());
        InetSocketAddress before = client.address();
        client.channel.writeAndFlush(buffer("hello")).sync();
        assertEquals("hello", server.next());
        client.channel.disconnect().sync();
        assertFalse(client.channel.isConnected());
        assertTrue(client.channel.isActive());
        assertNull(client.channel.remoteAddress());
        assertEquals(before.getPort(), client.address().getPort());
        assertInstanceOf(NotYetConnectedException.class,
                client.channel.writeAndFlush(buffer("x")).await().cause());
        var address = new InetSocketAddress(LOOPBACK, client.address().getPort());
        stranger.channel.writeAndFlush(new DatagramPacket(buffer("from a stranger"), address)).sync();
        assertEquals("from a stranger", client.next());
        client.channel.connect(stranger.address()).sync();
        client.channel.writeAndFlush(buffer("again")).sync();
        assertEquals("again", stranger.next());
        assertTrue(client.states.isEmpty());
    }

    @Test
    void anAnswerThatNobodyIsThereIsToldAndWhatComesLaterIsHeard() throws Exception {
        Peer server = peer().bound();
        InetSocketAddress address = server.address();
        Peer client = peer();
        client.channel.connect(address).sync();
        server.channel.close().sync();
        client.channel.writeAndFlush(buffer("x")).sync();
        assertInstanceOf(PortUnreachableException.class, client.failures.poll(20, TimeUnit.SECONDS));
        assertTrue(client.channel.isActive());
        Peer heir = peer();
        heir.channel.bind(address).sync();
        var answer = new DatagramPacket(buffer("here"),
                new InetSocketAddress(LOOPBACK, client.address().getPort()));
        heir.channel.writeAndFlush(answer).sync();
        assertEquals("here", client.next());
    }

    @Test
    void whoDoesNotReadIsToldByTheNextWrite() throws Exception {
        Peer server = peer().bound();
        Peer client = new Peer(new KnoteDatagramChannel(), false);
        client.channel.connect(server.address()).sync();
        server.channel.close().sync();
        client.channel.writeAndFlush(buffer("x")).sync();
        ChannelFuture told;
        do { // the answer of the network may take a moment
            told = client.channel.writeAndFlush(buffer("y")).await();
        } while (told.isSuccess());
        assertInstanceOf(PortUnreachableException.class, told.cause());
        assertTrue(client.failures.isEmpty());
    }

    @Test
    void whatFindsNoRoomIsSentWhenThereIsSome() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        var channel = client.channel;
        for (int i = 0; i < 3; i++) {
            channel.eventLoop().submit(channel::awaitRoom).sync();
            assertTrue(client.send("later " + i, server).isSuccess());
            assertEquals("later " + i, server.next());
        }
    }

    @Test
    void anotherLoopGoesOnWhereOneHasStopped() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        client.send("one", server);
        assertEquals("one", server.next());
        server.channel.deregister().sync();
        client.send("two", server);
        group.register(server.channel).sync();
        assertEquals("two", server.next());
        client.send("three", server);
        assertEquals("three", server.next());
    }

    @Test
    void whatFoundNoRoomOnOneLoopIsSentByAnother() throws Exception {
        Peer server = peer().bound();
        Peer client = peer().bound();
        var channel = client.channel;
        var late = new DatagramPacket(buffer("late"), server.address());
        ChannelFuture[] futures = channel.eventLoop().submit(() -> {
            channel.awaitRoom();
            return new ChannelFuture[] {channel.writeAndFlush(late), channel.deregister()};
        }).get(); // gone before the event that there is room
        ChannelFuture sent = futures[0];
        futures[1].sync();
        assertFalse(sent.isDone());
        group.register(channel).sync();
        assertTrue(sent.await().isSuccess());
        assertEquals("late", server.next());
    }

    @Test
    void aSocketOfSomebodyElseIsReadAndClosed() throws Exception {
        int fd = Socket.open(Addresses.family(), Socket.SOCK_DGRAM);
        long at = Arena.ofAuto().allocate(Addresses.MAX_SIZE).address();
        assertEquals(0, Socket.bind(fd, at, Addresses.encode(ANY_PORT, Addresses.family(), at)));
        Memory.clear(at, 8);
        Peer server = new Peer(new KnoteDatagramChannel(fd), true);
        assertTrue(server.channel.isActive());
        peer().bound().send("given", server);
        assertEquals("given", server.next());
        server.channel.close().sync();
        assertEquals(-9, Socket.setsockopt(fd, 1, 2, 1), "EBADF");
        assertFalse(server.channel.isActive());
    }

    @Test
    void aSocketOfAnotherKindIsRefusedAndLeftOpen() {
        int[] others = {Socket.open(Socket.AF_UNIX, Socket.SOCK_DGRAM),
                Socket.open(Addresses.family(), Socket.SOCK_STREAM)};
        for (int fd : others) {
            var e = assertThrows(ChannelException.class, () -> new KnoteDatagramChannel(fd));
            assertTrue(e.getMessage().contains("fd " + fd), e.getMessage());
            assertEquals(0, Socket.close(fd));
        }
        assertThrows(ChannelException.class, () -> new KnoteDatagramChannel(-1));
    }

    @Test
    void aGroupCannotBeJoinedByAClosedChannelNorOneThatIsNone() throws Exception {
        Peer peer = peer().bound();
        assertInstanceOf(IOException.class, peer.channel.joinGroup(LOOPBACK).await().cause());
        peer.channel.close().sync();
        var cause = peer.channel.joinGroup(InetAddress.getByName("230.0.0.1")).await().cause();
        assertInstanceOf(ClosedChannelException.class, cause.getCause() == null ? cause : cause.getCause());
    }
}
