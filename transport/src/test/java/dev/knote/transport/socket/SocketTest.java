package dev.knote.transport.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
@Timeout(60)
class SocketTest {
    private static final int FAMILY = Addresses.family();

    private final long at = Arena.ofAuto().allocate(64 * 1024, 64).address();
    private final long buffer = at + 4096;
    private final List<Integer> fds = new ArrayList<>();

    @AfterEach
    void close() {
        fds.forEach(Socket::close);
    }

    private int keep(int fd) {
        assertTrue(fd >= 0, () -> Errno.name(-fd));
        fds.add(fd);
        return fd;
    }

    private int open(int type) {
        return keep(Socket.open(FAMILY, type));
    }

    private int bound(int type) throws Exception {
        int fd = open(type);
        var any = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0);
        assertEquals(0, Socket.bind(fd, at, Addresses.encode(any, FAMILY, at)));
        return fd;
    }

    /** Two ends of a TCP connection. */
    private int[] connection() throws Exception {
        int server = bound(Socket.SOCK_STREAM);
        assertEquals(0, Socket.listen(server, 5));
        int client = open(Socket.SOCK_STREAM);
        assertEquals(-Errno.EINPROGRESS, Socket.connect(client, at, local(server)));
        await(server);
        Memory.putInt(buffer, Addresses.MAX_SIZE);
        int accepted = keep(Socket.accept(server, at, buffer));
        assertEquals(Addresses.local(client), Addresses.decode(at, Memory.getInt(buffer)));
        assertEquals(0, Socket.error(client));
        return new int[] {client, accepted};
    }

    private int local(int fd) throws IOException {
        return Addresses.encode(Addresses.local(fd), FAMILY, at);
    }

    /** Waits until there is something to read. */
    private static void await(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pollfd = arena.allocate(8, 8);
            MemorySegment zero = arena.allocate(16, 8);
            long end = System.nanoTime() + 30_000_000_000L;
            while (Fds.poll(fd, 1, pollfd, zero) == 0) {
                assertTrue(System.nanoTime() < end, "nothing to read");
                Thread.onSpinWait();
            }
        }
    }

    private void put(String text) {
        Memory.put(buffer, text.getBytes(StandardCharsets.UTF_8));
    }

    private String read(int fd) {
        await(fd);
        int result = Socket.read(fd, buffer, 1024);
        assertTrue(result >= 0, () -> Errno.name(-result));
        return new String(Memory.get(buffer, result), StandardCharsets.UTF_8);
    }

    @Test
    void bytesGoThroughAConnectionAndItsEndIsSeen() throws Exception {
        int[] ends = connection();
        assertEquals(-Errno.EAGAIN, Socket.read(ends[1], buffer, 10));
        put("hello");
        assertEquals(5, Socket.write(ends[0], buffer, 5));
        assertEquals("hello", read(ends[1]));
        assertEquals(0, Socket.shutdown(ends[0], Socket.SHUT_WR));
        assertEquals("", read(ends[1]));
        assertEquals(-Errno.EPIPE, Socket.write(ends[0], buffer, 1));
    }

    @Test
    void aGatheringWriteSendsAllPiecesInOrder() throws Exception {
        int[] ends = connection();
        var vectors = new IoVectors(buffer + 8192, 16);
        ByteBuf direct = Unpooled.directBuffer().writeBytes("xab".getBytes(StandardCharsets.UTF_8))
                .skipBytes(1);
        ByteBuf composite = Unpooled.compositeBuffer()
                .addComponent(true, Unpooled.directBuffer().writeBytes(new byte[] {'c'}))
                .addComponent(true, Unpooled.directBuffer().writeBytes(new byte[] {'d', 'e'}));
        try {
            vectors.clear(Long.MAX_VALUE);
            assertTrue(vectors.processMessage(direct) && vectors.processMessage(composite));
            assertEquals(3, vectors.count());
            assertEquals(5, vectors.bytes());
            assertEquals(5, Socket.writev(ends[0], vectors.address(), vectors.count()));
            assertEquals("abcde", read(ends[1]));
            assertEquals(0, direct.readerIndex() - 1, "who writes moves the index");
        } finally {
            direct.release();
            composite.release();
        }
    }

    @Test
    void aFileIsSentFromAnOffset(@TempDir Path directory) throws Exception {
        int[] ends = connection();
        Path file = Files.writeString(directory.resolve("f"), "0123456789");
        try (var channel = FileChannel.open(file)) {
            int in = fdOf(file);
            assertEquals(4, Socket.sendfile(ends[0], in, 3, 4));
            assertEquals("3456", read(ends[1]));
            assertEquals(1, Socket.sendfile(ends[0], in, 9, 100));
            assertEquals("9", read(ends[1]));
            assertEquals(0, Socket.sendfile(ends[0], in, 10, 100));
            assertEquals(0, channel.position());
        }
    }

    private int fdOf(Path file) throws IOException {
        try (var fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : fds) {
                try {
                    if (Files.readSymbolicLink(fd).equals(file.toRealPath())) {
                        return Integer.parseInt(fd.getFileName().toString());
                    }
                } catch (NoSuchFileException closedSince) {
                    continue; // the JVM opens and closes when it likes
                }
            }
        }
        throw new AssertionError("no fd of " + file);
    }

    @Test
    void datagramsComeWithTheirSenderAndSayWhenTheyWereCut() throws Exception {
        int a = bound(Socket.SOCK_DGRAM);
        int b = bound(Socket.SOCK_DGRAM);
        put("datagram");
        assertEquals(8, Socket.sendto(a, buffer, 8, at, local(b)));
        await(b);
        Memory.putInt(buffer + 1024, Addresses.MAX_SIZE);
        assertEquals(8, Socket.recvfrom(b, buffer, 3, Socket.MSG_TRUNC, at, buffer + 1024));
        assertEquals(Addresses.local(a), Addresses.decode(at, Memory.getInt(buffer + 1024)));
        assertEquals(0, Socket.sendto(a, buffer, 0, at, local(b)), "an empty one");
        await(b);
        assertEquals(0, Socket.read(b, buffer, 10));
        assertEquals(-Errno.EAGAIN, Socket.read(b, buffer, 10));
    }

    @Test
    void aMessageOfSeveralPiecesIsOneDatagram() throws Exception {
        int a = bound(Socket.SOCK_DGRAM);
        int b = bound(Socket.SOCK_DGRAM);
        put("onetwo");
        long iov = buffer + 1024;
        Memory.putLong(iov, buffer);
        Memory.putLong(iov + 8, 3);
        Memory.putLong(iov + 16, buffer + 3);
        Memory.putLong(iov + 24, 3);
        long message = buffer + 2048;
        Socket.msghdr(message, at, local(b), iov, 2);
        assertEquals(6, Socket.sendmsg(a, message));
        assertEquals("onetwo", read(b));
        assertEquals(6, Socket.sendmsg(a, message));
        await(b);
        Memory.clear(buffer, 6);
        Socket.msghdr(message, at, Addresses.MAX_SIZE, iov, 2);
        assertEquals(6, Socket.recvmsg(b, message, 0));
        assertEquals("onetwo", new String(Memory.get(buffer, 6), StandardCharsets.UTF_8));
        assertEquals(Addresses.local(a), Addresses.decodeInet(at));
    }

    @Test
    void anAddressThatIsTakenIsABindException() throws Exception {
        int first = bound(Socket.SOCK_STREAM);
        assertEquals(0, Socket.listen(first, 1));
        int result = Socket.bind(open(Socket.SOCK_STREAM), at, local(first));
        var e = assertInstanceOf(BindException.class, Failures.ofBind("bind", result));
        assertTrue(e.getMessage().contains("bind") && e.getMessage().contains("Address already in use"),
                e.getMessage());
    }

    @Test
    void aConnectionThatIsRefusedIsAConnectException() throws Exception {
        int nobody = bound(Socket.SOCK_STREAM); // bound, but does not listen
        int client = open(Socket.SOCK_STREAM);
        int result = Socket.connect(client, at, local(nobody));
        int error = result == -Errno.EINPROGRESS ? Socket.error(client) : result;
        var e = assertInstanceOf(ConnectException.class, Failures.ofConnect(error));
        assertTrue(e.getMessage().contains("Connection refused"), e.getMessage());
    }

    @Test
    void aDatagramToNobodyIsAPortUnreachableException() throws Exception {
        int gone = bound(Socket.SOCK_DGRAM);
        int length = local(gone);
        int client = open(Socket.SOCK_DGRAM);
        assertEquals(0, Socket.connect(client, at, length));
        Socket.close(fds.removeFirst());
        assertEquals(1, Socket.write(client, buffer, 1));
        await(client);
        var e = Failures.ofDatagram("recvfrom", Socket.read(client, buffer, 1));
        assertInstanceOf(PortUnreachableException.class, e);
    }

    @Test
    void aResetAndABrokenPipeReadAsTheKernelSaysThem() throws Exception {
        assertTrue(Failures.of("read", -Errno.ECONNRESET).getMessage().contains("Connection reset by peer"));
        assertTrue(Failures.of("write", -Errno.EPIPE).getMessage().contains("Broken pipe"));
        assertInstanceOf(ClosedChannelException.class, Failures.of("read", -Errno.EBADF));
        assertTrue(Failures.of("read", 4711).getMessage().contains("4711"));
    }

    @Test
    void aSocketIsNonBlockingAndClosedInAChild() {
        int fd = open(Socket.SOCK_STREAM);
        assertEquals(0x800, Fds.fcntl(fd, Fds.F_GETFL, 0) & 0x800);
        assertEquals(1, Fds.fcntl(fd, Fds.F_GETFD, 0) & 1);
        assertTrue(Socket.open(12345, Socket.SOCK_STREAM) < 0);
    }
}
