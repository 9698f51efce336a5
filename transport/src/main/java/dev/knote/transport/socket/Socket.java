package dev.knote.transport.socket;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import dev.knote.linux.Sys;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * System calls on a socket's fd. A result is the kernel's, or {@code -errno}; nothing is thrown, no object made. A call
 * that a signal interrupted is made again.
 */
public final class Socket {
    public static final int AF_UNIX = 1;
    public static final int AF_INET = Fds.AF_INET;
    public static final int AF_INET6 = Fds.AF_INET6;
    public static final int SOCK_STREAM = 1;
    public static final int SOCK_DGRAM = Fds.SOCK_DGRAM;
    public static final int SHUT_RD = 0;
    public static final int SHUT_WR = 1;
    public static final int SHUT_RDWR = 2;
    public static final int MSG_TRUNC = Fds.MSG_TRUNC;

    /** Bytes of struct msghdr: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
    public static final int MSGHDR_SIZE = 56;
    /** Bytes of struct iovec: base 0, len 8. */
    public static final int IOVEC_SIZE = 16;
    /** The most that the kernel takes at once (UIO_MAXIOV). */
    public static final int IOVEC_MAX = 1024;

    private static final int SOCK_NONBLOCK_CLOEXEC = 0x80800;
    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_NOSIGNAL = 0x4000;
    private static final int EINTR = -Errno.EINTR;
    private static final int VALUE = 0;
    private static final int LENGTH = 8;

    /** Room for an option's value and its length. */
    private static final ThreadLocal<MemorySegment> ROOM = ThreadLocal
            .withInitial(() -> Arena.ofAuto().allocate(16, 8));

    private Socket() {}

    /** A new socket, non-blocking and close-on-exec. One of IPv6 also speaks IPv4, whatever the system's default. */
    public static int open(int family, int type) {
        int fd = (int) Native.syscall(Sys.SOCKET, family, type | SOCK_NONBLOCK_CLOEXEC, 0);
        if (fd >= 0 && family == AF_INET6 && Addresses.isV6OnlyByDefault()) {
            setsockopt(fd, SocketOption.IPPROTO_IPV6, SocketOption.IPV6_V6ONLY, 0);
        }
        return fd;
    }

    public static int close(int fd) {
        return Fds.close(fd);
    }

    public static int bind(int fd, long addressAt, int length) {
        return (int) Native.syscall(Sys.BIND, fd, addressAt, length);
    }

    /** 0, or -EINPROGRESS: also when a signal came, as the connection is then made in the background. */
    public static int connect(int fd, long addressAt, int length) {
        int result = (int) Native.syscall(Sys.CONNECT, fd, addressAt, length);
        return result == EINTR ? -Errno.EINPROGRESS : result;
    }

    public static int listen(int fd, int backlog) {
        return (int) Native.syscall(Sys.LISTEN, fd, backlog, 0);
    }

    /** The next connection, non-blocking and close-on-exec; {@code lengthAt} holds the room at {@code addressAt}. */
    public static int accept(int fd, long addressAt, long lengthAt) {
        int result;
        do {
            result = (int) Native.syscall(
                    Sys.ACCEPT4, fd, addressAt, lengthAt, SOCK_NONBLOCK_CLOEXEC, 0, 0);
        } while (result == EINTR);
        return result;
    }

    /** recv(2). */
    public static int read(int fd, long at, int count) {
        int result;
        do {
            result = (int) Native.syscall(Sys.RECVFROM, fd, at, count, 0, 0, 0);
        } while (result == EINTR);
        return result;
    }

    /** send(2). */
    public static int write(int fd, long at, int count) {
        int result;
        do {
            result = (int) Native.syscall(Sys.SENDTO, fd, at, count, MSG_NOSIGNAL, 0, 0);
        } while (result == EINTR);
        return result;
    }

    /** writev(2): the JVM ignores SIGPIPE. */
    public static long writev(int fd, long iovAt, int count) {
        long result;
        do {
            result = Native.syscall(Sys.WRITEV, fd, iovAt, count);
        } while (result == EINTR);
        return result;
    }

