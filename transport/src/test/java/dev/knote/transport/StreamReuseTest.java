package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.UnixChannel;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Numbers of fds are used again at once: nothing of one connection may reach the next. */
@Timeout(120)
class StreamReuseTest {
    private static final int CONNECTIONS = "full".equals(System.getProperty("knote.stress")) ? 20_000 : 1_000;
    private static final int AT_ONCE = 20;

    private final Set<String> wrong = ConcurrentHashMap.newKeySet();
    private final AtomicInteger done = new AtomicInteger();

    /** Sends its number, closes when it came back, and has nothing more happen to it then. */
    private final class Caller extends ChannelInboundHandlerAdapter {
        private final int number;
        private final Semaphore slots;
        private boolean closed;

        Caller(int number, Semaphore slots) {
            this.number = number;
            this.slots = slots;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(Unpooled.copyInt(number));
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            int got = buffer.readableBytes() == 4 ? buffer.readInt() : -1;
            buffer.release();
            if (closed || got != number) {
                wrong.add(number + (closed ? " was closed, and" : "") + " got " + got);
            }
            closed = true;
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (!closed) {
                wrong.add(number + " was closed by the other side");
            }
            done.incrementAndGet();
            slots.release();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            wrong.add(number + ": " + cause);
        }
    }

    /** Sends a number back; now and then it closes first. */
    @ChannelHandler.Sharable
    private static final class Answerer extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.writeAndFlush(message).addListener(written -> {
                if (ThreadLocalRandom.current().nextInt(4) == 0) {
                    ctx.close();
                }
            });
        }
    }

    @Test
    void aThousandShortConnectionsKeepTheirBytesApart() throws Exception {
        try (Streams streams = new Streams(2)) {
            Channel server = Streams.bind(streams.server(new Answerer()));
            Semaphore slots = new Semaphore(AT_ONCE);
            Set<Integer> fds = new HashSet<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                assertTrue(slots.tryAcquire(Streams.DEADLINE_SECONDS, TimeUnit.SECONDS),
                        "a connection hangs");
                Channel client = streams.client(new Caller(i, slots)).connect(server.localAddress())
                        .channel();
                fds.add(((UnixChannel) client).fd().intValue());
            }
            Streams.await("the end of all", () -> done.get() == CONNECTIONS);
            assertEquals(Set.of(), wrong);
            assertTrue(fds.size() < CONNECTIONS / 4, "numbers were not used again: " + fds.size());
        }
    }
}
