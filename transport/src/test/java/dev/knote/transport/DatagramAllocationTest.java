package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.DatagramPacket;
import io.netty.util.ResourceLeakDetector;
import java.lang.management.ManagementFactory;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An echo on a warm loop makes the two packets that Netty's users see, and nothing else. */
@Timeout(120)
class DatagramAllocationTest {
    /** A compilation may come between, and late on a busy machine: it is waited for. */
    private static final long MOST_NANOS = 25_000_000_000L;
    private static final int WARM_UP = 60_000;
    private static final int MESSAGES = 20_000;
    private static final int PACKETS = 48;
    private static final int MOST = PACKETS + 2;

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var packet = (DatagramPacket) message;
            context.write(new DatagramPacket(packet.content(), packet.sender()), context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }
    }

    @Test
    void anEchoedDatagramLeavesNothingBehindButItsPackets() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "the JVM counts no allocations");
        ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED); // whose samples are garbage
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try (DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            Channel server = new Bootstrap().group(group).channel(KnoteDatagramChannel.class)
                    .handler(new Echo())
                    .option(ChannelOption.ALLOCATOR, new PooledByteBufAllocator(true))
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).sync().channel();
            long loop = server.eventLoop().submit(() -> Thread.currentThread().threadId()).get();
            client.setSoTimeout(20_000);
            client.connect(server.localAddress());
            echo(client, WARM_UP);
            long least = Long.MAX_VALUE;
            for (long begin = System.nanoTime(); least > MOST && System.nanoTime() - begin < MOST_NANOS;) {
                long before = threads.getThreadAllocatedBytes(loop);
                echo(client, MESSAGES);
                least = Math.min(least, (threads.getThreadAllocatedBytes(loop) - before) / MESSAGES);
            }
            assertTrue(least <= MOST, least + " bytes a datagram");
        } finally {
            ResourceLeakDetector.setLevel(level);
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
        }
    }

    private static void echo(DatagramSocket client, int messages) throws Exception {
        var packet = new java.net.DatagramPacket(new byte[64], 64);
        for (int i = 0; i < messages; i++) {
            client.send(packet);
            client.receive(packet);
        }
    }
}
