package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A word of memory as a channel. */
@Timeout(60)
class MemoryWordChannelTest extends WordFixture {
    private final Recorder seen = new Recorder();

    private Bootstrap bootstrap() {
        return new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(seen);
    }

    private Channel connect(int line) throws Exception {
        return connect(bootstrap(), address(line));
    }

    private Channel connect(Bootstrap bootstrap, MemoryWordAddress address) throws Exception {
        Channel channel = bootstrap.connect(address).sync().channel();
        onLoop(() -> null);
        return channel;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void changesAreRead(int bytes) throws Exception {
        MemorySegment word = memory.segment().asSlice(192, bytes);
        var address = MemoryWordAddress.of(word);
        Channel channel = connect(bootstrap(), address);
        assertEquals("active", seen.life.poll(SECONDS, TimeUnit.SECONDS));
        for (long value : new long[] {5, -5, bytes == 8 ? 1L << 40 : 6}) {
            change(word, value);
            assertEquals(new MemoryWordEvent(address.toString(), 0, address, value, 0), seen.next());
        }
        channel.close().sync();
        assertEquals("inactive", seen.life.poll(SECONDS, TimeUnit.SECONDS));
        assertEquals(0, waiters(word), "waiters");
    }

    @Test
    void withoutAutoReadOneReadIsOneValueAndAChangeInBetweenIsTheNext() throws Exception {
        Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
        assertEquals(0, waiters(word(1)), "waiters without a read");
        change(word(1), 1);
        channel.read();
        assertEquals(1, seen.next().value(), "a change before the first read");
        onLoop(() -> null);
        assertEquals(0, waiters(word(1)), "waiters after the value was read");
        change(word(1), 2);
        change(word(1), 3);
        onLoop(() -> null);
        seen.assertNothing();
        channel.read();
        assertEquals(3, seen.next().value());
        channel.read();
        onLoop(() -> null);
        seen.assertNothing();
        change(word(1), 4);
        assertEquals(4, seen.next().value());
    }

    @Test
    void autoReadIsTurnedOffAndOn() throws Exception {
        Channel channel = connect(1);
        channel.config().setAutoRead(false);
        onLoop(() -> null);
        assertEquals(0, waiters(word(1)), "waiters");
        change(word(1), 1);
        channel.config().setAutoRead(true);
        assertEquals(1, seen.next().value());
        change(word(1), 2);
        assertEquals(2, seen.until(2).value());
    }

    @Test
    void theExpectedValueIsComparedWhenTheChannelIsConnected() throws Exception {
        SharedMemory.store32(word(1), 9);
        Channel channel = connect(bootstrap().option(MemoryWordChannel.EXPECTED, 8L), address(1));
        assertEquals(9, seen.next().value());
        assertEquals(8L, channel.config().getOption(MemoryWordChannel.EXPECTED));
        assertEquals(9, onLoop(() -> ((MemoryWordChannel) channel).value()));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void writesAreOperationsInTheirOrder(int bytes) throws Exception {
        MemorySegment word = memory.segment().asSlice(192, bytes);
        Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false),
                MemoryWordAddress.of(word));
        List<ChannelFuture> writes = new ArrayList<>();
        for (MemoryWordOp op : List.of(MemoryWordOp.set(0x0f), MemoryWordOp.add(1), MemoryWordOp.or(0x101),
                MemoryWordOp.and(~1L), MemoryWordOp.compareAndSet(0x110, -7), MemoryWordOp.add(-1))) {
            writes.add(channel.write(op));
        }
        channel.flush();
        for (ChannelFuture write : writes) {
            write.sync();
        }
        assertEquals(-8, bytes == 4 ? SharedMemory.load32(word) : SharedMemory.load64(word));
    }

