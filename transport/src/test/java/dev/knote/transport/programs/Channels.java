package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.transport.KnoteDatagramChannel;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerSocketChannel;
import dev.knote.transport.KnoteSocketChannel;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** The channels that a program is told to use, on loops of this transport; remembers those that it did. */
final class Channels {
    /** Which channels. */
    enum Kind {
        /** Those of this transport. */
        OWN,
        /** Netty's, as they are. */
        NIO
    }

    private static final int LOOPS = 2;
    private static final int CLOSE_SECONDS = 30;

    private final Kind kind;
    private final Queue<Channel> made = new ConcurrentLinkedQueue<>();

    Channels(Kind kind) {
        this.kind = kind;
    }

    static EventLoopGroup newGroup() {
        return new MultiThreadIoEventLoopGroup(LOOPS, new DefaultThreadFactory("program", true),
                KnoteIoHandler.newFactory());
    }

    static void shutDown(EventLoopGroup group) {
        var end = group.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS);
        assertTrue(end.awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS), "the loops end");
    }

    static String pollerName() {
        try (EventQueue probe = EventQueue.open()) {
            return probe.pollerName();
        }
    }

    SocketChannel socket() {
        return remember(kind == Kind.OWN ? new KnoteSocketChannel() : new NioSocketChannel());
    }

    ServerSocketChannel server() {
        return remember(kind == Kind.OWN ? new KnoteServerSocketChannel() : new NioServerSocketChannel());
    }

    DatagramChannel datagram() {
        return remember(kind == Kind.OWN ? new KnoteDatagramChannel() : new NioDatagramChannel());
    }

    /** The class of what {@link #socket()}, {@link #server()} or {@link #datagram()} makes. */
    Class<? extends Channel> typeFor(Class<? extends Channel> type) {
        if (type == SocketChannel.class) {
            return kind == Kind.OWN ? KnoteSocketChannel.class : NioSocketChannel.class;
        }
        if (type == ServerSocketChannel.class) {
            return kind == Kind.OWN ? KnoteServerSocketChannel.class : NioServerSocketChannel.class;
        }
        if (type == DatagramChannel.class) {
            return kind == Kind.OWN ? KnoteDatagramChannel.class : NioDatagramChannel.class;
        }
        throw new IllegalArgumentException(type.getName());
    }

    /** One of an interface of Netty's. */
    Channel make(Class<? extends Channel> type) {
        if (type == SocketChannel.class) {
            return socket();
        }
        if (type == ServerSocketChannel.class) {
            return server();
        }
        if (type == DatagramChannel.class) {
            return datagram();
        }
        throw new IllegalArgumentException(type.getName());
    }

    private <C extends Channel> C remember(C channel) {
        made.add(channel);
        return channel;
    }

    /** When the program has ended: it used channels of these types, on our loops, and has closed them all. */
    @SafeVarargs
    final void assertUsed(Class<? extends Channel>... types) {
        for (Class<? extends Channel> type : types) {
            assertTrue(made.stream().anyMatch(type::isInstance),
                    "the program made a " + type.getSimpleName());
        }
        for (Channel channel : made) {
            assertTrue(channel.closeFuture().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS),
                    () -> channel + " is closed");
            assertTrue(((IoEventLoop) channel.eventLoop()).isIoType(KnoteIoHandler.class), channel::toString);
        }
    }
}
