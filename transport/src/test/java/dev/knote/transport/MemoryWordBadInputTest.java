package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is no word, no longer one, or on no loop of ours: a clear exception for who asked, and nothing for others. */
@Timeout(60)
class MemoryWordBadInputTest extends WordFixture {
    private final Recorder seen = new Recorder();

    static Stream<Arguments> noWords() {
        Arena arena = Arena.ofAuto();
        MemorySegment page = arena.allocate(64, 64);
        MemorySegment closed;
        try (Arena shared = Arena.ofShared()) {
            closed = shared.allocate(4, 4);
        }
        return Stream.of(
                Arguments.of("in the heap", MemoryWordAddress.of(MemorySegment.ofArray(new int[1])),
                        Errno.EFAULT),
                Arguments.of("of 3 bytes", MemoryWordAddress.of(page.asSlice(0, 3)), Errno.EINVAL),
                Arguments.of("of 64 bytes", MemoryWordAddress.of(page), Errno.EINVAL),
                Arguments.of("of no bytes", MemoryWordAddress.of(MemorySegment.NULL), Errno.EINVAL),
                Arguments.of("unaligned", MemoryWordAddress.of(page.asSlice(2, 4)), Errno.EINVAL),
                Arguments.of("8 bytes aligned to 4", MemoryWordAddress.of(page.asSlice(4, 8)), Errno.EINVAL),
                Arguments.of("closed", MemoryWordAddress.of(closed), Errno.EFAULT),
                Arguments.of("confined to another thread",
                        MemoryWordAddress.of(Arena.ofConfined().allocate(4, 4)), Errno.EFAULT),
                Arguments.of("of no name", MemoryWordAddress.of("knote-nobody-made-this", 0, 4),
                        Errno.ENOENT),
                Arguments.of("of 5 bytes", MemoryWordAddress.of("knote-nobody-made-this", 0, 5),
                        Errno.EINVAL),
                Arguments.of("before its memory", MemoryWordAddress.of("knote-nobody-made-this", -4, 4),
                        Errno.EINVAL));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("noWords")
    void aHandlerIsToldAndWatchesItsOtherWords(String what, MemoryWordAddress bad, int errno)
            throws Exception {
        channel(new MemoryWordHandler().watch("bad", bad).watch("good", address(1)), seen);
        MemoryWordException error = seen.error();
        assertEquals(bad, error.word());
        assertEquals(errno, assertInstanceOf(KeventException.class, error.getCause()).errno());
        change(word(1), 1);
        assertEquals("good", seen.next().name());
        seen.assertNothing();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("noWords")
    void aConnectFailsAndTheLoopGoesOn(String what, MemoryWordAddress bad, int errno) throws Exception {
        ChannelFuture connect = new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(seen)
                .connect(bad).await();
        MemoryWordException error = assertInstanceOf(MemoryWordException.class, connect.cause());
        assertEquals(errno, assertInstanceOf(KeventException.class, error.getCause()).errno());
        connect.channel().closeFuture().sync();
        assertEquals(1, onLoop(() -> 1));
    }

    @Test
    void aWordBeyondItsSharedMemoryIsRefused() throws Exception {
        String name = "knote-words-short-" + ProcessHandle.current().pid();
        try (SharedMemory named = SharedMemory.create(name, 64)) {
            channel(new MemoryWordHandler().watch("behind", MemoryWordAddress.of(name, 1 << 20, 4)), seen);
            assertEquals(Errno.EINVAL, ((KeventException) seen.error().getCause()).errno());
            named.unlink();
        }
    }

    @Test
    void anEmbeddedChannelHasNoLoopForWords() {
        var channel = new EmbeddedChannel(new MemoryWordHandler().watch("word", address(1)));
        channel.runPendingTasks();
        MemoryWordException error = assertThrows(MemoryWordException.class, channel::checkException);
        assertTrue(error.getMessage().contains("KnoteIoHandler"), error::getMessage);
        assertFalse(channel.finish());
    }

    @Test
    void aForeignLoopIsToldByAnExceptionAndTheChannelWorksOn() throws Exception {
        var nio = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            Channel channel = new NioSocketChannel();
            channel.pipeline().addLast(new MemoryWordHandler().watch("word", address(1)), seen);
            register(channel, nio).sync();
            assertTrue(seen.error().getMessage().contains("KnoteIoHandler"));
            ChannelFuture refused = register(new MemoryWordChannel(), nio).await();
            assertInstanceOf(IllegalStateException.class, refused.cause());
            channel.close().sync();
        } finally {
            nio.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void oneLoopWatchesAWordInOneSizeAndOneWay() throws Exception {
        var first = new Recorder();
        channel(new MemoryWordHandler().watch("int", address(1)), first);
        channel(new MemoryWordHandler().watch("long", MemoryWordAddress.of(memory.word64(1)))
                .watch("private", address(1).privately()), seen);
        for (int i = 0; i < 2; i++) {
            assertEquals(Errno.EBUSY, ((KeventException) seen.error().getCause()).errno());
        }
        change(word(1), 1);
        assertEquals(1, first.next().value());
        seen.assertNothing();
    }

    @Test
    void aWordThatAHandleHasForItselfIsRefused() throws Exception {
        var handle = new KnoteIoHandle() {
            @Override
            public void handle(IoRegistration registration, IoEvent event) {}

            @Override
            public void close() {}
        };
        IoRegistration registration = group.register(handle).sync().getNow();
        onLoop(() -> registration
                .submit(KnoteIoOps.of(UserMem.int32(word(1), 0), Kqueue.EV_ADD, null)));
        channel(new MemoryWordHandler().watch("taken", address(1)).watch("free", address(2)), seen);
        assertEquals(Errno.EBUSY, ((KeventException) seen.error().getCause()).errno());
        change(word(2), 1);
        assertEquals("free", seen.next().name());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryThatGoesAwayIsAnExceptionOnceAndOtherWordsAreWatchedOn(boolean cut) throws Exception {
        SharedMemory going = SharedMemory.openOrCreate("knote-going-" + ProcessHandle.current().pid(), 8192);
        MemoryWordAddress gone = MemoryWordAddress.of(going.word32(65));
        Channel channel = channel(new MemoryWordHandler().watch("goes", gone).watch("stays", address(1)),
                seen);
        change(going.word32(65), 1);
        assertEquals("goes", seen.next().name());
        if (cut) {
            try (var file = FileChannel.open(going.path(), StandardOpenOption.WRITE)) {
                file.truncate(4096);
            }
        } else {
            going.close();
        }
        assertEquals(gone, seen.error().word());
        change(word(1), 1);
        assertEquals("stays", seen.next().name());
        going.close();
        going.unlink();
        channel.close().sync();
        seen.assertNothing();
    }

    @Test
    @SuppressWarnings("restricted") // reinterpret
    void oneOfTwoSegmentsOfAWordMayBeClosed() throws Exception {
        var second = new Recorder();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment word = word(1).reinterpret(4, arena, null);
            channel(new MemoryWordHandler().watch("short", MemoryWordAddress.of(word)), seen);
            channel(new MemoryWordHandler().watch("long", address(1)), second);
        }
        seen.error();
        change(word(1), 3);
        assertEquals(3, second.until(3).value());
    }

    @Test
    void memoryThatGoesAwayClosesItsChannelWithAnException() throws Exception {
        SharedMemory going = SharedMemory.anonymous(64);
        Channel channel = new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(seen)
                .connect(MemoryWordAddress.of(going.word32(0))).sync().channel();
        going.close();
        seen.error();
        channel.closeFuture().sync();
        assertEquals(1, onLoop(() -> 1));
    }

    @Test
    void aWriteToMemoryThatHasGoneFailsAndClosesTheChannel() throws Exception {
        SharedMemory going = SharedMemory.anonymous(64);
        Channel channel = new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(seen)
                .option(ChannelOption.AUTO_READ, false)
                .connect(MemoryWordAddress.of(going.word32(0))).sync().channel();
        going.close();
        ChannelFuture write = channel.writeAndFlush(MemoryWordOp.set(1)).await();
        assertInstanceOf(MemoryWordException.class, write.cause());
        channel.closeFuture().sync();
    }
}