    @Test
    void aFailedCompareAndSetFailsItsWriteAloneWithTheValueFound() throws Exception {
        SharedMemory.store32(word(1), 3);
        Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
        ChannelFuture first = channel.write(MemoryWordOp.add(1));
        ChannelFuture failed = channel.write(MemoryWordOp.compareAndSet(3, 5));
        ChannelFuture tooLarge = channel.write(MemoryWordOp.set(1L << 32));
        ChannelFuture last = channel.writeAndFlush(MemoryWordOp.compareAndSet(4, 6));
        last.sync();
        first.sync();
        var mismatch = assertInstanceOf(MemoryWordMismatchException.class, failed.await().cause());
        assertEquals(4, mismatch.witness());
        assertEquals(3, mismatch.expected());
        assertInstanceOf(MemoryWordException.class, tooLarge.await().cause());
        assertEquals(6, SharedMemory.load32(word(1)));
        assertTrue(channel.isActive());
    }

    @Test
    void aFlushWakesAsManyAsItsOperationsAskForAndNoMore() throws Exception {
        Channel writer = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
        var groups = new ArrayList<IoEventLoopGroup>();
        var recorders = new ArrayList<Recorder>();
        try {
            for (int i = 0; i < 5; i++) { // a loop each, as one loop is one waiter
                var loop = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
                groups.add(loop);
                var recorder = new Recorder();
                recorders.add(recorder);
                var channel = new MemoryWordChannel();
                channel.pipeline().addLast(recorder);
                register(channel, loop).sync();
                channel.connect(address(1)).sync();
                loop.next().submit(() -> null).sync();
            }
            writer.write(MemoryWordOp.add(1).waking(2));
            writer.write(MemoryWordOp.compareAndSet(7, 8).waking(1));
            writer.write(MemoryWordOp.add(1).waking(1));
            writer.writeAndFlush(MemoryWordOp.add(1).waking(0)).sync();
            for (int i = 0; i < 3; i++) {
                assertEquals(3, recorders.get(i).next().value());
            }
            for (IoEventLoopGroup loop : groups) {
                loop.next().submit(() -> null).sync();
            }
            recorders.get(3).assertNothing();
            recorders.get(4).assertNothing();
        } finally {
            groups.forEach(loop -> loop.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly());
        }
    }

    @Test
    void privateOperationsWakePrivateWaits() throws Exception {
        Channel channel = connect(bootstrap(), address(1).privately());
        channel.writeAndFlush(MemoryWordOp.set(3)).sync();
        assertEquals(3, seen.next().value());
    }

    @Test
    void aListenerOfAWriteSeesAllOfItsFlushDone() throws Exception {
        Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
        int[] found = new int[1];
        ChannelFuture first = channel.write(MemoryWordOp.set(1));
        first.addListener(done -> {
            found[0] = SharedMemory.load32(word(1));
            channel.writeAndFlush(MemoryWordOp.add(40));
            channel.close();
        });
        channel.writeAndFlush(MemoryWordOp.add(1));
        channel.closeFuture().sync();
        assertEquals(2, found[0]);
    }

    @Test
    void aCancelledWriteIsNotDone() throws Exception {
        Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
        onLoop(() -> {
            ChannelFuture none = channel.write(MemoryWordOp.add(100));
            channel.write(MemoryWordOp.add(1));
            none.cancel(false);
            channel.flush();
            ChannelFuture only = channel.write(MemoryWordOp.add(100));
            only.cancel(false);
            channel.flush();
            return null;
        });
        assertEquals(1, SharedMemory.load32(word(1)));
        channel.writeAndFlush(MemoryWordOp.add(1)).sync();
    }

    @Test
    void addressesTellWhetherItIsBoundOrConnected() throws Exception {
        Channel connected = connect(1);
        assertEquals(address(1), connected.remoteAddress());
        assertNull(connected.localAddress());
        Channel bound = bootstrap().bind(address(2)).sync().channel();
        assertEquals(address(2), bound.localAddress());
        assertNull(bound.remoteAddress());
        change(word(2), 2);
        assertEquals(address(2), seen.next().word());
    }

    @Test
    void bindMakesNamedMemoryAndConnectNeedsIt() throws Exception {
        String name = "knote-bound-" + ProcessHandle.current().pid();
        var address = MemoryWordAddress.of(name, 64, 8);
        assertInstanceOf(MemoryWordException.class, bootstrap().connect(address).await().cause());
        bootstrap().bind(address).sync();
        var other = new Recorder();
        Channel peer = connect(new Bootstrap().group(group).channel(MemoryWordChannel.class).handler(other),
                address);
        try {
            peer.writeAndFlush(MemoryWordOp.set(77)).sync();
            assertEquals(77, seen.next().value());
            assertEquals(77, other.next().value());
        } finally {
            try (SharedMemory memory = SharedMemory.open(name)) {
                memory.unlink();
            }
        }
    }

