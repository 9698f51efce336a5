package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Fds;
import dev.knote.transport.Streams.Echo;
import dev.knote.transport.Streams.Record;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannel;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sockets that somebody else made, and Unix domain names. */
@Timeout(120)
class GivenSocketTest {
    @TempDir
    private Path dir;

    @Test
    void theTwoEndsOfASocketPairTalk() throws Exception {
        int[] pair = Streams.socketPair();
        try (Streams streams = new Streams(2)) {
            Record record = new Record();
            Channel one = streams.register(new KnoteDomainSocketChannel(pair[0]), record);
            Channel other = streams.register(new KnoteDomainSocketChannel(pair[1]), new Echo());
            assertTrue(one.isActive());
            assertEquals(pair[0], ((UnixChannel) one).fd().intValue());
            one.writeAndFlush(Unpooled.copiedBuffer("hello".getBytes()));
            Streams.await("the echo", () -> record.text().equals("hello"));
            other.close().sync();
            assertEquals("inactive", record.nextEvent());
            one.closeFuture().sync();
            assertFalse(((UnixChannel) one).fd().isOpen());
            assertTrue(Fds.fcntl(pair[0], Fds.F_GETFD, 0) < 0 || !isOurs(pair[0]));
        }
    }

    private static boolean isOurs(int fd) {
        return Socket.getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_DOMAIN) == Socket.AF_UNIX;
    }

    @Test
    void aListeningSocketAndItsConnectionsCanBeGiven() throws Exception {
        try (Streams streams = new Streams(1)) {
            Channel first = Streams.bind(streams.server(new Echo()));
            int listening = Fds.dup(((UnixChannel) first).fd().intValue());
            var address = first.localAddress();
            first.close().sync();
            Channel server = streams.server(() -> new KnoteServerSocketChannel(listening), new Echo())
                    .register().sync().channel();
            assertTrue(server.isActive());
            assertEquals(address, server.localAddress());
            int fd;
            Record before = new Record();
            Channel client = streams.client(before).connect(address).sync().channel();
            fd = Fds.dup(((UnixChannel) client).fd().intValue());
            client.close().sync();
            Record record = new Record();
            Channel given = streams.register(new KnoteSocketChannel(fd), record);
            assertEquals(address, given.remoteAddress());
            given.writeAndFlush(Unpooled.copiedBuffer("again".getBytes()));
            Streams.await("the echo", () -> record.text().equals("again"));
        }
    }

    @Test
    void whatIsNoSocketIsRefused() throws Exception {
        int memfd = Fds.eventfd();
        try {
            assertThrows(ChannelException.class, () -> new KnoteSocketChannel(memfd));
            assertThrows(ChannelException.class, () -> new KnoteServerDomainSocketChannel(memfd));
        } finally {
            Fds.close(memfd);
        }
    }

    /** A TCP channel of a Unix domain socket would have no address that it could tell. */
    @Test
    void aSocketOfAnotherKindIsRefusedAndLeftOpen() {
        for (int[] kind : new int[][] {{Socket.AF_UNIX, Socket.SOCK_STREAM},
                {Socket.AF_UNIX, Socket.SOCK_DGRAM},
                {Socket.AF_INET, Socket.SOCK_STREAM}, {Socket.AF_INET, Socket.SOCK_DGRAM}}) {
            int fd = Socket.open(kind[0], kind[1]);
            boolean stream = kind[1] == Socket.SOCK_STREAM;
            if (!stream || kind[0] == Socket.AF_UNIX) {
                assertRefused(fd, KnoteSocketChannel::new);
                assertRefused(fd, KnoteServerSocketChannel::new);
            }
            if (!stream || kind[0] != Socket.AF_UNIX) {
                assertRefused(fd, KnoteDomainSocketChannel::new);
                assertRefused(fd, KnoteServerDomainSocketChannel::new);
            }
            assertEquals(0, Socket.close(fd));
        }
    }

    private static void assertRefused(int fd, IntFunction<Channel> channel) {
        var e = assertThrows(ChannelException.class, () -> channel.apply(fd));
        assertTrue(e.getMessage().contains("fd " + fd), e.getMessage());
    }

    @Test
    void whatIsBoundAndNotConnectedTellsItsAddress() throws Exception {
        try (Streams streams = new Streams(1)) {
            Channel first = streams.register(new KnoteSocketChannel(), new Record());
            first.bind(Streams.loopback()).sync();
            int fd = Fds.dup(((UnixChannel) first).fd().intValue());
            SocketAddress address = first.localAddress();
            first.close().sync();
            Channel given = streams.register(new KnoteSocketChannel(fd), new Record());
            assertFalse(given.isActive());
            assertEquals(address, given.localAddress());
            Channel server = Streams.bind(streams.server(new Echo()));
            given.connect(server.localAddress()).sync();
            assertEquals(address, given.localAddress());
        }
    }

    @Test
    void anAbstractNameHasNoFile() throws Exception {
        DomainSocketAddress name = new DomainSocketAddress("\0knote-given-" + ProcessHandle.current().pid());
        try (Streams streams = new Streams(1)) {
            Channel server = Streams.bind(streams.domainServer(new Echo()), name);
            assertEquals(name, server.localAddress());
            Record record = new Record();
            Channel client = streams.domainClient(record).connect(name).sync().channel();
            assertEquals(name, client.remoteAddress());
            client.writeAndFlush(Unpooled.copiedBuffer("hello".getBytes()));
            Streams.await("the echo", () -> record.text().equals("hello"));
        }
    }

    @Test
    void theFileOfAPathIsDeletedWithItsServer() throws Exception {
        Path path = dir.resolve("socket");
        try (Streams streams = new Streams(1)) {
            Channel server = Streams.bind(streams.domainServer(new Echo()), UnixDomainSocketAddress.of(path));
            assertTrue(Files.exists(path));
            Record record = new Record();
            Channel client = streams.domainClient(record).connect(UnixDomainSocketAddress.of(path)).sync()
                    .channel();
            assertEquals(new DomainSocketAddress(path.toString()), client.remoteAddress());
            client.writeAndFlush(Unpooled.copiedBuffer("hello".getBytes()));
            Streams.await("the echo", () -> record.text().equals("hello"));
            server.close().sync();
            assertFalse(Files.exists(path));
        }
    }
}
