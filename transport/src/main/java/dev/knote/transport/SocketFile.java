package dev.knote.transport;

import dev.knote.linux.Fds;
import dev.knote.transport.socket.Failures;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that a socket is put in the place of, so that {@link FileChannel#transferTo} sends with sendfile(2): the JDK
 * alone knows the fd of a user's FileChannel, and does that only for channels of its own. Belongs to one loop.
 */
final class SocketFile implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;
    private static final int STATX_INODE = 32;
    private static final int STATX_DEVICE = 136;
    private static final Path FDS = Path.of("/proc/self/fd");

    private final int idle;
    private final FileChannel channel;
    /** The channel's. */
    private final int fd;

    private SocketFile(int idle, FileChannel channel, int fd) {
        this.idle = idle;
        this.channel = channel;
        this.fd = fd;
    }

    static SocketFile open() throws IOException {
        int idle;
        try (Arena arena = Arena.ofConfined()) {
            idle = Fds.memfd_create(arena.allocateFrom("knote-socket").address(), MFD_CLOEXEC);
        }
        check("memfd_create", idle);
        int likely = Fds.dup(idle); // the lowest number that is free
        Fds.close(likely);
        FileChannel channel = null;
        try {
            channel = FileChannel.open(FDS.resolve(Integer.toString(idle)), StandardOpenOption.WRITE);
            int fd = isSame(idle, likely) ? likely : find(idle);
            return new SocketFile(idle, channel, fd);
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            Fds.close(idle);
            throw e;
        }
    }

    private static int find(int idle) throws IOException {
        try (DirectoryStream<Path> fds = Files.newDirectoryStream(FDS)) {
            for (Path path : fds) {
                int fd = Integer.parseInt(path.getFileName().toString());
                if (fd != idle && isSame(idle, fd)) {
                    return fd;
                }
            }
        }
        throw new IOException("a file that was opened is not in " + FDS);
    }

    private static boolean isSame(int one, int other) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment first = arena.allocate(Fds.STATX_SIZE, 8);
            MemorySegment second = arena.allocate(Fds.STATX_SIZE, 8);
            return Fds.statx(one, first) == 0 && Fds.statx(other, second) == 0
                    && MemorySegment.mismatch(first, STATX_INODE, STATX_INODE + 8,
                            second, STATX_INODE, STATX_INODE + 8) < 0
                    && MemorySegment.mismatch(first, STATX_DEVICE, STATX_DEVICE + 8,
                            second, STATX_DEVICE, STATX_DEVICE + 8) < 0;
        }
    }

    /** False after the loop's thread was interrupted while it sent: the JDK closes the channel then. */
    boolean isOpen() {
        return channel.isOpen();
    }

    /** The channel of a socket, until {@link #takeBack}. */
    FileChannel lend(int socket) throws IOException {
        check("dup3", Fds.dup3(socket, fd));
        return channel;
    }

    /** Before the socket may be closed: it would stay connected. */
    void takeBack() throws IOException {
        if (channel.isOpen()) {
            check("dup3", Fds.dup3(idle, fd));
        }
    }

    @Override
    public void close() throws IOException {
        Fds.close(idle);
        channel.close();
    }

    private static void check(String call, int result) throws IOException {
        if (result < 0) {
            throw new IOException(Failures.text(call, -result));
        }
    }
}
