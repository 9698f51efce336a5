package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ServerChannel;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Words in the pipelines of channels that have traffic of their own, whoever's channels they are. */
@Timeout(60)
class MemoryWordPipelineTest extends WordFixture {
    private static final int ROUNDS = 500;

    /** Whose channels. */
    enum Kind {
        OURS(KnoteServerSocketChannel.class, KnoteSocketChannel.class), NIO(NioServerSocketChannel.class,
                NioSocketChannel.class),
        LOCAL(LocalServerChannel.class, LocalChannel.class);

        final Class<? extends ServerChannel> server;
        final Class<? extends Channel> client;

        Kind(Class<? extends ServerChannel> server, Class<? extends Channel> client) {
            this.server = server;
            this.client = client;
        }

        SocketAddress address() {
            return this == LOCAL ? LocalAddress.ANY
                    : new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        }
    }

    /** Sends back what comes, and what the word becomes. */
    private static final class Server extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.writeAndFlush(message);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof MemoryWordEvent word) {
                ctx.writeAndFlush(Unpooled.buffer(4).writeInt((int) word.value()));
            }
        }
    }

    /** Takes ints. */
    private static final class Client extends SimpleChannelInboundHandler<ByteBuf> {
        final BlockingQueue<Integer> answers = new LinkedBlockingQueue<>();
        private final ByteBuf rest = Unpooled.buffer();

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
            rest.writeBytes(message);
            while (rest.readableBytes() >= 4) {
                answers.add(rest.readInt());
            }
            rest.discardReadBytes();
        }

        int next() throws InterruptedException {
            Integer answer = answers.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(answer, "no answer");
            return answer;
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void wordsAndMessagesReachThePipelineSideBySide(Kind kind) throws Exception {
        Channel server = new ServerBootstrap().group(group).channel(kind.server)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel child) {
                        child.pipeline().addLast(new MemoryWordHandler().watch("word", address(1)),
                                new Server());
                    }
                }).bind(kind.address()).sync().channel();
        var client = new Client();
        Channel channel = new Bootstrap().group(group).channel(kind.client).handler(client)
                .connect(server.localAddress()).sync().channel();
        assertInstanceOf(kind.client, channel);
        channel.writeAndFlush(Unpooled.buffer(4).writeInt(-1)).sync();
        assertEquals(-1, client.next());
        for (int i = 1; i <= ROUNDS; i++) {
            change(word(1), i);
            assertEquals(i, client.next());
            channel.writeAndFlush(Unpooled.buffer(4).writeInt(-i));
            assertEquals(-i, client.next());
        }
        channel.close().sync();
        server.close().sync();
        await(() -> waiters(word(1)) == 0, "the end of the wait with its channel");
        assertTrue(client.answers.isEmpty(), () -> "more answers: " + client.answers);
    }
}
