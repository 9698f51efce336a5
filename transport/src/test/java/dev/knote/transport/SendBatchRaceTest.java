package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.SocketException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Channels that flush, close, end their output, close each other, move to another loop and keep theirs waiting, at random
 * and in the same turn: each peer gets what was told as sent, in order, once, and nothing else.
 */
@Timeout(300)
class SendBatchRaceTest {
    private static final int MEMBERS = 40;
    private static final int ROUNDS = "full".equals(System.getProperty("knote.stress")) ? 2000 : 60;
    private static final int MOST_BYTES = 4000;
    /** For another thread to send meanwhile. */
    private static final int LONG_ENOUGH_NANOS = 20_000_000;

    private final AtomicIntegerArray written = new AtomicIntegerArray(MEMBERS);
    private final AtomicIntegerArray sent = new AtomicIntegerArray(MEMBERS);
    private final AtomicIntegerArray failed = new AtomicIntegerArray(MEMBERS);
    private final AtomicIntegerArray open = new AtomicIntegerArray(MEMBERS);

    private static byte at(int number, int offset) {
        return (byte) (number * 17 + offset + (offset >>> 8) * 5);
    }

    private ChannelFuture write(ChannelHandlerContext ctx, int number, int length) {
        ByteBuf buffer = ctx.alloc().directBuffer(length);
        int from = written.getAndAdd(number, length);
        for (int i = 0; i < length; i++) {
            buffer.writeByte(at(number, from + i));
        }
        return ctx.write(buffer).addListener(
                done -> (done.isSuccess() ? sent : failed).addAndGet(number, length));
    }

    private void act(Crowd crowd, Random random, ChannelHandlerContext ctx, int number) {
        for (int pieces = 1 + random.nextInt(20); pieces > 0; pieces--) {
            write(ctx, number, 1 + random.nextInt(MOST_BYTES));
        }
        ctx.flush();
        int other = random.nextInt(MEMBERS);
        switch (random.nextInt(40)) {
            case 0 -> close(ctx.channel(), number);
            case 1 -> close(crowd.contexts.get(other).channel(), other);
            case 2 -> write(ctx, number, 100).addListener(
                    done -> close(crowd.contexts.get(other).channel(), other));
            case 3 -> ((SocketChannel) ctx.channel()).shutdownOutput();
            case 4, 5 -> ctx.deregister().addListener(gone -> crowd.loop.register(ctx.channel()));
            case 6, 7, 8 -> {
                if (open.get(other) == 1 && crowd.contexts.get(other).executor().inEventLoop()) {
                    write(crowd.contexts.get(other), other, 300);
                    crowd.contexts.get(other).flush();
                }
            }
            case 9, 10 -> write(ctx, number, 50)
                    .addListener(done -> write(ctx, number, 2 * MOST_BYTES)).channel().flush();
            case 11 -> LockSupport.parkNanos(1 + random.nextInt(LONG_ENOUGH_NANOS));
            default -> {
            }
        }
        ctx.flush();
    }

    private void close(Channel channel, int number) {
        open.set(number, 0);
        channel.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void eachPeerGetsWhatWasToldAsSentInOrderAndOnce(long seed) throws Exception {
        Random random = new Random(seed);
        try (Crowd crowd = new Crowd(MEMBERS)) {
            for (int i = 0; i < MEMBERS; i++) {
                open.set(i, 1);
            }
            Reader[] readers = new Reader[MEMBERS];
            for (int i = 0; i < MEMBERS; i++) {
                readers[i] = new Reader(crowd, i);
                readers[i].start();
            }
            crowd.action = (ctx, number) -> act(crowd, random, ctx, number);
            for (int round = 0; round < ROUNDS; round++) {
                crowd.togetherIfOpen();
                crowd.settle();
            }
            for (int i = 0; i < MEMBERS; i++) {
                Channel channel = crowd.contexts.get(i).channel();
                Streams.await("registered again", () -> channel.isRegistered() || !channel.isOpen());
                channel.writeAndFlush(channel.alloc().buffer(0)); // behind everything else
                channel.close().sync();
            }
            for (int i = 0; i < MEMBERS; i++) {
                check(readers[i], i);
            }
        }
    }

    private void check(Reader reader, int number) throws InterruptedException {
        reader.join();
        assertNull(reader.wrong, "channel " + number);
        Streams.await("all promises are kept",
                () -> sent.get(number) + failed.get(number) == written.get(number));
        assertTrue(reader.wasReset || reader.got >= sent.get(number),
                "told as sent " + sent.get(number) + ", got " + reader.got);
        assertTrue(reader.got <= written.get(number), "more than was written");
        if (failed.get(number) == 0 && !reader.wasReset) {
            assertEquals(sent.get(number), reader.got, "channel " + number);
        }
    }

    private static final class Reader extends Thread {
        private final Crowd crowd;
        private final int number;
        volatile int got;
        volatile String wrong;
        volatile boolean wasReset;

        Reader(Crowd crowd, int number) {
            this.crowd = crowd;
            this.number = number;
            setDaemon(true);
        }

        @Override
        public void run() {
            byte[] room = new byte[65_536];
            try {
                var in = crowd.clients[number].getInputStream();
                for (int n; (n = in.read(room)) > 0;) {
                    for (int i = 0; i < n; i++) {
                        if (room[i] != at(number, got + i)) {
                            wrong = "another byte at " + (got + i);
                            return;
                        }
                    }
                    got += n;
                }
            } catch (SocketException reset) { // closed with bytes that it had not read
                wasReset = true;
            } catch (IOException e) {
                wrong = e.toString();
            }
        }
    }
}
