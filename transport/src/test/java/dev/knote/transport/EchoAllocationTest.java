package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.ResourceLeakDetector;
import java.lang.management.ManagementFactory;
import java.net.SocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a warm loop allocates, beyond pooled buffers, for 64 bytes that go there and back, both ends being its own. */
@Timeout(120)
class EchoAllocationTest {
    /** A compilation may come between, and late on a busy machine: it is waited for. */
    private static final long MOST_NANOS = 25_000_000_000L;
    private static final int WARM_UP = 40_000;
    private static final int ECHOES = 10_000;
    private static final int NOTHING = 2;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();

    @BeforeEach
    void withoutSamplesOfLeaks() {
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "the JVM counts no allocations");
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterEach
    void withSamples() {
        ResourceLeakDetector.setLevel(level);
    }

    /** Sends back what comes, in pieces, and counts it. */
    private static final class Player extends ChannelInboundHandlerAdapter {
        private final int pieces;
        volatile int bytesLeft;
        volatile CountDownLatch done;

        Player(int pieces) {
            this.pieces = pieces;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (done != null) {
                bytesLeft -= buffer.readableBytes();
                if (bytesLeft <= 0) {
                    buffer.release();
                    CountDownLatch waiting = done;
                    done = null;
                    waiting.countDown();
                    return;
                }
            }
            for (int i = 1; i < pieces; i++) {
                ctx.write(buffer.readRetainedSlice(buffer.readableBytes() / 2), ctx.voidPromise());
            }
            ctx.write(buffer, ctx.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }
    }

    private long perEcho(IoHandlerFactory factory, Class<? extends ServerChannel> serverType,
            Class<? extends Channel> clientType, SocketAddress address, int pieces) throws Exception {
        var group = new MultiThreadIoEventLoopGroup(1, factory);
        var allocator = new PooledByteBufAllocator(true);
        try {
            Channel server = new ServerBootstrap().group(group).channel(serverType)
                    .childOption(ChannelOption.ALLOCATOR, allocator)
                    .childHandler(new Player(1)).bind(address).sync().channel();
            var player = new Player(pieces);
            Channel client = new Bootstrap().group(group).channel(clientType).handler(player)
                    .option(ChannelOption.ALLOCATOR, allocator).connect(server.localAddress()).sync()
                    .channel();
            long loop = client.eventLoop().submit(() -> Thread.currentThread().threadId()).get();
            echo(client, player, WARM_UP);
            long least = Long.MAX_VALUE;
            for (long begin = System.nanoTime(); least > NOTHING && System.nanoTime() - begin < MOST_NANOS;) {
                long before = threads.getThreadAllocatedBytes(loop);
                echo(client, player, ECHOES);
                least = Math.min(least, (threads.getThreadAllocatedBytes(loop) - before) / ECHOES);
            }
            return least;
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }

    private static void echo(Channel client, Player player, int times) throws InterruptedException {
        var done = new CountDownLatch(1);
        player.bytesLeft = 64 * times;
        player.done = done;
        client.writeAndFlush(client.alloc().directBuffer(64).writeZero(64));
        assertTrue(done.await(30, TimeUnit.SECONDS), "the echo ended");
    }

    private long ours(int pieces) throws Exception {
        return perEcho(KnoteIoHandler.newFactory(), KnoteServerSocketChannel.class, KnoteSocketChannel.class,
                Streams.loopback(), pieces);
    }

    @Test
    void anEchoOverTcpAllocatesNothingNorMoreThanOnNio() throws Exception {
        long ours = ours(1);
        long nio = perEcho(NioIoHandler.newFactory(), NioServerSocketChannel.class, NioSocketChannel.class,
                Streams.loopback(), 1);
        assertTrue(ours <= NOTHING && ours <= Math.max(nio, NOTHING), ours + " bytes; NIO " + nio);
    }

    @Test
    void severalBuffersInOneWriteAllocateNoMoreThanOnNio() throws Exception {
        long ours = ours(3);
        long nio = perEcho(NioIoHandler.newFactory(), NioServerSocketChannel.class, NioSocketChannel.class,
                Streams.loopback(), 3);
        assertTrue(ours <= Math.max(nio, NOTHING), ours + " bytes; NIO " + nio);
    }

    @Test
    void anEchoOverADomainSocketAllocatesNothing() throws Exception {
        String name = "\0knote-allocation-" + ProcessHandle.current().pid();
        long ours = perEcho(KnoteIoHandler.newFactory(), KnoteServerDomainSocketChannel.class,
                KnoteDomainSocketChannel.class, new DomainSocketAddress(name), 1);
        assertTrue(ours <= NOTHING, ours + " bytes");
    }
}
