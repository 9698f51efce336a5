package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What many channels of a loop flush in one turn. */
@Timeout(120)
class SendBatchTest {
    private static final int MANY = 150;
    private static final int FEW = 8;

    /** The bytes that stand at {@code from} and behind it in what channel {@code number} sends. */
    private static byte[] bytes(int number, int from, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            int at = from + i;
            bytes[i] = (byte) (number * 31 + at + (at >>> 8) * 7);
        }
        return bytes;
    }

    private static ByteBuf direct(ChannelHandlerContext ctx, byte[] bytes) {
        return ctx.alloc().directBuffer(bytes.length).writeBytes(bytes);
    }

    private static void expect(Crowd crowd, int number, int from, int length) throws IOException {
        assertArrayEquals(bytes(number, from, length), crowd.input(number).readNBytes(length),
                "bytes of channel " + number);
    }

    private static void expectEnd(Crowd crowd, int number) throws IOException {
        assertEquals(-1, crowd.input(number).read(), "more for " + number);
    }

    @Test
    void eachPeerGetsWhatWasFlushedForItInOnePieceOrInMany() throws Exception {
        try (Crowd crowd = new Crowd(MANY)) {
            crowd.action = (ctx, number) -> {
                for (int piece = 0; piece <= number % 40; piece++) {
                    byte[] bytes = bytes(number, piece * 100, 100);
                    ctx.write(piece % 2 == 0 ? direct(ctx, bytes) : Unpooled.wrappedBuffer(bytes));
                }
                ctx.flush();
            };
            crowd.together();
            for (int i = 0; i < MANY; i++) {
                expect(crowd, i, 0, 100 * (i % 40 + 1));
            }
        }
    }

    @Test
    void whatOneChannelsHandlerFlushesForAllArrivesAtAll() throws Exception {
        try (Crowd crowd = new Crowd(MANY)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < MANY; i++) {
                    ChannelHandlerContext other = crowd.contexts.get(i);
                    other.writeAndFlush(direct(other, bytes(i, 0, 20)));
                    other.writeAndFlush(direct(other, bytes(i, 20, 30)));
                }
            };
            crowd.together(MANY - 1, () -> {});
            for (int i = 0; i < MANY; i++) {
                expect(crowd, i, 0, 50);
            }
        }
    }

    @Test
    void whatWasFlushedBeforeACloseOrTheEndOfOutputArrives() throws Exception {
        var results = new ConcurrentLinkedQueue<ChannelFuture>();
        try (Crowd crowd = new Crowd(MANY)) {
            crowd.action = (ctx, number) -> {
                results.add(ctx.writeAndFlush(direct(ctx, bytes(number, 0, 64))));
                if (number % 2 == 0) {
                    ctx.close();
                } else {
                    ((KnoteSocketChannel) ctx.channel()).shutdownOutput();
                }
            };
            crowd.together();
            for (int i = 0; i < MANY; i++) {
                expect(crowd, i, 0, 64);
                expectEnd(crowd, i);
            }
            crowd.settle();
            assertEquals(MANY, results.size());
            assertTrue(results.stream().allMatch(ChannelFuture::isSuccess), "each flush is told as sent");
        }
    }

    /** Netty's own transports have sent when flush returns, and call the listener of a promise that is kept at once. */
    @ParameterizedTest
    @ValueSource(ints = {1, MANY})
    void whatIsFlushedByAListenerArrivesThoughItClosesThen(int channels) throws Exception {
        var results = new ConcurrentLinkedQueue<ChannelFuture>();
        try (Crowd crowd = new Crowd(channels)) {
            crowd.action = (ctx, number) -> {
                var first = ctx.write(direct(ctx, bytes(number, 0, 64)));
                results.add(ctx.writeAndFlush(direct(ctx, bytes(number, 64, 64))));
                first.addListener(done -> {
                    results.add(ctx.writeAndFlush(direct(ctx, bytes(number, 128, 64))));
                    if (number % 2 == 0) {
                        ctx.close();
                    } else {
                        ((KnoteSocketChannel) ctx.channel()).shutdownOutput();
                    }
                });
            };
            crowd.together();
            for (int i = 0; i < channels; i++) {
                expect(crowd, i, 0, 192);
                expectEnd(crowd, i);
            }
            crowd.settle();
            assertEquals(2 * channels, results.size());
            assertTrue(results.stream().allMatch(ChannelFuture::isSuccess), "each flush is told as sent");
        }
    }

    @Test
    void aFlushThatIsToldAsSentIsSentAndOneThatIsToldAsFailedIsNotWhoeverClosesTheChannel()
            throws Exception {
        var results = new AtomicReferenceArray<ChannelFuture>(MANY);
        try (Crowd crowd = new Crowd(MANY)) {
            crowd.action = (ctx, number) -> {
                ChannelFuture sent = ctx.writeAndFlush(direct(ctx, bytes(number, 0, 64)));
                results.set(number, sent);
                if (number % 10 == 0) { // the nine behind it are in the same turn
                    sent.addListener(done -> {
                        for (int i = number + 1; i < number + 10; i++) {
                            crowd.contexts.get(i).close();
                        }
                    });
                }
            };
            crowd.together();
            for (int i = 0; i < MANY; i++) {
                int came = i % 10 == 0 ? crowd.input(i).readNBytes(64).length : countToEnd(crowd, i);
                crowd.settle();
                ChannelFuture result = results.get(i);
                assertEquals(result != null && result.isSuccess() ? 64 : 0, came, "channel " + i);
            }
        }
    }

    private static int countToEnd(Crowd crowd, int number) throws IOException {
        int count = 0;
        try {
            while (crowd.input(number).read() >= 0) {
                count++;
            }
        } catch (SocketException e) {
            assertEquals("Connection reset", e.getMessage()); // closed before it had read
        }
        return count;
    }

    @Test
    void aChannelThatLeavesItsLoopAfterAFlushSendsItOnceAndGoesOnElsewhere() throws Exception {
        var registered = new ConcurrentLinkedQueue<ChannelFuture>();
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(direct(ctx, bytes(number, 0, 64)));
                ctx.deregister().addListener(
                        gone -> registered.add(crowd.otherLoop().register(ctx.channel())));
            };
            crowd.together();
            Streams.await("all have moved", () -> registered.size() == FEW);
            for (ChannelFuture moved : registered) {
                moved.sync();
            }
            crowd.action = (ctx, number) -> ctx.writeAndFlush(direct(ctx, bytes(number, 64, 64)));
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, 128);
            }
        }
    }

    @Test
    void littleAndMuchStayInTheirOrder() throws Exception {
        int much = 300_000;
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(direct(ctx, bytes(number, 0, 10)));
                ctx.writeAndFlush(direct(ctx, bytes(number, 10, much)));
                ctx.writeAndFlush(direct(ctx, bytes(number, 10 + much, 10)));
            };
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, much + 20);
            }
        }
    }

    @Test
    void whatFindsNoRoomGoesOnWhenThereIsSome() throws Exception {
        int size = 16 * 1024;
        int times = 600;
        var sent = new int[FEW];
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(direct(ctx, bytes(number, sent[number], size)));
                sent[number] += size;
            };
            for (int i = 0; i < times; i++) {
                crowd.together();
                crowd.settle();
            }
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, times * size);
            }
        }
    }

    @Test
    void thePromisesOfAChannelAreKeptInTheirOrder() throws Exception {
        var done = new ConcurrentLinkedQueue<Integer>();
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < 3; i++) {
                    int mark = 10 * number + i;
                    ctx.writeAndFlush(direct(ctx, bytes(number, 50 * i, 50)))
                            .addListener(x -> done.add(mark));
                }
            };
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, 150);
            }
            Streams.await("all are kept", () -> done.size() == 3 * FEW);
            for (int i = 0; i < FEW; i++) {
                int number = i;
                List<Integer> ofOne = new ArrayList<>(
                        done.stream().filter(mark -> mark / 10 == number).toList());
                assertEquals(List.of(10 * i, 10 * i + 1, 10 * i + 2), ofOne);
            }
        }
    }

    @Test
    void aPeerThatIsGoneFailsItsOwnFlushAlone() throws Exception {
        var results = new AtomicReferenceArray<ChannelFuture>(FEW);
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < FEW; i++) {
                    ChannelHandlerContext other = crowd.contexts.get(i);
                    results.set(i, other.writeAndFlush(direct(other, bytes(i, 0, 64))));
                }
            };
            crowd.together(FEW - 1, () -> {
                for (int i = 0; i < FEW - 1; i += 2) {
                    reset(crowd, i);
                }
            });
            for (int i = 1; i < FEW; i += 2) {
                expect(crowd, i, 0, 64);
                crowd.settle();
                assertTrue(results.get(i).isSuccess(), "a peer that is there gets it");
            }
            for (int i = 0; i < FEW - 1; i += 2) {
                results.get(i).await();
                assertTrue(results.get(i).cause() instanceof IOException, "told: " + results.get(i));
                assertTrue(crowd.contexts.get(i).channel().closeFuture().await(60_000), "it is closed");
            }
        }
    }

    private static void reset(Crowd crowd, int number) {
        try {
            crowd.clients[number].setSoLinger(true, 0);
            crowd.clients[number].close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsFlushedWhenAChannelBecomesActiveDoesNotWaitForTheEndOfTheTurn() throws Exception {
        var came = new CountDownLatch(1);
        var inTime = new CompletableFuture<Boolean>();
        try (Streams streams = new Streams(1)) {
            Channel server = Streams.bind(streams.server(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelActive(ChannelHandlerContext ctx) throws InterruptedException {
                    ctx.writeAndFlush(direct(ctx, bytes(0, 0, 10)));
                    inTime.complete(came.await(30, TimeUnit.SECONDS));
                }
            }));
            var address = (InetSocketAddress) server.localAddress();
            try (Socket client = new Socket(address.getAddress(), address.getPort())) {
                assertEquals(10, client.getInputStream().readNBytes(10).length);
                came.countDown();
                assertTrue(inTime.get(60, TimeUnit.SECONDS), "it left while the handler ran");
            }
        }
    }

    @Test
    void anUnwritableChannelIsWritableAgainBeforeTheNextTurn() throws Exception {
        var pending = new ConcurrentLinkedQueue<Long>();
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(direct(ctx, bytes(number, 0, 40_000)));
                ctx.writeAndFlush(direct(ctx, bytes(number, 40_000, 40_000)));
                ctx.executor().execute(() -> pending.add(ctx.channel().bytesBeforeWritable()));
            };
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, 80_000);
            }
            Streams.await("all said", () -> pending.size() == FEW);
            assertTrue(pending.stream().allMatch(bytes -> bytes == 0), "nothing is left: " + pending);
        }
    }
}
