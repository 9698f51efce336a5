package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Native;
import dev.knote.transport.Streams.Echo;
import dev.knote.transport.Streams.Record;
import dev.knote.transport.socket.Memory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class StreamDataTest {
    private static final int MEGABYTE = 1 << 20;

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Writes all of it in pieces of every size and kind, from the caller's thread. */
    private static void writePieces(Channel channel, byte[] bytes, Random random) {
        for (int at = 0; at < bytes.length;) {
            int size = Math.min(bytes.length - at, random.nextInt(10) == 0 ? random.nextInt(200_000)
                    : random.nextInt(3_000));
            ByteBuf piece = switch (random.nextInt(3)) {
                case 0 -> Unpooled.copiedBuffer(bytes, at, size);
                case 1 -> channel.alloc().directBuffer(Math.max(size, 1)).writeBytes(bytes, at, size);
                default -> Unpooled.wrappedBuffer(Unpooled.wrappedBuffer(bytes, at, size / 2),
                        channel.alloc().directBuffer(size + 1).writeBytes(bytes, at + size / 2,
                                size - size / 2));
            };
            channel.write(piece, channel.voidPromise());
            if (random.nextInt(4) == 0) {
                channel.flush();
            }
            at += size;
        }
        channel.flush();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void aMegabyteEachWayThroughSmallBuffersComesWholeAndInOrder(String kind) throws Exception {
        boolean tcp = kind.equals("tcp");
        byte[] up = random(MEGABYTE, 1);
        byte[] down = random(MEGABYTE, 2);
        try (Streams streams = new Streams(2)) {
            Record atServer = new Record();
            Record atClient = new Record();
            SocketAddress address = tcp ? Streams.loopback()
                    : new DomainSocketAddress("\0knote-data-" + ProcessHandle.current().pid());
            Channel server = Streams.bind((tcp ? streams.server(atServer) : streams.domainServer(atServer))
                    .childOption(ChannelOption.SO_SNDBUF, 16_384)
                    .childOption(ChannelOption.SO_RCVBUF, 16_384),
                    address);
            Channel client = (tcp ? streams.client(atClient) : streams.domainClient(atClient))
                    .option(ChannelOption.SO_SNDBUF, 16_384).option(ChannelOption.SO_RCVBUF, 16_384)
                    .connect(server.localAddress()).sync().channel();
            Channel accepted = atServer.nextActive();
            Thread writer = Thread.ofPlatform().start(() -> writePieces(accepted, down, new Random(3)));
            writePieces(client, up, new Random(4));
            writer.join();
            Streams.await("all of it at the server", () -> atServer.count() >= MEGABYTE);
            Streams.await("all of it at the client", () -> atClient.count() >= MEGABYTE);
            assertArrayEquals(up, atServer.bytes());
            assertArrayEquals(down, atClient.bytes());
        }
    }

    /** A connection that always has more to read must not keep the loop from the others. */
    @Test
    void aFloodOfOneConnectionLeavesTheOthersTheirTurns() throws Exception {
        try (Streams streams = new Streams(1)) {
            AtomicLong flooded = new AtomicLong();
            Channel sink = Streams.bind(streams.server(new ChannelInboundHandlerAdapter() {
                @Override
                public boolean isSharable() {
                    return true;
                }

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    flooded.addAndGet(((ByteBuf) message).readableBytes());
                    ((ByteBuf) message).release();
                }
            }));
            Channel echo = Streams.bind(streams.server(new Echo()));
            Thread flooder;
            try (Socket flood = new Socket(); Socket pings = new Socket()) {
                flood.connect(sink.localAddress());
                pings.connect(echo.localAddress());
                pings.setSoTimeout(60_000);
                flooder = Thread.ofPlatform().daemon().start(() -> floodUntilClosed(flood));
                Streams.await("the flood", () -> flooded.get() > MEGABYTE);
                long start = System.nanoTime();
                for (int i = 0; i < 50; i++) {
                    pings.getOutputStream().write(i);
                    assertEquals(i, pings.getInputStream().read());
                }
                long millis = (System.nanoTime() - start) / 1_000_000;
                assertTrue(millis < 10_000, "50 pings took " + millis + " ms"); // a turn may not last a second
            }
            flooder.join();
        }
    }

    private static void floodUntilClosed(Socket socket) {
        byte[] chunk = new byte[256 * 1024];
        try {
            OutputStream out = socket.getOutputStream();
            while (true) {
                out.write(chunk);
            }
        } catch (java.io.IOException e) {
            // the test has seen enough
        }
    }

    /** recv(2) stops at urgent data, with less than there was room for. */
    @Test
    void whatFollowsUrgentDataIsRead() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).childOption(ChannelOption.AUTO_READ, false));
            try (Socket socket = new Socket()) {
                socket.setTcpNoDelay(true);
                socket.connect(server.localAddress());
                Channel accepted = record.nextActive();
                socket.getOutputStream().write("before".getBytes());
                socket.sendUrgentData('!');
                socket.getOutputStream().write("after".getBytes());
                accepted.config().setAutoRead(true);
                Streams.await("the bytes on both sides", () -> record.text().endsWith("after"));
                assertEquals("beforeafter", record.text());
            }
        }
    }

    /** recv(2) on a Unix domain socket stops where file descriptors came along. */
    @Test
    void whatFollowsFileDescriptorsIsRead() throws Exception {
        int[] pair = Streams.socketPair();
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            KnoteDomainSocketChannel channel = new KnoteDomainSocketChannel(pair[0]);
            channel.config().setAutoRead(false);
            streams.register(channel, record);
            send(pair[1], "one", false);
            send(pair[1], "two", true);
            send(pair[1], "three", false);
            channel.config().setAutoRead(true);
            Streams.await("the bytes after the descriptor", () -> record.text().endsWith("three"));
            assertEquals("onetwothree", record.text());
        } finally {
            dev.knote.transport.socket.Socket.close(pair[1]);
        }
    }

    /** recv(2) on a Unix domain socket stops at urgent data, too, with less than there was room for. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatFollowsUrgentDataOfADomainSocketIsRead(boolean waiting) throws Exception {
        int[] pair = Streams.socketPair();
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            KnoteDomainSocketChannel channel = new KnoteDomainSocketChannel(pair[0]);
            channel.config().setAutoRead(waiting);
            streams.register(channel, record);
            boolean first = true;
            for (int i = 0; i < 20; i++) {
                send(pair[1], "before", false);
                boolean known = sendUrgent(pair[1]);
                assumeTrue(known || !first, "the kernel has no urgent data on Unix sockets");
                first = false;
                send(pair[1], "after", false);
                if (!waiting) {
                    channel.config().setAutoRead(true);
                }
                String all = "beforeafter".repeat(i + 1);
                Streams.await("the bytes on both sides, " + record.text(),
                        () -> record.count() >= all.length());
                assertEquals(all, record.text());
                if (!waiting) {
                    channel.config().setAutoRead(false);
                }
            }
        } finally {
            dev.knote.transport.socket.Socket.close(pair[1]);
        }
    }

    private static boolean sendUrgent(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom("!");
            int sendto = "amd64".equals(System.getProperty("os.arch")) ? 44 : 206;
            return Native.syscall(sendto, fd, bytes.address(), 1, 1, 0, 0) == 1;
        }
    }

    private static void send(int fd, String text, boolean withDescriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(text);
            long header = arena.allocate(128, 8).address();
            long vector = header + 64;
            Memory.putLong(vector, bytes.address());
            Memory.putLong(vector + 8, text.length());
            dev.knote.transport.socket.Socket.msghdr(header, 0, 0, vector, 1);
            if (withDescriptor) {
                long control = header + 96; // struct cmsghdr: len 0, level 8, type 12, fd 16
                Memory.putLong(control, 20);
                Memory.putInt(control + 8, 1);
                Memory.putInt(control + 12, 1);
                Memory.putInt(control + 16, fd);
                Memory.putLong(header + 32, control);
                Memory.putLong(header + 40, 24);
            }
            assertEquals(text.length(), dev.knote.transport.socket.Socket.sendmsg(fd, header));
        }
    }

    @Test
    void withoutAutoReadEachReadBringsWhatThereIsOnce() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).childOption(ChannelOption.AUTO_READ, false)
                    .childOption(ChannelOption.RECVBUF_ALLOCATOR,
                            new io.netty.channel.FixedRecvByteBufAllocator(10)));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                Channel accepted = record.nextActive();
                byte[] sent = random(100, 5);
                socket.getOutputStream().write(sent);
                for (int i = 1; i <= 10; i++) {
                    assertEquals(10 * (i - 1), settled(accepted, record));
                    accepted.read();
                    int expected = 10 * i;
                    Streams.await("ten more bytes", () -> record.count() >= expected);
                }
                assertArrayEquals(sent, record.bytes());
                accepted.read();
                socket.getOutputStream().write(7);
                Streams.await("the byte that was waited for", () -> record.count() == 101);
            }
        }
    }

    /** How many bytes have come once the loop has gone round a few times. */
    private static int settled(Channel channel, Record record) throws Exception {
        for (int i = 0; i < 5; i++) {
            channel.eventLoop().submit(() -> {}).sync();
        }
        return record.count();
    }

    @Test
    void aServerThatIsFullOfConnectionsAcceptsThemAll() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).option(ChannelOption.AUTO_READ, false)
                    .option(ChannelOption.SO_BACKLOG, 100));
            Socket[] sockets = new Socket[60];
            try {
                for (int i = 0; i < sockets.length; i++) {
                    sockets[i] = new Socket();
                    sockets[i].connect(server.localAddress());
                }
                assertEquals(0, record.active.size());
                server.config().setAutoRead(true);
                Streams.await("60 connections", () -> record.active.size() == 60);
                for (Channel channel : record.active) {
                    channel.writeAndFlush(Unpooled.copiedBuffer(new byte[] {42}));
                }
                for (Socket socket : sockets) {
                    socket.setSoTimeout(60_000);
                    InputStream in = socket.getInputStream();
                    assertEquals(42, in.read());
                }
            } finally {
                for (Socket socket : Arrays.asList(sockets)) {
                    socket.close();
                }
            }
        }
    }

    @Test
    void aServerTakesTheFamilyThatItIsAskedFor() throws Exception {
        try (Streams streams = new Streams(1)) {
            Channel server = streams
                    .server(() -> new KnoteServerSocketChannel(SocketProtocolFamily.INET), new Echo())
                    .bind("127.0.0.1", 0).sync().channel();
            int port = ((InetSocketAddress) server.localAddress()).getPort();
            try (Socket socket = new Socket("127.0.0.1", port)) {
                socket.setSoTimeout(60_000);
                socket.getOutputStream().write(9);
                assertEquals(9, socket.getInputStream().read());
            }
        }
    }
}
