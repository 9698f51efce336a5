package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import java.io.IOException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers that wait, while they read, until what was flushed before has been answered: elsewhere that works. */
@Timeout(120)
class SendWatchTest {
    private static final int FEW = 8;
    private static final long WAIT_SECONDS = 20;

    /** What is answered so many times, and who waits for it. */
    private final CountDownLatch answered = new CountDownLatch(1);
    private final ConcurrentLinkedQueue<Boolean> inTime = new ConcurrentLinkedQueue<>();

    private void waitForAnswer() {
        try {
            inTime.add(answered.await(WAIT_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static ByteBuf bytes(ChannelHandlerContext ctx, int from, int count) {
        ByteBuf buffer = ctx.alloc().directBuffer(count);
        for (int i = 0; i < count; i++) {
            buffer.writeByte(at(from + i));
        }
        return buffer;
    }

    private static byte at(int offset) {
        return (byte) (offset + (offset >>> 8) * 5);
    }

    private static void expect(Crowd crowd, int number, int from, int count) throws IOException {
        byte[] expected = new byte[count];
        for (int i = 0; i < count; i++) {
            expected[i] = at(from + i);
        }
        assertArrayEquals(expected, crowd.input(number).readNBytes(count), "bytes for " + number);
    }

    private void assertInTime(int times) throws InterruptedException {
        Streams.await("all have waited", () -> inTime.size() == times);
        assertTrue(inTime.stream().allMatch(Boolean::valueOf), "the answers came while the handlers waited");
    }

    @Test
    void aHandlerMayWaitForTheAnswerToWhatItHasFlushedItself() throws Exception {
        try (Crowd crowd = new Crowd(1)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(bytes(ctx, 0, 10));
                waitForAnswer();
            };
            crowd.together();
            expect(crowd, 0, 0, 10);
            answered.countDown();
            assertInTime(1);
        }
    }

    @Test
    void aHandlerMayWaitForTheAnswersToWhatAllOthersHaveFlushed() throws Exception {
        var acted = new AtomicInteger();
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < 3; i++) { // the later ones while the first waits already
                    ctx.writeAndFlush(bytes(ctx, 10 * i, 10));
                }
                if (acted.incrementAndGet() == FEW) {
                    waitForAnswer();
                }
            };
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, 30);
            }
            answered.countDown();
            assertInTime(1);
        }
    }

    @Test
    void aHandlerMayWaitTwiceAndForManyPieces() throws Exception {
        int pieces = 100;
        var second = new CountDownLatch(1);
        try (Crowd crowd = new Crowd(2)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < pieces; i++) {
                    ctx.write(bytes(ctx, 10 * i, 10));
                }
                ctx.flush();
                waitForAnswer();
                ctx.writeAndFlush(bytes(ctx, 10 * pieces, 10));
                try {
                    inTime.add(second.await(WAIT_SECONDS, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                ctx.writeAndFlush(bytes(ctx, 10 * pieces + 10, 10));
            };
            crowd.together(1, () -> {});
            expect(crowd, 1, 0, 10 * pieces);
            answered.countDown();
            expect(crowd, 1, 10 * pieces, 10);
            second.countDown();
            expect(crowd, 1, 10 * pieces + 10, 10);
            assertInTime(2);
        }
    }

    @Test
    void aHandlerThatComputesForLongDoesNotKeepTheAnswersOfOthers() throws Exception {
        var acted = new AtomicInteger();
        try (Crowd crowd = new Crowd(FEW)) {
            crowd.action = (ctx, number) -> {
                ctx.writeAndFlush(bytes(ctx, 0, 10));
                if (acted.incrementAndGet() == FEW) {
                    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
                    while (answered.getCount() > 0 && System.nanoTime() < end) {
                        Thread.onSpinWait();
                    }
                    inTime.add(answered.getCount() == 0);
                }
            };
            crowd.together();
            for (int i = 0; i < FEW; i++) {
                expect(crowd, i, 0, 10);
            }
            answered.countDown();
            assertInTime(1);
        }
    }

    @Test
    void whatFindsNoRoomWhileAHandlerWaitsIsSentToItsEndLater() throws Exception {
        int size = 20_000;
        int times = 400; // more than two sockets hold
        var results = new ConcurrentLinkedQueue<ChannelFuture>();
        try (Crowd crowd = new Crowd(1)) {
            crowd.action = (ctx, number) -> {
                int from = results.size() * size;
                results.add(ctx.writeAndFlush(bytes(ctx, from, size)));
                if (results.size() % 20 == 0) { // long enough for the watch, and then the next
                    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(30);
                    while (System.nanoTime() < end) {
                        Thread.onSpinWait();
                    }
                }
            };
            for (int i = 0; i < times; i++) {
                crowd.together();
                crowd.settle();
            }
            expect(crowd, 0, 0, times * size);
            Streams.await("all promises are kept",
                    () -> results.stream().filter(ChannelFuture::isSuccess).count() == times);
        }
    }

    @Test
    void whatAHandlerHasFlushedForAPeerThatIsGoneFails() throws Exception {
        var results = new ConcurrentLinkedQueue<ChannelFuture>();
        try (Crowd crowd = new Crowd(2)) {
            crowd.action = (ctx, number) -> {
                for (int i = 0; i < 2; i++) {
                    ChannelHandlerContext each = crowd.contexts.get(i);
                    results.add(each.writeAndFlush(bytes(each, 0, 10)));
                }
                waitForAnswer();
            };
            crowd.together(1, () -> {
                try {
                    crowd.clients[0].setSoLinger(true, 0);
                    crowd.clients[0].close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            expect(crowd, 1, 0, 10);
            answered.countDown();
            assertInTime(1);
            crowd.settle();
            assertTrue(results.remove().await().cause() instanceof IOException, "told as failed");
            assertTrue(results.remove().await().isSuccess(), "told as sent");
            assertTrue(crowd.contexts.get(0).channel().closeFuture().await(60_000), "it is closed");
            assertEquals(1, inTime.size());
        }
    }
}
