package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Native;
import dev.knote.transport.socket.Memory;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Loops, servers and connections for tests; closed with everything on them. */
final class Streams implements AutoCloseable {
    static final long DEADLINE_SECONDS = 60;

    final MultiThreadIoEventLoopGroup group;

    Streams(int loops) {
        group = new MultiThreadIoEventLoopGroup(loops, new DefaultThreadFactory("streams", true),
                KnoteIoHandler.newFactory());
    }

    ServerBootstrap server(ChannelHandler child) {
        return server(KnoteServerSocketChannel::new, child);
    }

    ServerBootstrap domainServer(ChannelHandler child) {
        return server(KnoteServerDomainSocketChannel::new, child);
    }

    ServerBootstrap server(ChannelFactory<? extends ServerChannel> factory, ChannelHandler child) {
        return new ServerBootstrap().group(group).channelFactory(factory).childHandler(child);
    }

    Bootstrap client(ChannelHandler handler) {
        return new Bootstrap().group(group).channel(KnoteSocketChannel.class).handler(handler);
    }

    Bootstrap domainClient(ChannelHandler handler) {
        return new Bootstrap().group(group).channel(KnoteDomainSocketChannel.class).handler(handler);
    }

    static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    static Channel bind(ServerBootstrap server) {
        return bind(server, loopback());
    }

    static Channel bind(ServerBootstrap server, SocketAddress address) {
        return server.bind(address).syncUninterruptibly().channel();
    }

    /** Registers a channel that somebody made. */
    <C extends Channel> C register(C channel, ChannelHandler handler) {
        channel.pipeline().addLast(handler);
        group.register(channel).syncUninterruptibly();
        return channel;
    }

    /** Two connected sockets: of socketpair(2), AF_UNIX. */
    static int[] socketPair() {
        int number = "amd64".equals(System.getProperty("os.arch")) ? 53 : 199;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fds = arena.allocate(8, 8);
            long result = Native.syscall(number, 1, 1 | 0x80000, 0, fds.address(), 0, 0);
            assertTrue(result == 0, "socketpair: " + result);
            return new int[] {Memory.getInt(fds.address()), Memory.getInt(fds.address() + 4)};
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what);
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(10, DEADLINE_SECONDS * 1000, TimeUnit.MILLISECONDS).syncUninterruptibly();
    }

    /** What one or several channels say, in order: bytes, the names of events. */
    @ChannelHandler.Sharable
    static final class Record extends ChannelInboundHandlerAdapter {
        final BlockingQueue<String> events = new LinkedBlockingQueue<>();
        final BlockingQueue<Channel> active = new LinkedBlockingQueue<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            active.add(ctx.channel());
            ctx.fireChannelActive();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            byte[] got = new byte[buffer.readableBytes()];
            buffer.readBytes(got);
            buffer.release();
            synchronized (bytes) {
                bytes.writeBytes(got);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            events.add(event.getClass().getSimpleName());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            events.add("inactive");
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            events.add(cause.getClass().getSimpleName() + ": " + cause.getMessage());
        }

        byte[] bytes() {
            synchronized (bytes) {
                return bytes.toByteArray();
            }
        }

        int count() {
            synchronized (bytes) {
                return bytes.size();
            }
        }

        String text() {
            return new String(bytes(), java.nio.charset.StandardCharsets.US_ASCII);
        }

        String nextEvent() throws InterruptedException {
            String event = events.poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
            assertTrue(event != null, "no event");
            return event;
        }

        Channel nextActive() throws InterruptedException {
            Channel channel = active.poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
            assertTrue(channel != null, "no channel became active");
            return channel;
        }
    }

    /** Sends back what comes. */
    @ChannelHandler.Sharable
    static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.write(message, ctx.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }
    }
}
