package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import dev.knote.linux.Futex;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalChannel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A loop, words of shared memory, and what a pipeline says of them. */
abstract class WordFixture {
    static final int SECONDS = 10;

    final SharedMemory memory = SharedMemory.anonymous(64 * SharedMemory.LINE);
    IoEventLoopGroup group;
    private final List<Channel> channels = new ArrayList<>();

    /** The last handler of a pipeline. */
    @ChannelHandler.Sharable
    static final class Recorder extends ChannelInboundHandlerAdapter {
        final BlockingQueue<MemoryWordEvent> events = new LinkedBlockingQueue<>();
        final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
        final BlockingQueue<String> life = new LinkedBlockingQueue<>();
        volatile Thread thread;

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            note(event);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            note(message);
        }

        private void note(Object event) {
            thread = Thread.currentThread();
            if (event instanceof MemoryWordEvent word) {
                events.add(word);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            errors.add(cause);
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            life.add("active");
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            life.add("inactive");
        }

        MemoryWordEvent next() throws InterruptedException {
            MemoryWordEvent event = events.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(event, () -> "no event of a word; errors: " + errors);
            return event;
        }

        /** Takes events until one has this value, which must come. */
        MemoryWordEvent until(long value) throws InterruptedException {
            MemoryWordEvent event = next();
            while (event.value() != value) {
                event = next();
            }
            return event;
        }

        MemoryWordException error() throws InterruptedException {
            Throwable error = errors.poll(SECONDS, TimeUnit.SECONDS);
            return assertInstanceOf(MemoryWordException.class, error);
        }

        void assertNothing() {
            assertEquals(0, events.size(), () -> "events: " + events);
            assertEquals(0, errors.size(), () -> "errors: " + errors);
        }
    }

    @BeforeEach
    void openLoop() {
        group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
    }

    @AfterEach
    void closeLoop() {
        for (Channel channel : channels) {
            if (!channel.eventLoop().isShuttingDown()) {
                channel.close().syncUninterruptibly();
            }
        }
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        memory.close();
    }

    MemorySegment word(int line) {
        return memory.word32(line);
    }

    MemoryWordAddress address(int line) {
        return MemoryWordAddress.of(word(line));
    }

    /** A channel on the loop that does nothing, with these handlers. */
    Channel channel(ChannelHandler... handlers) throws Exception {
        Channel channel = new LocalChannel();
        for (ChannelHandler handler : handlers) {
            channel.pipeline().addLast(handler);
        }
        channels.add(channel);
        register(channel, group).sync();
        onLoop(() -> null);
        return channel;
    }

    static ChannelFuture register(Channel channel, EventLoopGroup loops) {
        ChannelPromise promise = channel.newPromise();
        channel.unsafe().register(loops.next(), promise);
        return promise;
    }

    /** Runs it on the loop; what the loop was told before has been done when this returns. */
    <T> T onLoop(Callable<T> task) throws Exception {
        return group.next().submit(task).get(SECONDS, TimeUnit.SECONDS);
    }

    static void change(MemorySegment word, long value) {
        if (word.byteSize() == Integer.BYTES) {
            SharedMemory.store32(word, (int) value);
        } else {
            SharedMemory.store64(word, value);
        }
        Futex.wake(word.address(), Integer.MAX_VALUE);
    }

    /** How many wait for the word; they are woken. */
    static int waiters(MemorySegment word) {
        return Futex.wake(word.address(), Integer.MAX_VALUE);
    }

    static void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, () -> "waited in vain for " + what);
            LockSupport.parkNanos(200_000);
        }
    }
}
