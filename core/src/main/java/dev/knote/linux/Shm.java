package dev.knote.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What shm_open(3), ftruncate(2) and mmap(2) are made of. Paths go to the kernel as UTF-8. */
public final class Shm {
    public static final int O_RDWR = 0x2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NOCTTY = 0x100;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_NOFOLLOW = Sys.x86() ? 0x20000 : 0x8000;
    public static final int O_CLOEXEC = 0x80000;
    public static final int LOCK_EX = 2;
    public static final int LOCK_UN = 8;
    public static final int MFD_CLOEXEC = 0x1;
    public static final int MFD_ALLOW_SEALING = 0x2;
    /** From Linux 6.3 on; EINVAL before. */
    public static final int MFD_NOEXEC_SEAL = 0x8;
    public static final int F_ADD_SEALS = 1033;
    public static final int F_SEAL_SEAL = 0x1;
    public static final int F_SEAL_SHRINK = 0x2;
    public static final int F_SEAL_GROW = 0x4;

    private static final int AT_FDCWD = -100;
    private static final int PROT_READ_WRITE = 0x3;
    private static final int MAP_SHARED = 0x1;
    private static final int NO_WAY_TO_MASK = -1;
    private static final int SIGSET_BYTES = 8;

    private Shm() {}

    public static int open(String path, int flags, int mode) {
        try (var arena = Arena.ofConfined()) {
            long pathAt = arena.allocateFrom(path).address();
            return (int) Native.syscall(Sys.OPENAT, AT_FDCWD, pathAt, flags, mode, 0, 0);
        }
    }

    public static int unlink(String path) {
        try (var arena = Arena.ofConfined()) {
            long pathAt = arena.allocateFrom(path).address();
            return (int) Native.syscall(Sys.UNLINKAT, AT_FDCWD, pathAt, 0);
        }
    }

    public static int memfd_create(String name, int flags) {
        try (var arena = Arena.ofConfined()) {
            return Fds.memfd_create(arena.allocateFrom(name).address(), flags);
        }
    }

    public static int fchmod(int fd, int mode) {
        return (int) Native.syscall(Sys.FCHMOD, fd, mode, 0);
    }

    public static int ftruncate(int fd, long size) {
        return (int) Native.syscall(Sys.FTRUNCATE, fd, size, 0);
    }

    /** Allocates the bytes and lets the file grow to hold them; it never shrinks. */
    public static int fallocate(int fd, long offset, long bytes) {
        return (int) Native.syscall(Sys.FALLOCATE, fd, 0, offset, bytes, 0, 0);
    }

    public static int flock(int fd, int operation) {
        return (int) Native.syscall(Sys.FLOCK, fd, operation, 0);
    }

    public static int geteuid() {
        return (int) Native.syscall(Sys.GETEUID, 0, 0, 0);
    }

    /** Maps the file from its start, shared, to read and write; the address, or -errno. */
    public static long mmap(int fd, long bytes) {
        return Native.syscall(Sys.MMAP, 0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    }

    /**
     * Whether the aligned 8 bytes around the address can be read. The kernel copies a signal set from there before it
     * refuses to do with it what it does not know.
     */
    public static boolean isReadable(long address) {
        long set = address & -SIGSET_BYTES;
        return Native.syscall(Sys.RT_SIGPROCMASK, NO_WAY_TO_MASK, set, 0, SIGSET_BYTES, 0,
                0) != -Errno.EFAULT;
    }

    public static int munmap(MemorySegment mapped) {
        return (int) Native.syscall(Sys.MUNMAP, mapped.address(), mapped.byteSize(), 0);
    }
}