    /** sendfile(2) from {@code offset} of the file {@code in}, whose own offset is left. */
    public static long sendfile(int out, int in, long offset, long count) {
        long at = ROOM.get().address();
        long result;
        do {
            Memory.putLong(at, offset);
            result = Native.syscall(Sys.SENDFILE, out, in, at, count, 0, 0);
        } while (result == EINTR);
        return result;
    }

    /** One datagram; to the peer of a connected socket with a {@code length} of 0. */
    public static int sendto(int fd, long at, int count, long addressAt, int length) {
        int result;
        do {
            result = (int) Native.syscall(Sys.SENDTO, fd, at, count, MSG_NOSIGNAL, addressAt, length);
        } while (result == EINTR);
        return result;
    }

    /** One datagram and its sender; {@code lengthAt} holds the room at {@code addressAt}. */
    public static int recvfrom(int fd, long at, int count, int flags, long addressAt, long lengthAt) {
        int result;
        do {
            result = (int) Native.syscall(Sys.RECVFROM, fd, at, count, flags, addressAt, lengthAt);
        } while (result == EINTR);
        return result;
    }

    public static long sendmsg(int fd, long msghdrAt) {
        long result;
        do {
            result = Native.syscall(Sys.SENDMSG, fd, msghdrAt, MSG_NOSIGNAL);
        } while (result == EINTR);
        return result;
    }

    public static long recvmsg(int fd, long msghdrAt, int flags) {
        long result;
        do {
            result = Native.syscall(Sys.RECVMSG, fd, msghdrAt, flags);
        } while (result == EINTR);
        return result;
    }

    /** Fills in a struct msghdr without control data. */
    public static void msghdr(long msghdrAt, long addressAt, int length, long iovAt, int iovCount) {
        Memory.putLong(msghdrAt, addressAt);
        Memory.putLong(msghdrAt + 8, length);
        Memory.putLong(msghdrAt + 16, iovAt);
        Memory.putLong(msghdrAt + 24, iovCount);
        Memory.putLong(msghdrAt + 32, 0);
        Memory.putLong(msghdrAt + 40, 0);
        Memory.putLong(msghdrAt + 48, 0);
    }

    /** {@code how} is SHUT_RD, SHUT_WR or SHUT_RDWR. */
    public static int shutdown(int fd, int how) {
        return (int) Native.syscall(Sys.SHUTDOWN, fd, how, 0);
    }

    public static int getsockname(int fd, long addressAt, long lengthAt) {
        return (int) Native.syscall(Sys.GETSOCKNAME, fd, addressAt, lengthAt);
    }

    public static int getpeername(int fd, long addressAt, long lengthAt) {
        return (int) Native.syscall(Sys.GETPEERNAME, fd, addressAt, lengthAt);
    }

    public static int getsockopt(int fd, int level, int name, long valueAt, long lengthAt) {
        return Fds.getsockopt(fd, level, name, valueAt, lengthAt);
    }

    public static int setsockopt(int fd, int level, int name, long valueAt, int length) {
        return (int) Native.syscall(Sys.SETSOCKOPT, fd, level, name, valueAt, length, 0);
    }

    /** The value of an option of 32 bits, unsigned, so that only an error is negative: cast it to int. */
    public static long getsockopt(int fd, int level, int name) {
        long room = ROOM.get().address();
        Memory.putLong(room + VALUE, 0); // the kernel may have but one byte to tell
        Memory.putInt(room + LENGTH, Integer.BYTES);
        int result = getsockopt(fd, level, name, room + VALUE, room + LENGTH);
        return result < 0 ? result : Memory.getInt(room + VALUE) & 0xffffffffL;
    }

    /** Sets an option of 32 bits. */
    public static int setsockopt(int fd, int level, int name, int value) {
        long room = ROOM.get().address();
        Memory.putInt(room, value);
        return setsockopt(fd, level, name, room, Integer.BYTES);
    }

    /** The error that is pending on the socket, and takes it: 0 or an errno; -errno if the call failed itself. */
    public static int error(int fd) {
        return (int) getsockopt(fd, Fds.SOL_SOCKET, Fds.SO_ERROR);
    }
}
