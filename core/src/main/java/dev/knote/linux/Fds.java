package dev.knote.linux;

import java.lang.foreign.MemorySegment;

/** What can be asked of any file descriptor. A {@code long} argument named {@code *At} is an address. */
public final class Fds {
    public static final int SOL_SOCKET = 1;
    public static final int SO_TYPE = 3;
    public static final int SO_ERROR = 4;
    public static final int SO_SNDBUF = 7;
    public static final int SO_ACCEPTCONN = 30;
    public static final int SO_DOMAIN = 39;
    public static final int IPPROTO_TCP = 6;
    public static final int TCP_INFO = 11;
    public static final int FIONREAD = 0x541B;
    public static final int SIOCOUTQ = 0x5411;
    public static final int F_GETFD = 1;
    public static final int F_GETFL = 3;
    public static final int F_DUPFD_CLOEXEC = 1030;
    public static final int F_GETPIPE_SZ = 1032;
    public static final int MSG_PEEK = 0x2;
    public static final int MSG_TRUNC = 0x20;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int SEEK_CUR = 1;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_RAW = 3;
    public static final int SOCK_RDM = 4;
    public static final int SOCK_SEQPACKET = 5;
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;
    public static final int O_ACCMODE = 3;
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int S_IFMT = 0xf000;
    public static final int S_IFIFO = 0x1000;
    public static final int S_IFREG = 0x8000;
    public static final int S_IFSOCK = 0xc000;
    public static final int POLLNVAL = 0x20;
    public static final int IN_MODIFY = 0x2;
    /** Bytes of struct statx. */
    public static final int STATX_SIZE = 256;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int O_CLOEXEC = 0x80000;
    private static final int EFD_CLOEXEC_NONBLOCK = 0x80800;
    private static final MemorySegment EMPTY = java.lang.foreign.Arena.global().allocate(8);

    private Fds() {}

    public static int close(int fd) {
        return (int) Native.syscall(Sys.CLOSE, fd, 0, 0);
    }

    /** dup(2), close-on-exec. */
    public static int dup(int fd) {
        return fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }

    /** Makes the number {@code to} another of {@code from}, close-on-exec; what it was is closed. */
    public static int dup3(int from, int to) {
        int result;
        do {
            result = (int) Native.syscall(Sys.DUP3, from, to, O_CLOEXEC);
        } while (result == -Errno.EBUSY || result == -Errno.EINTR);
        return result;
    }

    public static long read(int fd, long bufferAt, long count) {
        return Native.syscall(Sys.READ, fd, bufferAt, count);
    }

    public static long write(int fd, long bufferAt, long count) {
        return Native.syscall(Sys.WRITE, fd, bufferAt, count);
    }

    public static int fcntl(int fd, int command, long argument) {
        return (int) Native.syscall(Sys.FCNTL, fd, command, argument);
    }

    public static int ioctl(int fd, long request, long argumentAt) {
        return (int) Native.syscall(Sys.IOCTL, fd, request, argumentAt);
    }

    public static long lseek(int fd, long offset, int whence) {
        return Native.syscall(Sys.LSEEK, fd, offset, whence);
    }

    public static int getsockopt(int fd, int level, int option, long valueAt, long lengthAt) {
        return (int) Native.syscall(Sys.GETSOCKOPT, fd, level, option, valueAt, lengthAt, 0);
    }

    public static long recv(int fd, long bufferAt, long length, int flags) {
        return Native.syscall(Sys.RECVFROM, fd, bufferAt, length, flags, 0, 0);
    }

    /** poll(2) of one descriptor without waiting; {@code pollfd} is 8 bytes of room. Returns revents, or -errno. */
    public static int poll(int fd, int events, MemorySegment pollfd, MemorySegment zeroTimespec) {
        pollfd.set(java.lang.foreign.ValueLayout.JAVA_INT, 0, fd);
        pollfd.set(java.lang.foreign.ValueLayout.JAVA_INT, 4, events & 0xffff);
        long result = Native.syscall(Sys.PPOLL, pollfd.address(), 1, zeroTimespec.address(), 0, 0, 0);
        return result < 0
                ? (int) result
                : pollfd.get(java.lang.foreign.ValueLayout.JAVA_SHORT, 6) & 0xffff;
    }

    /** statx(2) of the descriptor into {@link #STATX_SIZE} bytes: mode u16 28, ino 32, size 40, dev 136 and 140. */
    public static int statx(int fd, MemorySegment into) {
        return (int) Native.syscall(
                Sys.STATX, fd, EMPTY.address(), AT_EMPTY_PATH, STATX_BASIC_STATS, into.address(), 0);
    }

    public static int eventfd() {
        return (int) Native.syscall(Sys.EVENTFD2, 0, EFD_CLOEXEC_NONBLOCK, 0);
    }

    public static int inotify_init1() {
        return (int) Native.syscall(Sys.INOTIFY_INIT1, EFD_CLOEXEC_NONBLOCK, 0, 0);
    }

    public static int inotify_add_watch(int fd, long pathAt, int mask) {
        return (int) Native.syscall(Sys.INOTIFY_ADD_WATCH, fd, pathAt, mask);
    }

    public static int inotify_rm_watch(int fd, int watch) {
        return (int) Native.syscall(Sys.INOTIFY_RM_WATCH, fd, watch, 0);
    }

    public static int memfd_create(long nameAt, int flags) {
        return (int) Native.syscall(Sys.MEMFD_CREATE, nameAt, flags, 0);
    }
}
