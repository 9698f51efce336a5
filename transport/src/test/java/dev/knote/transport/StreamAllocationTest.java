package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.transport.Streams.Echo;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.ResourceLeakDetector;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An echo on a warm loop makes no garbage: Netty's buffers are pooled, and there is nothing else. */
@Timeout(120)
class StreamAllocationTest {
    /** A compilation may come between, and late on a busy machine: it is waited for. */
    private static final long MOST_NANOS = 25_000_000_000L;
    private static final int WARM_UP = 60_000;
    private static final int MESSAGES = 20_000;
    private static final int MOST = 2;

    @Test
    void anEchoedMessageLeavesNothingBehind() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "the JVM counts no allocations");
        ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED); // whose samples are garbage
        try (Streams streams = new Streams(1)) {
            Channel server = Streams.bind(streams.server(new Echo())
                    .childOption(ChannelOption.ALLOCATOR, new PooledByteBufAllocator(true)));
            long loop = server.eventLoop().submit(() -> Thread.currentThread().threadId()).get();
            try (Socket socket = new Socket()) {
                socket.setTcpNoDelay(true);
                socket.connect(server.localAddress());
                echo(socket, WARM_UP);
                long least = Long.MAX_VALUE;
                for (long begin = System.nanoTime(); least > MOST
                        && System.nanoTime() - begin < MOST_NANOS;) {
                    long before = threads.getThreadAllocatedBytes(loop);
                    echo(socket, MESSAGES);
                    least = Math.min(least, (threads.getThreadAllocatedBytes(loop) - before) / MESSAGES);
                }
                assertTrue(least <= MOST, least + " bytes a message");
            }
        } finally {
            ResourceLeakDetector.setLevel(level);
        }
    }

    private static void echo(Socket socket, int messages) throws Exception {
        byte[] bytes = new byte[64];
        for (int i = 0; i < messages; i++) {
            socket.getOutputStream().write(bytes);
            assertTrue(socket.getInputStream().readNBytes(bytes, 0, 64) == 64);
        }
    }
}
