package dev.knote.linux;

/** System call numbers of x86-64 and aarch64. From 424 on they are the same everywhere. */
public final class Sys {
    private static final boolean X86 = "amd64".equals(System.getProperty("os.arch"));

    static final int READ = pick(0, 63);
    static final int WRITE = pick(1, 64);
    static final int CLOSE = pick(3, 57);
    static final int MMAP = pick(9, 222);
    static final int MUNMAP = pick(11, 215);
    static final int RT_SIGPROCMASK = pick(14, 135);
    static final int IOCTL = pick(16, 29);
    static final int GETPID = pick(39, 172);
    static final int FCNTL = pick(72, 25);
    static final int LSEEK = pick(8, 62);
    static final int FLOCK = pick(73, 32);
    static final int FTRUNCATE = pick(77, 46);
    static final int FCHMOD = pick(91, 52);
    static final int GETEUID = pick(107, 175);
    static final int OPENAT = pick(257, 56);
    static final int UNLINKAT = pick(263, 35);
    static final int FALLOCATE = pick(285, 47);
    static final int GETTID = pick(186, 178);
    static final int TKILL = pick(200, 130);
    static final int FUTEX = pick(202, 98);
    static final int SCHED_GETAFFINITY = pick(204, 123);
    static final int TGKILL = pick(234, 131);
    static final int EPOLL_CTL = pick(233, 21);
    static final int PPOLL = pick(271, 73);
    static final int DUP3 = pick(292, 24);
    static final int TIMERFD_CREATE = pick(283, 85);
    static final int TIMERFD_SETTIME = pick(286, 86);
    static final int EVENTFD2 = pick(290, 19);
    static final int EPOLL_CREATE1 = pick(291, 20);
    static final int INOTIFY_INIT1 = pick(294, 26);
    static final int INOTIFY_ADD_WATCH = pick(254, 27);
    static final int INOTIFY_RM_WATCH = pick(255, 28);
    static final int GETCPU = pick(309, 168);
    static final int MEMFD_CREATE = pick(319, 279);
    static final int MEMBARRIER = pick(324, 283);
    static final int STATX = pick(332, 291);
    static final int IO_URING_SETUP = 425;
    static final int IO_URING_ENTER = 426;
    static final int IO_URING_REGISTER = 427;
    static final int EPOLL_PWAIT2 = 441;
    static final int FUTEX_WAITV = 449;
    static final int FUTEX_REQUEUE = 456;
    static final int EPOLL_PWAIT = pick(281, 22);

    public static final int WRITEV = pick(20, 66);
    public static final int SENDFILE = pick(40, 71);
    public static final int SOCKET = pick(41, 198);
    public static final int CONNECT = pick(42, 203);
    public static final int SENDTO = pick(44, 206);
    public static final int RECVFROM = pick(45, 207);
    public static final int SENDMSG = pick(46, 211);
    public static final int RECVMSG = pick(47, 212);
    public static final int SHUTDOWN = pick(48, 210);
    public static final int BIND = pick(49, 200);
    public static final int LISTEN = pick(50, 201);
    public static final int GETSOCKNAME = pick(51, 204);
    public static final int GETPEERNAME = pick(52, 205);
    public static final int SOCKETPAIR = pick(53, 199);
    public static final int SETSOCKOPT = pick(54, 208);
    public static final int GETSOCKOPT = pick(55, 209);
    public static final int ACCEPT4 = pick(288, 242);

    private Sys() {}

    static boolean x86() {
        return X86;
    }

    private static int pick(int x86, int aarch64) {
        return X86 ? x86 : aarch64;
    }
}
