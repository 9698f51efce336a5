package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.transport.socket.SendRing;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The ring that sends for the channels of a turn fails in a way that nobody has foreseen. */
@Timeout(120)
class SendBatchFailureTest {
    private static final int CHANNELS = 8;
    private static final byte[] BYTES = "said once".getBytes();

    private final AtomicReferenceArray<ChannelFuture> sent = new AtomicReferenceArray<>(CHANNELS);
    private volatile Throwable failure;

    /** Breaks a field of the ring that the channel's loop has; runs on the loop. */
    private void breakRing(ChannelHandlerContext ctx, String field, Object value) {
        try {
            SendBatch batch = ((AbstractKnoteStreamChannel) ctx.channel()).loop().sends();
            Object ring = field(SendBatch.class, "ring").get(batch);
            field(SendRing.class, field).set(ring, value);
        } catch (Throwable t) {
            failure = t;
        }
    }

    /** From now on nobody else sends for the loop, as is done where a turn takes long. */
    private void leaveUnwatched(Crowd crowd) throws Exception {
        crowd.loop.submit(() -> {
            SendBatch batch = ((AbstractKnoteStreamChannel) crowd.contexts.get(0).channel()).loop().sends();
            if (field(SendBatch.class, "sends").get(batch) instanceof PostponedSends sends) {
                SendWatch.remove(sends);
            }
            return null;
        }).sync();
        Streams.await("the watch's end", () -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("knote-send-watch")));
    }

    private static Field field(Class<?> of, String name) throws NoSuchFieldException {
        Field field = of.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private void say(ChannelHandlerContext ctx, int number) {
        sent.set(number, ctx.writeAndFlush(Unpooled.directBuffer(16).writeBytes(BYTES)));
    }

    private void sayOnce(Crowd crowd) throws Exception {
        crowd.action = this::say;
        crowd.together();
        for (int i = 0; i < CHANNELS; i++) {
            assertEquals(BYTES.length, crowd.input(i).readNBytes(BYTES.length).length);
        }
    }

    /** All channels say something, then the ring breaks, then they all say it again in one turn. */
    private void breakBetween(Crowd crowd, String field, Object value) throws Exception {
        sayOnce(crowd);
        leaveUnwatched(crowd);
        crowd.loop.submit(() -> breakRing(crowd.contexts.get(0), field, value)).sync();
        assumeTrue(!(failure instanceof NullPointerException), "no ring here to break");
        assertEquals(null, failure);
        crowd.together();
        crowd.settle();
    }

    @Test
    void beforeItWasGivenAnythingEachChannelSendsByItselfNowAndLater() throws Exception {
        try (Crowd crowd = new Crowd(CHANNELS)) {
            breakBetween(crowd, "ring", null);
            crowd.together();
            for (int i = 0; i < CHANNELS; i++) {
                String twice = new String(crowd.input(i).readNBytes(2 * BYTES.length));
                assertEquals("said once".repeat(2), twice, "to peer " + i);
                assertEquals(0, crowd.input(i).available(), "more to peer " + i);
            }
            for (int i = 0; i < CHANNELS; i++) {
                assertTrue(sent.get(i).await().isSuccess());
            }
        }
    }

    @Test
    void whatItWasGivenFailsAndIsNotSentTwiceAndTheLoopGoesOn() throws Exception {
        try (Crowd crowd = new Crowd(CHANNELS)) {
            sayOnce(crowd);
            leaveUnwatched(crowd);
            for (int i = 0; i < CHANNELS; i++) {
                sent.set(i, null);
            }
            var broken = new AtomicBoolean();
            crowd.action = (ctx, number) -> {
                if (broken.compareAndSet(false, true)) {
                    breakRing(ctx, "results", new int[0]); // when all have received
                }
                say(ctx, number);
            };
            crowd.together();
            crowd.settle();
            assumeTrue(!(failure instanceof NullPointerException), "no ring here to break");
            int failed = 0;
            for (int i = 0; i < CHANNELS; i++) {
                int number = i;
                Streams.await("channel " + i + " is told", () -> isTold(crowd, number));
                boolean success = sent.get(i) != null && sent.get(i).isSuccess();
                failed += success ? 0 : 1;
                crowd.contexts.get(i).close();
                int came = countToEnd(crowd, i);
                assertTrue(came == BYTES.length || came == 0 && !success, came + " bytes for " + i);
            }
            assertTrue(failed > 1, "nobody knows whether it was sent");
            crowd.loop.submit(() -> {}).sync();
        }
    }

    /** Whether it was sent, or not; one that did not receive has nothing to say. */
    private boolean isTold(Crowd crowd, int number) {
        ChannelFuture result = sent.get(number);
        return result == null ? !crowd.contexts.get(number).channel().isOpen() : result.isDone();
    }

    @Test
    void whoWasToReceiveByItFailsAndTheOthersAndTheLoopGoOn() throws Exception {
        try (Crowd crowd = new Crowd(CHANNELS)) {
            breakBetween(crowd, "results", new int[0]);
            int failed = 0;
            for (int i = 0; i < CHANNELS; i++) {
                int number = i;
                Streams.await("channel " + i + " is told",
                        () -> !crowd.contexts.get(number).channel().isOpen() || available(crowd, number) > 0);
                failed += crowd.contexts.get(i).channel().isOpen() ? 0 : 1;
            }
            assertTrue(failed > 1, "nobody knows what was received");
            crowd.togetherIfOpen();
            crowd.settle();
        }
    }

    private static int available(Crowd crowd, int number) {
        try {
            return crowd.input(number).available();
        } catch (IOException e) {
            return 0;
        }
    }

    private static int countToEnd(Crowd crowd, int number) throws IOException {
        int count = 0;
        try {
            while (crowd.input(number).read() >= 0) {
                count++;
            }
        } catch (SocketException e) {
            assertEquals("Connection reset", e.getMessage());
        }
        return count;
    }
}
