package dev.knote.filters.conformance;

import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors of all kinds, which do not block and are closed at the end of the test. */
abstract class FdFixture extends KeventFixture {
    private static final int SOL_SOCKET = 1;
    private static final int SO_LINGER = 13;

    @TempDir
    Path directory;

    private final List<Integer> fds = new ArrayList<>();
    private int files;

    /** The two ways to close a descriptor. */
    enum Closing {
        /** By Knote, which takes knotes away at once. */
        KNOTE {
            @Override
            void close(int fd) {
                Kqueue.close(fd);
            }
        },
        /** Behind Knote's back. */
        LIBC {
            @Override
            void close(int fd) {
                must("close", fd);
            }
        };

        abstract void close(int fd);
    }

    @AfterEach
    void closeFds() {
        for (int fd : fds) {
            call("close", fd);
        }
    }

    int keep(int fd) {
        fds.add(fd);
        return fd;
    }

    private int[] keep(int[] two) {
        keep(two[0]);
        keep(two[1]);
        return two;
    }

    /** Closes it by libc. */
    void shut(int fd) {
        shut(fd, Closing.LIBC);
    }

    void shut(int fd, Closing how) {
        assertTrue(fds.remove((Integer) fd), "the test's own fd " + fd);
        how.close(fd);
    }

    /** A new number for the same open file. */
    int twin(int fd) {
        return keep(must("dup", fd));
    }

    /** The reading end, the writing end. */
    int[] pipe() {
        return keep(two("pipe2", O_NONBLOCK | O_CLOEXEC));
    }

    int[] socketpair(int type) {
        return keep(two("socketpair", AF_UNIX, type | O_NONBLOCK | O_CLOEXEC, 0));
    }

    int socket(int domain, int type) {
        return keep(must("socket", domain, type | O_CLOEXEC, 0));
    }

    int tcpListener() {
        int fd = socket(AF_INET, SOCK_STREAM);
        atPort("bind", fd, 0);
        must("listen", fd, 16);
        return fd;
    }

    int tcpClient(int listener) {
        int fd = socket(AF_INET, SOCK_STREAM);
        atPort("connect", fd, port(listener));
        nonBlocking(fd);
        return fd;
    }

    int accept(int listener) {
        int fd = keep(must("accept4", listener, 0, 0, O_NONBLOCK | O_CLOEXEC));
        return fd;
    }

    /** Two ends of a TCP connection. */
    int[] tcp() {
        int listener = tcpListener();
        int[] pair = {tcpClient(listener), accept(listener)};
        shut(listener);
        return pair;
    }

    /** A UDP socket on 127.0.0.1. */
    int udp() {
        int fd = socket(AF_INET, SOCK_DGRAM | O_NONBLOCK);
        atPort("bind", fd, 0);
        return fd;
    }

    /** A file of {@code size} bytes, open at its beginning. */
    int file(int size) {
        int fd = keep(open(newPath(), O_RDWR | O_CREAT));
        assertEquals(size, Libc.write(fd, size));
        seek(fd, 0);
        return fd;
    }

    String newPath() {
        return directory.resolve("f" + files++).toString();
    }

    /** Where the file of a descriptor lies. */
    static Path pathOf(int fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static void seek(int fd, long position) {
        must("lseek", fd, position, 0);
    }

    static void write(int fd, int count) {
        assertEquals(count, Libc.write(fd, count), "bytes written");
    }

    static void read(int fd, int count) {
        assertEquals(count, Libc.read(fd, count), "bytes read");
    }

    /** Writes until nothing more is taken; how much that was. */
    static int fill(int fd) {
        int total = 0;
        for (int chunk = 65536; chunk > 0; chunk = chunk > 1 ? chunk / 16 : 0) {
            for (int n; (n = Libc.write(fd, chunk)) > 0;) {
                total += n;
            }
        }
        return total;
    }

    /** Reads all that is there; how much that was. */
    static int drain(int fd) {
        int total = 0;
        for (int n; (n = Libc.read(fd, 65536)) > 0;) {
            total += n;
        }
        return total;
    }

    /** Closes a TCP connection with RST. */
    void reset(int fd) {
        option(fd, SOL_SOCKET, SO_LINGER, 1, 0);
        shut(fd);
    }

    /** Waits, without Knote, until the kernel says this of the descriptor. */
    static void untilPoll(int fd, int bits) {
        assertTrue(within(LONG, () -> (poll(fd, bits) & bits) == bits),
                () -> "poll(2) says 0x" + Integer.toHexString(poll(fd, bits)));
    }
}
