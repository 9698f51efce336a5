package dev.knote.benchmarks.netty;

import dev.knote.Options;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerSocketChannel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import java.time.Duration;

/** The servers to compare: transports of Netty, and programs in C that do no more than they have to. */
enum Transport {
    KNOTE("Knote", KnoteServerSocketChannel.class),
    KNOTE_SPINNING("Knote, spin(50 us)", KnoteServerSocketChannel.class),
    NIO("NIO", NioServerSocketChannel.class),
    EPOLL("epoll", EpollServerSocketChannel.class),
    IO_URING("io_uring", IoUringServerSocketChannel.class),
    IO_URING_BUFFERS("io_uring, buffer ring", IoUringServerSocketChannel.class),
    C_EPOLL("C: epoll", "asleep"),
    C_SPINNING("C: epoll, spinning for 50 us", "awake");

    static final short BUFFER_GROUP = 1;
    private static final Duration SPIN = Duration.ofNanos(50_000);
    private static final short RING_SIZE = 1024;
    private static final int BATCH = 64;
    private static final int BUFFER_SIZE = 16 * 1024;

    final String title;
    /** Null for a program in C. */
    final Class<? extends ServerChannel> serverChannel;
    /** How the program in C waits; null for a transport. */
    final String floor;

    Transport(String title, Class<? extends ServerChannel> serverChannel) {
        this.title = title;
        this.serverChannel = serverChannel;
        this.floor = null;
    }

    Transport(String title, String floor) {
        this.title = title;
        this.serverChannel = null;
        this.floor = floor;
    }

    boolean isFloor() {
        return floor != null;
    }

    boolean isSpinning() {
        return this == KNOTE_SPINNING || this == C_SPINNING;
    }

    boolean isNettys() {
        return !isOurs() && !isFloor();
    }

    boolean isOurs() {
        return this == KNOTE || this == KNOTE_SPINNING;
    }

    IoHandlerFactory factory() {
        return switch (this) {
            case KNOTE -> KnoteIoHandler.newFactory();
            case KNOTE_SPINNING -> KnoteIoHandler.newFactory(() -> Options.defaults().spin(SPIN));
            case NIO -> NioIoHandler.newFactory();
            case EPOLL -> EpollIoHandler.newFactory();
            case IO_URING -> IoUringIoHandler.newFactory();
            case IO_URING_BUFFERS -> IoUringIoHandler.newFactory(withBuffers());
            case C_EPOLL, C_SPINNING -> throw new IllegalStateException(title);
        };
    }

    private static IoUringIoHandlerConfig withBuffers() {
        return new IoUringIoHandlerConfig().setBufferRingConfig(IoUringBufferRingConfig.builder()
                .bufferGroupId(BUFFER_GROUP).bufferRingSize(RING_SIZE).batchSize(BATCH)
                .allocator(new IoUringFixedBufferRingAllocator(BUFFER_SIZE)).build());
    }
}
