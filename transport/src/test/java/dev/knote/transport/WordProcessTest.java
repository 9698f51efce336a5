package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Another process changes a word and wakes its waiters. It goes on when its last value has been answered, so that one
 * change missed stops it, whether it is one of many or the only one.
 */
@Timeout(400)
class WordProcessTest extends WordFixture {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int CHANGES = FULL ? 1_000_000 : 20_000;

    @TempDir
    static Path temp;

    /** Who answers. */
    enum Receiver {
        HANDLER, CHANNEL, VIRTUAL_THREAD
    }

    /** Looks at the values that come: they never go back, and in single steps none is left out. */
    private static final class Values {
        final int burst;
        final AtomicReference<String> wrong = new AtomicReference<>();
        volatile long last;
        long events;

        Values(int burst) {
            this.burst = burst;
        }

        void note(long value) {
            events++;
            if (value < last || burst == 1 && value > last + 1) {
                wrong.compareAndSet(null, value + " after " + last);
            }
            last = value;
        }
    }

    @ParameterizedTest(name = "{0} changes, {1} answers")
    @CsvSource({"C, HANDLER", "C, CHANNEL", "C, VIRTUAL_THREAD", "JVM, HANDLER", "JVM, CHANNEL",
            "JVM, VIRTUAL_THREAD"})
    void theLastOfManyChangesIsAlwaysSeen(String kind, Receiver receiver) throws Exception {
        exchange(kind, receiver, CHANGES, 20);
    }

    @ParameterizedTest(name = "{0} changes, {1} answers")
    @CsvSource({"C, HANDLER", "C, CHANNEL", "C, VIRTUAL_THREAD", "JVM, HANDLER", "JVM, CHANNEL",
            "JVM, VIRTUAL_THREAD"})
    void everyChangeIsSeenOneAtATime(String kind, Receiver receiver) throws Exception {
        exchange(kind, receiver, CHANGES, 1);
    }

    private void exchange(String kind, Receiver receiver, int changes, int burst) throws Exception {
        int bytes = kind.equals("C") ? Integer.BYTES : Long.BYTES;
        MemorySegment word = memory.segment().asSlice(SharedMemory.LINE, bytes);
        MemorySegment answer = memory.segment().asSlice(2 * SharedMemory.LINE, bytes);
        var values = new Values(burst);
        receive(receiver, values, word, answer, changes);
        String[] arguments = {memory.path().toString(), "exchange", "" + bytes * 8, "" + changes, "" + burst};
        long begin = System.nanoTime();
        try (Changer changer = kind.equals("C") ? Changer.c(temp, arguments)
                : Changer.jvm(temp, Changer.class, List.of(), arguments)) {
            changer.join(Duration.ofSeconds(380));
        }
        assertNull(values.wrong.get());
        assertEquals(changes, values.last);
        assertTrue(burst > 1 || values.events >= changes, "events: " + values.events);
        if (FULL) {
            System.out.printf("%s, %s: %d changes, up to %d at once: %d events, %.2f s%n", kind, receiver,
                    changes, burst, values.events, (System.nanoTime() - begin) / 1e9);
        }
    }

    private void receive(Receiver receiver, Values values, MemorySegment word, MemorySegment answer,
            long lastValue) throws Exception {
        switch (receiver) {
            case HANDLER -> channel(
                    new MemoryWordHandler().watch("word", MemoryWordAddress.of(word)),
                    new Answerer(values, value -> change(answer, value)));
            case CHANNEL -> {
                Channel out = new Bootstrap().group(group).channel(MemoryWordChannel.class)
                        .option(ChannelOption.AUTO_READ, false).handler(new ChannelInboundHandlerAdapter())
                        .connect(MemoryWordAddress.of(answer)).sync().channel();
                new Bootstrap().group(group).channel(MemoryWordChannel.class)
                        .handler(new Answerer(values, value -> out.writeAndFlush(MemoryWordOp.set(value))))
                        .connect(MemoryWordAddress.of(word)).sync();
            }
            case VIRTUAL_THREAD -> Thread.ofVirtual().start(() -> {
                try {
                    while (values.last < lastValue) {
                        long value = MemoryWords.await(word, values.last, Duration.ofSeconds(20));
                        values.note(value);
                        change(answer, value);
                    }
                } catch (Exception e) {
                    values.wrong.set(e.toString());
                }
            });
        }
    }

    private static final class Answerer extends ChannelInboundHandlerAdapter {
        private final Values values;
        private final LongConsumer answer;

        Answerer(Values values, LongConsumer answer) {
            this.values = values;
            this.answer = answer;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            take((MemoryWordEvent) event);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            take((MemoryWordEvent) message);
        }

        private void take(MemoryWordEvent event) {
            values.note(event.value());
            answer.accept(event.value());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            values.wrong.set(cause.toString());
        }
    }
}