    @Test
    void whatComesBeforeAndAfterItIsConnectedIsRefused() throws Exception {
        Channel channel = bootstrap().register().sync().channel();
        assertTrue(channel.isOpen());
        assertFalse(channel.isActive());
        channel.read();
        assertInstanceOf(NotYetConnectedException.class,
                channel.writeAndFlush(MemoryWordOp.set(1)).await().cause());
        assertInstanceOf(UnsupportedAddressTypeException.class,
                channel.connect(new InetSocketAddress(1)).await().cause());
        assertInstanceOf(UnsupportedOperationException.class,
                channel.connect(address(1), address(2)).await().cause());
        channel.connect(address(1)).sync();
        assertInstanceOf(AlreadyConnectedException.class, channel.connect(address(2)).await().cause());
        assertInstanceOf(AlreadyConnectedException.class, channel.bind(address(2)).await().cause());
        assertInstanceOf(UnsupportedOperationException.class, channel.writeAndFlush("text").await().cause());
        change(word(1), 1);
        assertEquals(1, seen.next().value());
        channel.disconnect().sync();
        assertFalse(channel.isOpen());
        channel.close().sync();
        assertInstanceOf(ClosedChannelException.class,
                channel.writeAndFlush(MemoryWordOp.set(2)).await().cause());
        assertInstanceOf(ClosedChannelException.class, channel.connect(address(1)).await().cause());
        assertEquals(1, SharedMemory.load32(word(1)));
    }

    @Test
    void registeringItTwiceIsRefusedAndItWorksOn() throws Exception {
        Channel channel = connect(1);
        assertInstanceOf(IllegalStateException.class, register(channel, group).await().cause());
        change(word(1), 1);
        assertEquals(1, seen.next().value());
    }

    @Test
    void itGoesOnOnAnotherLoopAndMissesNothing() throws Exception {
        var other = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try {
            Channel channel = connect(1);
            channel.deregister().sync();
            change(word(1), 2);
            register(channel, other).sync();
            assertEquals(2, seen.next().value());
            change(word(1), 3);
            assertEquals(3, seen.until(3).value());
            channel.close().sync();
        } finally {
            other.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReadThatIsPendingIsSoOnTheNextLoop(boolean askedForInBetween) throws Exception {
        var other = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try {
            Channel channel = connect(bootstrap().option(ChannelOption.AUTO_READ, false), address(1));
            if (!askedForInBetween) {
                channel.read();
                onLoop(() -> null);
            }
            channel.deregister().sync();
            assertEquals(0, waiters(word(1)), "waiters");
            if (askedForInBetween) {
                channel.read();
                onLoop(() -> null);
            }
            register(channel, other).sync();
            change(word(1), 2);
            assertEquals(2, seen.next().value());
            other.next().submit(() -> {}).sync();
            assertEquals(0, waiters(word(1)), "waiters after the value was read");
            channel.close().sync();
        } finally {
            other.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void closingInAReadIsTheLastOfIt() throws Exception {
        var closer = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.fireChannelRead(message);
                ctx.close();
            }
        };
        var channel = new MemoryWordChannel();
        channel.pipeline().addLast(closer, seen);
        register(channel, group).sync();
        channel.connect(address(1)).sync();
        onLoop(() -> null);
        change(word(1), 1);
        seen.next();
        channel.closeFuture().sync();
        assertEquals(0, waiters(word(1)), "waiters");
        onLoop(() -> null);
        seen.assertNothing();
    }

    @Test
    void aLoopThatIsShutDownClosesIt() throws Exception {
        Channel channel = connect(1);
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        assertFalse(channel.isOpen());
        assertEquals(0, waiters(word(1)), "waiters");
    }

    @Test
    void anOperationSaysHowManyToWake() {
        assertThrows(IllegalArgumentException.class, () -> MemoryWordOp.add(1).waking(-1));
    }
}
