package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.transport.Streams.Record;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.DuplexChannel;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.NotYetConnectedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class StreamCloseTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void thePeersCloseIsSeenWithoutARead(boolean withData) throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).childOption(ChannelOption.AUTO_READ, false));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                record.nextActive();
                if (withData) {
                    socket.getOutputStream().write(new byte[50_000]);
                }
            }
            assertEquals("inactive", record.nextEvent());
            assertEquals(withData ? 50_000 : 0, record.count());
        }
    }

    @Test
    void theEndOfInputLeavesTheOutputOpenWhereThatIsAllowed() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record)
                    .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                socket.setSoTimeout(60_000);
                DuplexChannel accepted = (DuplexChannel) record.nextActive();
                socket.getOutputStream().write("question".getBytes());
                socket.shutdownOutput();
                assertEquals("ChannelInputShutdownEvent", record.nextEvent());
                assertEquals("ChannelInputShutdownReadComplete", record.nextEvent());
                assertEquals("question", record.text());
                assertTrue(accepted.isInputShutdown());
                assertFalse(accepted.isOutputShutdown());
                accepted.writeAndFlush(Unpooled.copiedBuffer("answer".getBytes())).sync();
                accepted.shutdownOutput().sync();
                assertEquals("ChannelOutputShutdownEvent", record.nextEvent());
                assertEquals("answer", new String(socket.getInputStream().readAllBytes()));
                accepted.close().sync();
                assertEquals("inactive", record.nextEvent());
            }
        }
    }

    @Test
    void whatThePeerSendsAfterOurEndOfOutputIsReadToItsEnd() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record)
                    .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                socket.setSoTimeout(60_000);
                DuplexChannel accepted = (DuplexChannel) record.nextActive();
                accepted.shutdownOutput().sync();
                assertEquals("ChannelOutputShutdownEvent", record.nextEvent());
                assertEquals(-1, socket.getInputStream().read());
                ChannelFuture late = accepted.writeAndFlush(Unpooled.copiedBuffer("x".getBytes())).await();
                assertFalse(late.isSuccess());
                socket.getOutputStream().write(new byte[100_000]);
                socket.shutdownOutput();
                assertEquals("ChannelInputShutdownEvent", record.nextEvent());
                assertEquals("ChannelInputShutdownReadComplete", record.nextEvent());
                assertEquals(100_000, record.count());
                accepted.close().sync();
            }
        }
    }

    @Test
    void withoutHalfClosureTheEndOfInputClosesTheChannelAfterAllData() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                socket.getOutputStream().write(new byte[300_000]);
                socket.shutdownOutput();
                assertEquals("inactive", record.nextEvent());
                assertEquals(300_000, record.count());
            }
        }
    }

    @Test
    void aResetIsAnExceptionThatSaysSo() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                record.nextActive();
                socket.setSoLinger(true, 0);
            }
            String exception = record.nextEvent();
            assertTrue(exception.startsWith("SocketException") && exception.contains("reset"), exception);
            assertEquals("inactive", record.nextEvent());
        }
    }

    @Test
    void lingerZeroResetsThePeer() throws Exception {
        try (Streams streams = new Streams(1); ServerSocket server = new ServerSocket()) {
            server.bind(Streams.loopback());
            Channel client = streams.client(new Record()).option(ChannelOption.SO_LINGER, 0)
                    .connect(server.getLocalSocketAddress()).sync().channel();
            try (Socket peer = server.accept()) {
                peer.setSoTimeout(60_000);
                client.close().sync();
                assertThrows(SocketException.class, () -> peer.getInputStream().read());
            }
        }
    }

    @Test
    void aLingeringCloseEndsOffTheLoopAndTheLoopGoesOn() throws Exception {
        try (Streams streams = new Streams(1); ServerSocket server = new ServerSocket()) {
            server.setReceiveBufferSize(4096);
            server.bind(Streams.loopback());
            Record record = new Record();
            Channel client = streams.client(record).option(ChannelOption.SO_LINGER, 30)
                    .connect(server.getLocalSocketAddress()).sync().channel();
            try (Socket peer = server.accept()) {
                client.writeAndFlush(Unpooled.wrappedBuffer(new byte[200_000]));
                ChannelFuture closed = client.close();
                client.eventLoop().submit(() -> {}).sync();
                peer.setSoTimeout(60_000);
                peer.getInputStream().readAllBytes();
                closed.sync();
                assertEquals("inactive", record.nextEvent());
            }
        }
    }

    /** The channel has left its loop then, and reads no more, even if the user's limits say that it should. */
    @Test
    void aLingeringCloseInAReadIsTheLastRead() throws Exception {
        try (Streams streams = new Streams(1); ServerSocket server = new ServerSocket()) {
            server.bind(Streams.loopback());
            Record record = new Record();
            var closer = new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ctx.fireChannelRead(message);
                    ctx.close();
                }
            };
            Channel client = streams.client(new ChannelInitializer<>() {
                @Override
                protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(closer, record);
                }
            }).option(ChannelOption.SO_LINGER, 30)
                    .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(8)
                            .respectMaybeMoreData(false).maxMessagesPerRead(16))
                    .connect(server.getLocalSocketAddress()).sync().channel();
            try (Socket peer = server.accept()) {
                peer.getOutputStream().write(new byte[800]);
                client.closeFuture().sync();
                assertEquals("inactive", record.nextEvent());
                assertEquals(8, record.count());
            }
        }
    }

    @Test
    void aRefusedConnectionFailsAndClosesTheChannel() throws Exception {
        try (Streams streams = new Streams(1); Socket nobody = new Socket()) {
            nobody.bind(Streams.loopback()); // nobody else gets the port, and nobody listens
            ChannelFuture future = streams.client(new Record()).connect(nobody.getLocalSocketAddress())
                    .await();
            assertInstanceOf(ConnectException.class, future.cause());
            assertTrue(future.cause().getMessage().contains("refused"), future.cause().getMessage());
            future.channel().closeFuture().sync();
        }
    }

    @Test
    void aChannelThatIsNotConnectedSaysSo() throws Exception {
        try (Streams streams = new Streams(1)) {
            KnoteSocketChannel channel = streams.register(new KnoteSocketChannel(), new Record());
            ChannelFuture write = channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[1])).await();
            assertInstanceOf(NotYetConnectedException.class, write.cause());
            assertInstanceOf(NotYetConnectedException.class, channel.shutdownOutput().await().cause());
            channel.close().sync();
        }
    }

    @Test
    void aConnectedChannelDoesNotConnectAgain() throws Exception {
        try (Streams streams = new Streams(1); ServerSocket server = new ServerSocket()) {
            server.bind(Streams.loopback());
            Channel client = streams.client(new Record()).connect(server.getLocalSocketAddress()).sync()
                    .channel();
            ChannelFuture again = client.connect(server.getLocalSocketAddress()).await();
            assertInstanceOf(AlreadyConnectedException.class, again.cause());
            assertTrue(client.isActive());
        }
    }

    @Test
    void aChannelGoesFromLoopToLoopWithWhatItHasNotRead() throws Exception {
        try (Streams streams = new Streams(2)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).childOption(ChannelOption.AUTO_READ, false));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                Channel accepted = record.nextActive();
                socket.getOutputStream().write("first".getBytes());
                for (int i = 0; i < 20; i++) {
                    accepted.deregister().sync();
                    streams.group.register(accepted).sync();
                    if (i == 10) {
                        accepted.config().setAutoRead(true);
                        Streams.await("what was there", () -> record.count() == 5);
                    }
                }
                socket.getOutputStream().write("second".getBytes());
                Streams.await("what came later", () -> record.count() == 11);
                assertEquals("firstsecond", record.text());
                accepted.writeAndFlush(Unpooled.copiedBuffer("back".getBytes())).sync();
                assertEquals("back", new String(socket.getInputStream().readNBytes(4)));
            }
        }
    }
}
