package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of connections on one loop at once; their other ends are on one loop of another process. */
@Timeout(240)
class CrowdTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int WANTED = FULL ? 10_000 : 2_000;
    /** What else a process has open. */
    private static final int OTHER_FDS = 200;

    @TempDir
    Path directory;

    /** Sends back what comes, and counts. */
    @ChannelHandler.Sharable
    private static final class Server extends ChannelInboundHandlerAdapter {
        final Set<Channel> open = ConcurrentHashMap.newKeySet();
        final AtomicLong bytes = new AtomicLong();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            open.add(ctx.channel());
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            bytes.addAndGet(((ByteBuf) message).readableBytes());
            ctx.write(message, ctx.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            open.remove(ctx.channel());
        }
    }

    @Test
    void oneLoopServesThousandsOfConnectionsAtOnce() throws Exception {
        int connections = (int) Math.min(WANTED, Processes.fdLimit() - OTHER_FDS);
        if (connections < WANTED) {
            System.out.println("only " + connections + " connections, as no more fds are allowed");
        }
        Server server = new Server();
        try (Streams streams = new Streams(1)) {
            Channel listening = Streams.bind(streams.server(server).option(ChannelOption.SO_BACKLOG, 4096),
                    new InetSocketAddress("0.0.0.0", 0));
            int before = Processes.sockets();
            long heap = Processes.heap();
            long resident = Processes.resident();
            long begin = System.nanoTime();
            int port = ((InetSocketAddress) listening.localAddress()).getPort();
            try (Changer clients = Changer.jvm(directory, CrowdClients.class, List.of(),
                    Integer.toString(port), Integer.toString(connections))) {
                await(clients, () -> server.bytes.get() == (long) connections * CrowdClients.BYTES);
                assertEquals(connections, server.open.size(), "connections at once");
                assertEquals(before + connections, Processes.sockets());
                tell(connections, begin, Processes.heap() - heap, Processes.resident() - resident);
                server.open.stream().limit(connections / 2).forEach(Channel::close); // the client the rest
                clients.join(Duration.ofSeconds(120)); // whose last ends may not have been seen yet
                Streams.await("each end is seen", server.open::isEmpty);
            }
            Streams.await("all sockets closed", () -> Processes.sockets() == before);
        }
    }

    private static void await(Changer clients, java.util.function.BooleanSupplier condition) {
        long end = System.nanoTime() + 200_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(clients.isAlive() || condition.getAsBoolean(),
                    () -> "clients ended: " + clients.said());
            assertTrue(System.nanoTime() < end, () -> "clients said: " + clients.said());
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    private static void tell(int connections, long begin, long heap, long resident) {
        if (FULL) {
            System.out.printf(
                    "%d connections, %.1f s with the other process; each: heap %d, resident %d bytes%n",
                    connections, (System.nanoTime() - begin) / 1e9, heap / connections,
                    resident / connections);
        }
    }
}
