package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Words of which only changes count. */
@Timeout(60)
class MemoryWordChangesTest extends WordFixture {
    private static final int EXCHANGES = 5_000;
    /** As many as there is time for, on a busy machine. */
    private static final long MOST_NANOS = 5_000_000_000L;

    private final Recorder seen = new Recorder();

    private MemoryWordHandler changes(int line) {
        return new MemoryWordHandler().watch("word", address(line).onlyChanges());
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void changesAreEventsAndWakesWithoutAChangeAreNone(int bytes) throws Exception {
        MemorySegment word = memory.segment().asSlice(128, bytes);
        var address = MemoryWordAddress.of(word).onlyChanges();
        channel(new MemoryWordHandler().watch("mine", address), seen);
        for (long value : new long[] {1, -1, bytes == 8 ? Long.MIN_VALUE + 1 : Integer.MIN_VALUE, 0}) {
            change(word, value);
            assertEquals(new MemoryWordEvent("mine", 0, address, value, 0), seen.next());
            await(() -> waiters(word) == 1, "the word to be armed again");
            await(() -> waiters(word) == 1, "the word to be armed again after a wake without a change");
        }
        onLoop(() -> null);
        seen.assertNothing();
    }

    @Test
    void aChangeWhileAHandlerRunsIsSeenWithoutItsWake() throws Exception {
        channel(new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                if (value == 1) {
                    SharedMemory.store32(word(1), 2);
                }
                super.wordChanged(ctx, index, value, merged);
            }
        }.watch("word", address(1).onlyChanges()), seen);
        change(word(1), 1);
        assertEquals(1, seen.next().value());
        assertEquals(2, seen.next().value());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noneOfManyExchangesIsLost(boolean spinning) throws Exception {
        var options = spinning ? Options.defaults().spin(Duration.ofMillis(1)) : Options.defaults();
        IoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory(() -> options));
        IoEventLoopGroup first = group;
        group = loop;
        try {
            channel(new MemoryWordHandler() {
                @Override
                protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                    SharedMemory.store32(word(2), (int) value);
                }
            }.watch("word", address(1).onlyChanges()));
            long begin = System.nanoTime();
            for (int i = 1; i <= EXCHANGES && System.nanoTime() - begin < MOST_NANOS; i++) {
                int value = i;
                change(word(1), value);
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
                while (SharedMemory.load32(word(2)) != value) {
                    assertTrue(System.nanoTime() < end, () -> "no answer to " + value);
                    Thread.yield();
                }
            }
        } finally {
            loop.shutdownGracefully(0, SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
            group = first;
        }
    }

    @Test
    void whoWantsEveryWakeHearsEveryWakeOfTheSameWord() throws Exception {
        channel(changes(1), seen);
        change(word(1), 5);
        assertEquals(5, seen.next().value());
        Recorder every = new Recorder();
        channel(new MemoryWordHandler().watch("every", address(1)), every);
        for (int i = 0; i < 3; i++) {
            change(word(1), 5);
            assertEquals(5, every.next().value());
        }
        change(word(1), 6);
        assertEquals(6, every.next().value());
        assertEquals(6, seen.next().value());
        onLoop(() -> null);
        seen.assertNothing();
    }

    @Test
    void aHandlerThatIsRemovedByItsEventLeavesNoWaiter() throws Exception {
        channel(new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                ctx.pipeline().remove(this);
                super.wordChanged(ctx, index, value, merged);
            }
        }.watch("word", address(1).onlyChanges()), seen);
        change(word(1), 1);
        seen.next();
        onLoop(() -> null);
        onLoop(() -> null);
        assertEquals(0, waiters(word(1)));
        channel(changes(1), seen);
        change(word(1), 2);
        assertEquals(2, seen.next().value());
    }

    @Test
    void memoryThatGoesAwayWhileItsHandlerRunsIsAnException() throws Exception {
        Arena arena = Arena.ofShared();
        MemorySegment word = arena.allocate(64, 64).asSlice(0, 4);
        channel(new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                arena.close();
            }
        }.watch("gone", MemoryWordAddress.of(word).onlyChanges()), changes(2), seen);
        change(word, 1);
        assertEquals(Errno.EFAULT, ((KeventException) seen.error().getCause()).errno());
        change(word(2), 1);
        assertEquals(1, seen.next().value());
    }

    @Test
    void aChannelReadsChanges() throws Exception {
        var channel = new MemoryWordChannel();
        channel.pipeline().addLast(seen);
        register(channel, group).sync();
        channel.connect(address(1).onlyChanges()).sync();
        change(word(1), 3);
        assertEquals(3, seen.next().value());
        await(() -> waiters(word(1)) == 1, "the word to be armed again");
        change(word(1), 4);
        assertEquals(4, seen.next().value());
        channel.close().sync();
        seen.assertNothing();
    }

    @Test
    void itIsAnotherAddress() {
        assertNotEquals(address(1), address(1).onlyChanges());
        assertEquals(address(1).onlyChanges().privately(), address(1).privately().onlyChanges());
        assertTrue(address(1).onlyChanges().toString().endsWith("/4/changes"));
    }
}
