package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Words of memory in the pipeline of any channel on the loop. */
@Timeout(60)
class MemoryWordHandlerTest extends WordFixture {
    private final Recorder seen = new Recorder();

    private MemoryWordHandler handler(int line) {
        return new MemoryWordHandler().watch("word " + line, address(line));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void aChangeThatIsWokenIsAnEventOnTheLoopWithTheValue(int bytes) throws Exception {
        MemorySegment word = memory.segment().asSlice(128, bytes);
        var address = MemoryWordAddress.of(word);
        channel(new MemoryWordHandler().watch("mine", address), seen);
        for (long value : new long[] {1, -1, bytes == 8 ? Long.MIN_VALUE + 1 : Integer.MIN_VALUE, 0}) {
            change(word, value);
            assertEquals(new MemoryWordEvent("mine", 0, address, value, 0), seen.next());
            assertTrue(group.next().inEventLoop(seen.thread));
        }
        onLoop(() -> null);
        seen.assertNothing();
    }

    @Test
    void aWakeWithoutAChangeIsAnEvent() throws Exception {
        channel(handler(1), seen);
        for (int i = 0; i < 3; i++) {
            change(word(1), 0);
            assertEquals(0, seen.next().value());
        }
    }

    @Test
    void privateWordsHearPrivateWakesAlone() throws Exception {
        channel(new MemoryWordHandler().watch("private", address(1).privately()), seen);
        assertEquals(0, waiters(word(1)), "waiters in the kernel");
        try (EventQueue any = EventQueue.open()) {
            any.wakePrivately(word(1), 1);
        }
        assertEquals("private", seen.next().name());
    }

    @Test
    void severalWordsAreKnownByNameAndIndex() throws Exception {
        channel(new MemoryWordHandler().watch("first", address(1)).watch("second", address(2)), seen);
        change(word(2), 22);
        assertEquals(new MemoryWordEvent("second", 1, address(2), 22, 0), seen.next());
        change(word(1), 11);
        assertEquals(new MemoryWordEvent("first", 0, address(1), 11, 0), seen.next());
    }

    @Test
    void aWordThatIsNotAsExpectedIsAnEventAtOnceAndOneThatIsIsNone() throws Exception {
        SharedMemory.store32(word(1), 7);
        SharedMemory.store32(word(2), 7);
        SharedMemory.store32(word(3), 7);
        channel(new MemoryWordHandler().watch("other", address(1), 6).watch("same", address(2), 7)
                .watch("any", address(3)), seen);
        assertEquals(new MemoryWordEvent("other", 0, address(1), 7, 0), seen.next());
        change(word(3), 8);
        assertEquals("any", seen.next().name());
        seen.assertNothing();
    }

    @Test
    void aNamedWordIsOpenedForTheWatchAlone() throws Exception {
        String name = "knote-words-" + ProcessHandle.current().pid();
        try (SharedMemory named = SharedMemory.create(name, 256)) {
            Channel channel = channel(
                    new MemoryWordHandler().watch("named", MemoryWordAddress.of(name, 192, 8)), seen);
            change(named.word64(3), 1L << 40);
            assertEquals(1L << 40, seen.next().value());
            channel.close().sync();
            named.unlink();
        }
    }

    @Test
    void whenItIsRemovedNobodyWaitsAndNothingIsFired() throws Exception {
        MemoryWordHandler handler = handler(1);
        Channel channel = channel(handler, seen);
        assertEquals(1, waiters(word(1)));
        seen.next();
        channel.pipeline().remove(handler);
        onLoop(() -> null);
        assertEquals(0, waiters(word(1)), "waiters");
        onLoop(() -> null);
        seen.assertNothing();
    }

    @Test
    void whenItIsRemovedByAnEventTheOtherEventsOfTheRoundAreNotFired() throws Exception {
        var handler = new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                super.wordChanged(ctx, index, value, merged);
                ctx.pipeline().remove(this);
            }
        };
        for (int line = 1; line < 20; line++) {
            handler.watch("word", address(line));
        }
        channel(handler, seen);
        onLoop(() -> {
            for (int line = 1; line < 20; line++) {
                change(word(line), 1);
            }
            return null;
        });
        seen.next();
        onLoop(() -> null);
        onLoop(() -> null);
        seen.assertNothing();
        assertEquals(0, waiters(word(19)), "waiters");
    }

    @Test
    void aClosedChannelWaitsForNothing() throws Exception {
        Channel channel = channel(handler(1), seen);
        channel.close().sync();
        await(() -> waiters(word(1)) == 0, "the end of the wait");
    }

    @Test
    void aChannelThatChangesItsLoopGoesOnThereAndMissesNothing() throws Exception {
        IoEventLoopGroup other = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try {
            Channel channel = channel(handler(1), seen);
            change(word(1), 1);
            assertEquals(1, seen.next().value());
            channel.deregister().sync();
            await(() -> waiters(word(1)) == 0, "the end of the wait on the old loop");
            seen.events.clear();
            SharedMemory.store32(word(1), 2);
            register(channel, other).sync();
            assertEquals(2, seen.next().value());
            change(word(1), 3);
            assertEquals(3, seen.until(3).value());
            assertTrue(other.next().inEventLoop(seen.thread));
        } finally {
            other.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void handlersOfOneLoopShareTheWaitForAWord() throws Exception {
        var second = new Recorder();
        Channel one = channel(handler(1), seen);
        Channel two = channel(handler(1), handler(1), second);
        assertEquals(1, waiters(word(1)), "waiters");
        seen.next();
        second.next();
        second.next();
        change(word(1), 5);
        assertEquals(5, seen.next().value());
        assertEquals(5, second.next().value());
        assertEquals(5, second.next().value());
        one.close().sync();
        onLoop(() -> null);
        change(word(1), 6);
        assertEquals(6, second.next().value());
        assertEquals(6, second.next().value());
        two.close().sync();
        await(() -> waiters(word(1)) == 0, "the end of the wait");
        seen.assertNothing();
    }

    @Test
    void whoJoinsAWaitIsToldOfAValueThatHeDidNotExpect() throws Exception {
        var second = new Recorder();
        SharedMemory.store32(word(1), 4);
        channel(handler(1), seen);
        channel(new MemoryWordHandler().watch("late", address(1), 3), second);
        assertEquals(4, second.next().value());
        change(word(1), 5);
        assertEquals(5, second.next().value());
        assertEquals(5, seen.next().value());
        onLoop(() -> null);
        seen.assertNothing();
        second.assertNothing();
    }

    @Test
    @SuppressWarnings("deprecation") // which handlers with executors of their own are, and there are
    void anExecutorOfItsOwnGetsTheLastValueAndTheNumberOfMergedEvents() throws Exception {
        var executors = new DefaultEventExecutorGroup(1);
        try {
            var entered = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            var handler = new MemoryWordHandler() {
                @Override
                protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                    super.wordChanged(ctx, index, value, merged);
                    entered.countDown();
                    assertDoesNotThrow(() -> go.await(SECONDS, TimeUnit.SECONDS));
                }
            };
            handler.watch("slow", address(1));
            Channel channel = channel();
            channel.pipeline().addLast(executors, handler, seen);
            await(() -> waiters(word(1)) == 1, "the watch");
            assertTrue(entered.await(SECONDS, TimeUnit.SECONDS));
            seen.next();
            var onTheLoop = new Recorder();
            channel(handler(1), onTheLoop);
            for (int i = 1; i <= 3; i++) {
                SharedMemory.store32(word(1), i);
                await(() -> waiters(word(1)) == 1, "the watch");
                onTheLoop.until(i); // or the kernel merges this wake with the next
            }
            onLoop(() -> null);
            go.countDown();
            MemoryWordEvent event = seen.until(3);
            assertTrue(event.merged() >= 2, event::toString);
            assertTrue(executors.iterator().next().inEventLoop(seen.thread));
        } finally {
            executors.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void wordsAreGivenBeforeItIsAdded() throws Exception {
        MemoryWordHandler handler = handler(1);
        channel(handler);
        assertThrows(IllegalStateException.class, () -> handler.watch("late", address(2)));
    }

    @Test
    void aLoopThatIsShutDownEndsItsWaits() throws Exception {
        channel(handler(1), seen);
        assertEquals(1, waiters(word(1)));
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        assertEquals(0, waiters(word(1)), "waiters");
    }

    private static void assertDoesNotThrow(org.junit.jupiter.api.function.Executable code) {
        org.junit.jupiter.api.Assertions.assertDoesNotThrow(code);
    }
}
