package dev.knote.benchmarks.netty;

import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.benchmarks.Linux;
import dev.knote.linux.Fds;
import dev.knote.linux.Threads;
import dev.knote.transport.KnoteIoHandle;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteIoOps;
import dev.knote.transport.MemoryWordAddress;
import dev.knote.transport.MemoryWordHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.FileDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.time.Duration;

/** How another process wakes a handler, which notes the time in the memory that both have. */
enum Wakes {
    WORD_HANDLER("a word, MemoryWordHandler", "word"),
    WORD_CHANGES("a word, MemoryWordHandler, onlyChanges", "word"),
    WORD_HANDLE("a word, KnoteIoHandle", "word"),
    WORD_HANDLER_SPINNING("a word, MemoryWordHandler, spin(200 us)", "word"),
    WORD_CHANGES_SPINNING("a word, MemoryWordHandler, onlyChanges, spin(200 us)", "word"),
    WORD_HANDLE_SPINNING("a word, KnoteIoHandle, spin(200 us)", "word"),
    PIPE("a byte, pipe, EpollIoHandle", "pipe"),
    EVENTFD("eventfd, EpollIoHandle", "eventfd"),
    UNIX("a byte, EpollDomainSocketChannel", "unix"),
    C_SPINNING("C: a word, looked at all the time", "word", "awake"),
    C_FUTEX("C: a word, futex(2)", "word", "futex"),
    C_RING("C: a word, armed in a ring", "word", "ring"),
    C_PIPE("C: a byte, pipe, epoll", "pipe", "pipe"),
    C_EVENTFD("C: eventfd, epoll", "eventfd", "eventfd"),
    C_UNIX("C: a byte, Unix socket, epoll", "unix", "unix");

    /**
     * Several times the client's pause between two wakes, and a sleep and a wake-up besides, which on a shared host take
     * tens of microseconds: who knows of wakes that often, and has a processor for them, would say so.
     */
    private static final Duration SPIN = Duration.ofNanos(200_000);
    private static final VarHandle RAN_AT = ValueLayout.JAVA_LONG.varHandle();

    final String title;
    /** As the client calls it. */
    final String kind;
    /** How a program in C waits for it; null for Netty loops. */
    final String floor;

    Wakes(String title, String kind) {
        this(title, kind, null);
    }

    Wakes(String title, String kind, String floor) {
        this.title = title;
        this.kind = kind;
        this.floor = floor;
    }

    boolean isWord() {
        return kind.equals("word");
    }

    boolean isFloor() {
        return floor != null;
    }

    boolean isSpinning() {
        return title.contains("spin") || this == C_SPINNING;
    }

    private IoHandlerFactory factory() {
        if (!isWord()) {
            return EpollIoHandler.newFactory();
        }
        return KnoteIoHandler
                .newFactory(() -> isSpinning() ? Options.defaults().spin(SPIN) : Options.defaults());
    }

    /** Starts to serve; returns where it is to be woken. */
    String serve(String memoryPath, String directory) throws Exception {
        SharedMemory memory = SharedMemory.map(Path.of(memoryPath));
        IoEventLoopGroup group = Server.group(factory());
        switch (this) {
            case WORD_HANDLER, WORD_HANDLER_SPINNING -> watch(
                    group, memory, MemoryWordAddress.of(memory.word32(0)));
            case WORD_CHANGES, WORD_CHANGES_SPINNING -> watch(
                    group, memory, MemoryWordAddress.of(memory.word32(0)).onlyChanges());
            case WORD_HANDLE, WORD_HANDLE_SPINNING -> submit(
                    group, new WordHandle(memory), KnoteIoOps.of(
                            memory.word32(0), Kqueue.EVFILT_USERMEM, Kqueue.EV_ADD, Kqueue.NOTE_USERMEM_INT,
                            0, null));
            case PIPE -> {
                int[] ends = Linux.pipe();
                submit(group, new FdHandle(memory, ends[0]), EpollIoOps.EPOLLIN);
                return Threads.getpid() + ":" + ends[1];
            }
            case EVENTFD -> {
                int fd = Fds.eventfd();
                submit(group, new FdHandle(memory, fd), EpollIoOps.EPOLLIN);
                return Threads.getpid() + ":" + fd;
            }
            case UNIX -> {
                Path socket = Path.of(directory, "socket");
                new ServerBootstrap().group(group).channel(EpollServerDomainSocketChannel.class)
                        .childHandler(new ByteReader(memory))
                        .bind(new DomainSocketAddress(socket.toString())).sync();
                return socket.toString();
            }
            default -> throw new IllegalArgumentException(title);
        }
        return "-";
    }

    private static void submit(IoEventLoopGroup group, IoHandle handle, IoOps ops)
            throws Exception {
        IoEventLoop loop = group.next();
        IoRegistration registration = loop.register(handle).sync().getNow();
        loop.submit(() -> registration.submit(ops)).sync();
    }

    private static void watch(EventLoopGroup group, SharedMemory memory, MemoryWordAddress word)
            throws Exception {
        Channel channel = new LocalChannel();
        channel.pipeline().addLast(new MemoryWordHandler() {
            @Override
            protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
                ran(memory);
            }
        }.watch("word", word));
        group.register(channel).sync();
    }

    private static void ran(SharedMemory memory) {
        RAN_AT.setRelease(memory.segment(), (long) SharedMemory.LINE, System.nanoTime());
    }

    /** A word on our loop. */
    private record WordHandle(SharedMemory memory) implements KnoteIoHandle {
        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            ran(memory);
        }

        @Override
        public void close() {}
    }

    /** An fd on Netty's loop, of which 8 bytes at most are read at an event. */
    private static final class FdHandle implements EpollIoHandle {
        private final MemorySegment room = Arena.global().allocate(8, 8);
        private final SharedMemory memory;
        private final FileDescriptor fd;

        FdHandle(SharedMemory memory, int fd) {
            this.memory = memory;
            this.fd = new FileDescriptor(fd);
        }

        @Override
        public FileDescriptor fd() {
            return fd;
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            Fds.read(fd.intValue(), room.address(), Long.BYTES);
            ran(memory);
        }

        @Override
        public void close() {}
    }

    /** A message on Netty's channel. */
    @ChannelHandler.Sharable
    private static final class ByteReader extends ChannelInboundHandlerAdapter {
        private final SharedMemory memory;

        ByteReader(SharedMemory memory) {
            this.memory = memory;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ran(memory);
            ((ByteBuf) message).release();
        }
    }
}
