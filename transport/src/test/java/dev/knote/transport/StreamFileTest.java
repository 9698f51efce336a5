package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.knote.linux.Fds;
import dev.knote.transport.Streams.Record;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultFileRegion;
import java.io.IOException;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class StreamFileTest {
    private static final int SIZE = 5_000_000;

    @TempDir
    private Path dir;
    private final byte[] content = new byte[SIZE];
    private Path file;

    @BeforeEach
    void makeFile() throws IOException {
        new Random(1).nextBytes(content);
        file = Files.write(dir.resolve("content"), content);
    }

    private static byte[] read(Socket socket, int bytes) throws IOException {
        socket.setSoTimeout(60_000);
        return socket.getInputStream().readNBytes(bytes);
    }

    @ParameterizedTest
    @CsvSource({"0, 5000000", "4097, 3000000", "123, 1000", "0, 16384", "4999999, 1"})
    void aPartOfAFileComesBetweenWhatIsBeforeAndAfter(int from, int count) throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record).childOption(ChannelOption.SO_SNDBUF, 8192));
            try (Socket socket = new Socket()) {
                socket.setReceiveBufferSize(8192);
                socket.connect(server.localAddress());
                Channel channel = record.nextActive();
                channel.write(Unpooled.copiedBuffer("<".getBytes()));
                ChannelFuture sent = channel.write(new DefaultFileRegion(file.toFile(), from, count));
                channel.writeAndFlush(Unpooled.copiedBuffer(">".getBytes()));
                byte[] got = read(socket, count + 2);
                assertEquals('<', got[0]);
                assertEquals('>', got[count + 1]);
                assertArrayEquals(Arrays.copyOfRange(content, from, from + count),
                        Arrays.copyOfRange(got, 1, count + 1));
                sent.sync();
            }
        }
    }

    @Test
    void aFileThatEndsTooEarlyFailsTheWrite() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                Channel channel = record.nextActive();
                ChannelFuture sent = channel
                        .writeAndFlush(new DefaultFileRegion(file.toFile(), SIZE - 20_000, 40_000));
                assertEquals(20_000, read(socket, 20_000).length);
                assertFalse(sent.await().isSuccess());
            }
        }
    }

    /** For the JDK to send from it: the fd is lent, and must not keep a connection open. */
    @Test
    void aConnectionThatSentAFileIsClosedAtOnce() throws Exception {
        try (Streams streams = new Streams(1)) {
            Record record = new Record();
            Channel server = Streams.bind(streams.server(record));
            int fds = -1;
            for (int i = 0; i < 20; i++) {
                try (Socket socket = new Socket()) {
                    socket.connect(server.localAddress());
                    Channel channel = record.nextActive();
                    channel.writeAndFlush(new DefaultFileRegion(FileChannel.open(file), 0, 50_000));
                    assertEquals(50_000, read(socket, 50_000).length);
                    channel.close().sync();
                    assertEquals(-1, socket.getInputStream().read());
                }
                fds = i == 0 ? openFds() : fds;
            }
            int after = openFds();
            assertFalse(after > fds + 5, fds + " fds became " + after);
        }
    }

    private static int openFds() {
        int count = 0;
        for (int fd = 0; fd < 1000; fd++) {
            count += Fds.fcntl(fd, Fds.F_GETFD, 0) >= 0 ? 1 : 0;
        }
        return count;
    }
}
