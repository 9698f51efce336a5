package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import dev.knote.linux.Shm;
import dev.knote.linux.Threads;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The file behind a {@link SharedMemory}: opens or makes it, checks what was opened, gives it its
 * size and maps it. For one thread and one use; who gets an exception calls {@link #abandon}.
 */
final class SharedFile {
    /** The last two are for what turns out not to be a regular file: no terminal, no waiting. */
    private static final int OPEN_FLAGS = Shm.O_RDWR | Shm.O_CLOEXEC | Shm.O_NOCTTY
            | Shm.O_NONBLOCK;
    /** fallocate(2) starts afresh after a signal; then the pieces get smaller, down to this. */
    private static final long MIN_PIECE = 1L << 20;
    private static final int S_IFMT = 0170000;
    private static final int S_IFREG = 0100000;
    private static final int STX_UID = 20;
    private static final int STX_MODE = 28;
    private static final int STX_SIZE = 40;

    private SharedPath path;
    private int fd = -1;
    private boolean made;

    SharedFile(SharedPath path) {
        this.path = path;
    }

    /** Opens what is there. */
    void open() {
        fd = path.need("openat", tryOpen());
        if (path.isMagicLink()) {
            path = ownPath();
        }
    }

    /** Makes what must not be there yet. */
    void create(long bytes, int mode) {
        path.checkSize(bytes);
        path.checkMode(mode);
        fd = path.need("openat", tryCreate());
        prepare(bytes, mode);
    }

    /** Opens what is there, and lets it grow if it is too small, or makes it. */
    void openOrCreate(long bytes, int mode) {
        path.checkSize(bytes);
        path.checkMode(mode);
        int opened;
        do {
            opened = tryOpen();
            if (opened == -Errno.ENOENT) {
                opened = tryCreate();
            }
        } while (opened == -Errno.EEXIST);
        fd = path.need("openat", opened);
        prepare(bytes, mode);
    }

    /** Makes a memfd whose size is fixed for good: whoever has it open may trust the size. */
    void createAnonymous(long bytes, boolean inheritable) {
        path.checkSize(bytes);
        int flags = Shm.MFD_ALLOW_SEALING | (inheritable ? 0 : Shm.MFD_CLOEXEC);
        int opened = Shm.memfd_create("knote", flags | Shm.MFD_NOEXEC_SEAL);
        if (opened == -Errno.EINVAL) {
            opened = Shm.memfd_create("knote", flags);
        }
        fd = path.need("memfd_create", opened);
        path.need("fchmod", Shm.fchmod(fd, SharedMemory.DEFAULT_MODE));
        path.need("ftruncate", Shm.ftruncate(fd, bytes));
        int seals = Shm.F_SEAL_SHRINK | Shm.F_SEAL_GROW | Shm.F_SEAL_SEAL;
        path.need("fcntl(F_ADD_SEALS)", Fds.fcntl(fd, Shm.F_ADD_SEALS, seals));
        path = ownPath();
    }

    /** Maps the file as it is now; EAGAIN if it is empty, EINVAL if it is smaller than that. */
    MemorySegment map(Arena arena, long bytes) {
        path.checkSize(bytes);
        long size = check();
        if (size == 0) {
            throw path.error(Errno.EAGAIN,
                    "it is empty: who made it has not given it a size yet, or died before that");
        }
        if (size < bytes) {
            throw path.error(Errno.EINVAL, "its size is " + size + ", expected at least " + bytes);
        }
        long address = Shm.mmap(fd, size);
        path.need("mmap of " + size + " bytes", (int) Math.min(address, 0));
        return Native.memory(address, size, arena, Shm::munmap);
    }

    int fd() {
        return fd;
    }

    String path() {
        return path.path();
    }

    /** Removes the name; EINVAL if this file was not opened by name. */
    void unlink() {
        var name = new SharedPath("unlink", path.path(), path.named());
        if (!name.named()) {
            throw name.error(Errno.EINVAL, "it has no name, expected memory opened by name");
        }
        name.need("unlinkat", Shm.unlink(name.path()));
    }

    /** Undoes what was done: removes what was made and closes what was opened. */
    void abandon() {
        if (made) {
            Shm.unlink(path.path());
        }
        close();
    }

    void close() {
        if (fd >= 0) {
            Fds.close(fd);
            fd = -1;
        }
    }

    private int tryOpen() {
        int flags = OPEN_FLAGS | (path.isMagicLink() ? 0 : Shm.O_NOFOLLOW);
        return Shm.open(path.path(), flags, 0);
    }

    private int tryCreate() {
        int flags = OPEN_FLAGS | Shm.O_NOFOLLOW | Shm.O_CREAT | Shm.O_EXCL;
        int opened = Shm.open(path.path(), flags, SharedMemory.DEFAULT_MODE);
        made = opened >= 0;
        return opened;
    }

    private void prepare(long bytes, int mode) {
        check();
        if (made) {
            path.need("fchmod", Shm.fchmod(fd, mode));
        }
        reserve(bytes);
    }

    private SharedPath ownPath() {
        return new SharedPath(path.call(), "/proc/" + Threads.getpid() + "/fd/" + fd, false);
    }

    /** The size of what is open, which must be a regular file of our own. */
    private long check() {
        try (var confined = Arena.ofConfined()) {
            MemorySegment statx = confined.allocate(Fds.STATX_SIZE, Long.BYTES);
            path.need("statx", Fds.statx(fd, statx));
            int type = statx.get(ValueLayout.JAVA_SHORT, STX_MODE) & S_IFMT;
            if (type != S_IFREG) {
                throw path.error(Errno.EINVAL, "its type is 0" + Integer.toOctalString(type)
                        + ", expected 0" + Integer.toOctalString(S_IFREG) + ", a regular file");
            }
            long owner = Integer.toUnsignedLong(statx.get(ValueLayout.JAVA_INT, STX_UID));
            long self = Integer.toUnsignedLong(Shm.geteuid());
            if (owner != self) {
                throw path.error(Errno.EACCES,
                        "its owner is uid " + owner + ", expected the effective uid, " + self);
            }
            return statx.get(ValueLayout.JAVA_LONG, STX_SIZE);
        }
    }

    /**
     * Takes the memory now: later, a page that a full file system cannot give is a SIGBUS. From the
     * end, so that the first piece already gives the file its whole size.
     */
    private void reserve(long bytes) {
        long piece = bytes;
        long end = bytes;
        while (end > 0) {
            long length = Math.min(piece, end);
            int result = Shm.fallocate(fd, end - length, length);
            if (result == -Errno.EINTR) {
                piece = Math.max(length / 2, MIN_PIECE);
            } else if (result == -Errno.EOPNOTSUPP) {
                extend(bytes);
                return;
            } else {
                path.need("fallocate of " + bytes + " bytes", result);
                end -= length;
            }
        }
    }

    /** Grows the file without fallocate(2); the lock keeps two who do this from shrinking it. */
    private void extend(long bytes) {
        int locked;
        do {
            locked = Shm.flock(fd, Shm.LOCK_EX);
        } while (locked == -Errno.EINTR);
        path.need("flock", locked);
        try {
            if (check() < bytes) {
                path.need("ftruncate", Shm.ftruncate(fd, bytes));
            }
        } finally {
            Shm.flock(fd, Shm.LOCK_UN);
        }
    }
}
