package dev.knote.filters;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Asks the kernel what a descriptor is and has, with memory of the calling thread. What fails returns
 * {@code -errno}.
 */
final class FdProbe {
    private static final ThreadLocal<FdProbe> OF_THREAD = ThreadLocal.withInitial(FdProbe::new);
    private static final int STATX_MODE_AT = 28;
    private static final int STATX_INODE_AT = 32;
    private static final int STATX_SIZE_AT = 40;
    private static final int STATX_DEVICE_AT = 136;
    private static final int TCP_INFO_UNACKED_AT = 24;
    private static final int TCP_INFO_BYTES = TCP_INFO_UNACKED_AT + Integer.BYTES;
    private static final byte TCP_LISTEN = 10;

    private final MemorySegment number = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment length = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment pollfd = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment noTime = Arena.ofAuto().allocate(2 * Long.BYTES, Long.BYTES);
    private final MemorySegment struct = Arena.ofAuto().allocate(Fds.STATX_SIZE, Long.BYTES);

    private FdProbe() {}

    static FdProbe get() {
        return OF_THREAD.get();
    }

    /** poll(2) without waiting: EPOLL* bits; EBADF for what is no descriptor. */
    int poll(int fd, int events) {
        int bits = Fds.poll(fd, events, pollfd, noTime);
        if (bits == -Errno.EINTR) {
            return 0; // a signal is only looked at when nothing was ready
        }
        return bits > 0 && (bits & Fds.POLLNVAL) != 0 ? -Errno.EBADF : bits;
    }

    /** Bytes that can be read, or of a datagram socket the size of the next datagram. */
    int available(int fd) {
        return ioctl(fd, Fds.FIONREAD);
    }

    /** Bytes of a socket's send buffer that are taken. */
    int queued(int fd) {
        return ioctl(fd, Fds.SIOCOUTQ);
    }

    /** A socket option whose value is an int, negative ones not among them. */
    int option(int fd, int option) {
        length.set(ValueLayout.JAVA_INT, 0, Integer.BYTES);
        int result = Fds.getsockopt(fd, Fds.SOL_SOCKET, option, number.address(), length.address());
        return result < 0 ? result : number.get(ValueLayout.JAVA_INT, 0);
    }

    /** Connections that a listening TCP socket has for accept(2); of one that does not listen, EINVAL. */
    int backlog(int fd) {
        length.set(ValueLayout.JAVA_INT, 0, TCP_INFO_BYTES);
        int result = Fds.getsockopt(fd, Fds.IPPROTO_TCP, Fds.TCP_INFO, struct.address(), length.address());
        if (result < 0) {
            return result;
        }
        // A listening socket has its accept queue's length where others have segments not acknowledged.
        return struct.get(ValueLayout.JAVA_BYTE, 0) == TCP_LISTEN
                ? struct.get(ValueLayout.JAVA_INT, TCP_INFO_UNACKED_AT)
                : -Errno.EINVAL;
    }

    /** Bytes of the first record of a SEQPACKET socket, which stays where it is. */
    int record(int fd) {
        int flags = Fds.MSG_PEEK | Fds.MSG_TRUNC | Fds.MSG_DONTWAIT;
        return (int) Fds.recv(fd, number.address(), 0, flags);
    }

    int accessMode(int fd) {
        int flags = Fds.fcntl(fd, Fds.F_GETFL, 0);
        return flags < 0 ? flags : flags & Fds.O_ACCMODE;
    }

    int pipeSize(int fd) {
        return Fds.fcntl(fd, Fds.F_GETPIPE_SZ, 0);
    }

    /** statx(2): the type bits of the file's mode. {@link #size()} and the others speak of the last call. */
    int fileType(int fd) {
        int result = Fds.statx(fd, struct);
        return result < 0 ? result : struct.get(ValueLayout.JAVA_SHORT, STATX_MODE_AT) & Fds.S_IFMT;
    }

    long size() {
        return struct.get(ValueLayout.JAVA_LONG, STATX_SIZE_AT);
    }

    long inode() {
        return struct.get(ValueLayout.JAVA_LONG, STATX_INODE_AT);
    }

    long device() {
        return struct.get(ValueLayout.JAVA_LONG, STATX_DEVICE_AT);
    }

    private int ioctl(int fd, long request) {
        int result = Fds.ioctl(fd, request, number.address());
        return result < 0 ? result : number.get(ValueLayout.JAVA_INT, 0);
    }
}
