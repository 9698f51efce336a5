package dev.knote.examples;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.knote.KeventException;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The calls of libc that make sockets as file descriptors, which is what a kqueue watches; the JDK's own
 * sockets do not show theirs. IPv4 loopback alone, as examples need no more. An errno is a
 * {@link KeventException}.
 *
 * <p>{@link dev.knote.Kqueue#close} closes an fd.
 */
public final class Libc {
    private static final boolean X86 = "amd64".equals(System.getProperty("os.arch"));
    private static final int SOCKET = X86 ? 41 : 198;
    private static final int BIND = X86 ? 49 : 200;
    private static final int LISTEN = X86 ? 50 : 201;
    private static final int GETSOCKNAME = X86 ? 51 : 204;
    private static final int ACCEPT4 = X86 ? 288 : 242;

    private static final int AF_INET = 2;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int BACKLOG = 128;
    private static final int ADDRESS_SIZE = 16;

    private Libc() {}

    /** A new TCP socket, close-on-exec. */
    public static int socket() {
        return (int) check("socket", Native.syscall(SOCKET, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }

    /** Binds a socket to a port of 127.0.0.1; 0 takes a free one. */
    public static void bind(int fd, int port) {
        try (var arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(ADDRESS_SIZE, JAVA_INT.byteAlignment());
            address.set(JAVA_SHORT, 0, (short) AF_INET);
            address.set(JAVA_SHORT, 2, Short.reverseBytes((short) port));
            address.set(JAVA_INT, 4, Integer.reverseBytes(0x7f000001));
            check("bind", Native.syscall(BIND, fd, address.address(), ADDRESS_SIZE));
        }
    }

    /** Lets a bound socket take connections. */
    public static void listen(int fd) {
        check("listen", Native.syscall(LISTEN, fd, BACKLOG, 0));
    }

    /** A socket, bound to a free port of 127.0.0.1, that listens. */
    public static int listener() {
        int fd = socket();
        bind(fd, 0);
        listen(fd);
        return fd;
    }

    /** The port that a socket is bound to. */
    public static int port(int fd) {
        try (var arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(ADDRESS_SIZE, JAVA_INT.byteAlignment());
            MemorySegment length = arena.allocateFrom(JAVA_INT, ADDRESS_SIZE);
            check("getsockname", Native.syscall(GETSOCKNAME, fd, address.address(), length.address()));
            return Short.reverseBytes(address.get(JAVA_SHORT, 2)) & 0xffff;
        }
    }

    /** The next connection of a listening socket, close-on-exec; waits if there is none. */
    public static int accept(int fd) {
        return (int) check("accept", Native.syscall(ACCEPT4, fd, 0, 0, SOCK_CLOEXEC, 0, 0));
    }

    /** Reads at most as many bytes as the buffer has, which is native memory; 0 at the end. */
    public static int read(int fd, MemorySegment buffer) {
        return (int) check("read", Fds.read(fd, buffer.address(), buffer.byteSize()));
    }

    /** Writes all of the buffer, which is native memory. */
    public static void write(int fd, MemorySegment buffer) {
        for (long at = 0; at < buffer.byteSize();) {
            at += check("write", Fds.write(fd, buffer.address() + at, buffer.byteSize() - at));
        }
    }

    private static long check(String call, long result) {
        if (result < 0) {
            throw new KeventException((int) -result, call);
        }
        return result;
    }
}
