package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.SharedMemory;
import dev.knote.linux.Futex;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the loop allocates for an event of a word: the event's object, and for who overrides it nothing. */
@Timeout(120)
class MemoryWordAllocationTest extends WordFixture {
    private static final int EVENTS = 5_000;
    /** Until it is compiled, and neither the compiler nor the loop's own housekeeping comes in between. */
    private static final int MOST_ROUNDS = 20;
    private static final long MOST_NANOS = 60_000_000_000L;
    /** Of a MemoryWordEvent: a header, three references, a long, two ints; and some room for what others do. */
    private static final long OBJECT = 48;
    private static final long NOTHING = 2;

    private final AtomicLong count = new AtomicLong();

    @Test
    void anEventOfAHandlerIsItsObject() throws Exception {
        channel(new MemoryWordHandler().watch("word", address(1)), new Counter());
        assertAllocates(OBJECT);
    }

    @Test
    void aHandlerThatOverridesTheEventAllocatesNothing() throws Exception {
        channel(new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                count.incrementAndGet();
            }
        }.watch("word", address(1)));
        assertAllocates(NOTHING);
    }

    @Test
    void aReadOfAChannelIsItsObject() throws Exception {
        new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(new Counter())
                .connect(address(1)).sync();
        onLoop(() -> null);
        assertAllocates(OBJECT);
    }

    private final class Counter extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            count.incrementAndGet();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            count.incrementAndGet();
        }
    }

    private void assertAllocates(long mostPerEvent) throws Exception {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long loop = onLoop(() -> Thread.currentThread().threadId());
        long begin = System.nanoTime();
        long least = Long.MAX_VALUE;
        for (int round = 0; least > mostPerEvent && round < MOST_ROUNDS
                && System.nanoTime() - begin < MOST_NANOS; round++) {
            long before = threads.getThreadAllocatedBytes(loop);
            exchange(EVENTS);
            least = Math.min(least, (threads.getThreadAllocatedBytes(loop) - before) / EVENTS);
        }
        long found = least;
        assertTrue(found <= mostPerEvent, () -> found + " bytes an event");
    }

    private void exchange(int events) {
        for (int i = 0; i < events; i++) {
            long before = count.get();
            SharedMemory.add32(word(1), 1);
            Futex.wake(word(1).address(), 1);
            long end = System.nanoTime() + 10_000_000_000L;
            while (count.get() == before) {
                Thread.yield();
                assertTrue(System.nanoTime() - end < 0, "an event was lost");
            }
        }
    }
}
