package dev.knote.transport;

import dev.knote.Options;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** What comes and goes many times, and what a process has before and after it. */
final class LeakProgram {
    private static final int WARM_UP = 40;
    private static final int TIMES = 200;
    /** What the JVM itself may come to need meanwhile. One loop has 48 KiB. */
    private static final long SLACK_KIB = 1024;

    private LeakProgram() {}

    private interface Round {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "groups" -> check(LeakProgram::groupWithOpenChannels);
            case "refused" -> check(LeakProgram::optionsThatAreRefused);
            case "servers" -> {
                try (Streams streams = new Streams(2)) {
                    check(() -> serverClosedAmongConnects(streams));
                }
            }
            case "moves" -> {
                try (Streams streams = new Streams(2)) {
                    movesBetweenLoops(streams);
                }
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void check(Round round) throws Exception {
        for (int i = 0; i < WARM_UP; i++) {
            round.run();
        }
        System.gc();
        long threads = loops();
        long fds = Processes.fds() + threads; // each loop may come to have a ring to send by
        long memory = memory();
        for (int i = 0; i < TIMES; i++) {
            round.run();
        }
        Streams.await("more than the " + fds + " fds", () -> Processes.fds() <= fds);
        Streams.await("more than the " + threads + " loops", () -> loops() <= threads);
        Streams.await("more memory", () -> memory() - memory <= SLACK_KIB);
        System.out.println(memory() - memory + " KiB more");
    }

    private static long loops() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("streams") || thread.getName().contains("oop"))
                .count();
    }

    /** KiB that arenas and direct buffers have that are alive, as the JVM counts them. */
    private static long memory() {
        System.gc();
        try {
            String summary = (String) ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmNativeMemory",
                    new Object[] {new String[] {"summary"}}, new String[] {String[].class.getName()});
            Matcher other = Pattern.compile("Other \\(reserved=(\\d+)KB").matcher(summary);
            if (!other.find()) {
                throw new AssertionError(summary);
            }
            return Long.parseLong(other.group(1));
        } catch (JMException e) {
            throw new AssertionError(e);
        }
    }

    /** A group is shut down with a server, connections, and bytes that nobody reads, on it. */
    private static void groupWithOpenChannels() {
        try (Streams streams = new Streams(2)) {
            Channel server = Streams.bind(streams.server(new Silent())
                    .childOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                    .childOption(ChannelOption.AUTO_READ, false));
            for (int i = 0; i < 4; i++) {
                Channel client = streams.client(new Silent())
                        .option(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                        .connect(server.localAddress()).syncUninterruptibly().channel();
                client.writeAndFlush(UnpooledByteBufAllocator.DEFAULT.directBuffer(4096).writeZero(4096));
            }
            streams.group.shutdownGracefully(0, 60, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    /** Connections come while the server goes: each of them has an end, and none is left. */
    private static void serverClosedAmongConnects(Streams streams) {
        Channel server = Streams.bind(streams.server(new Silent()));
        List<ChannelFuture> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(streams.client(new Silent()).connect(server.localAddress()));
            if (i == 10) {
                server.close();
            }
        }
        server.closeFuture().syncUninterruptibly();
        for (ChannelFuture client : clients) {
            if (!client.awaitUninterruptibly(60, TimeUnit.SECONDS)) {
                throw new AssertionError("a connection was neither made nor refused");
            }
            client.channel().close().syncUninterruptibly();
        }
    }

    /** One connection, for ever from one loop to the other, has its bytes echoed on each. */
    private static void movesBetweenLoops(Streams streams) throws Exception {
        AtomicInteger got = new AtomicInteger();
        Channel server = Streams.bind(streams.server(new Streams.Echo()));
        Channel client = streams.client(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                got.addAndGet(((io.netty.buffer.ByteBuf) message).readableBytes());
                ((io.netty.buffer.ByteBuf) message).release();
            }
        }).connect(server.localAddress()).sync().channel();
        check(() -> {
            int before = got.get();
            client.writeAndFlush(Unpooled.wrappedBuffer(new byte[10]));
            client.deregister().sync();
            streams.group.register(client).sync();
            client.writeAndFlush(Unpooled.wrappedBuffer(new byte[10]));
            Streams.await("the echo", () -> got.get() == before + 20);
        });
    }

    /** Options that throw, a poller that there is not, a filter twice: only the factory's probe has better ones. */
    private static void optionsThatAreRefused() {
        List<Supplier<Options>> bad = List.of(() -> Options.defaults().poller("none"),
                () -> Options.defaults().filter(new SocketFilter()), LeakProgram::refuse);
        for (Supplier<Options> options : bad) {
            AtomicInteger calls = new AtomicInteger();
            var factory = KnoteIoHandler.newFactory(
                    () -> calls.incrementAndGet() == 1 ? Options.defaults() : options.get());
            MultiThreadIoEventLoopGroup group = null;
            try {
                group = new MultiThreadIoEventLoopGroup(1, factory);
            } catch (RuntimeException | Error e) {
                continue;
            } finally {
                if (group != null) {
                    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
                }
            }
            throw new AssertionError("options that cannot be had were taken");
        }
    }

    private static Options refuse() {
        throw new IllegalStateException("no options");
    }

    @ChannelHandler.Sharable
    private static final class Silent extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
