package dev.knote;

import dev.knote.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * Memory that several processes have mapped: a file in /dev/shm, found by its name, or a memfd,
 * found by {@link #path()}. A queue can wait for its words with EVFILT_USERMEM.
 *
 * <p>It holds plain bytes and nothing else: a C program has the same memory by {@code shm_open} and
 * {@code mmap}. New memory is all zero. Sizes and offsets are in bytes; a {@link #word32 word} has
 * a cache line of {@value #LINE} bytes to itself, word {@code i} starts at {@code i * LINE}.
 *
 * <p><b>Who may.</b> New files have mode 0600. Only a regular file that the effective uid owns is
 * ever mapped; that is checked of the open file, not of its path. A symbolic link is refused.
 *
 * <p><b>Lifetime.</b> Memory stays mapped, and its fd open, until {@link #close()}, which the
 * garbage collector does not call. A name stays until {@link #unlink()}, also when all processes
 * that had it open are gone. A file that somebody shrinks while it is mapped is not there any more where
 * it ended: reading, adding and swapping throw the JDK's InternalError. Anonymous memory cannot be shrunk.
 *
 * <p><b>Threads.</b> Any thread may call anything.
 *
 * <p><b>Errors</b> are {@link KeventException}s and leave nothing behind, neither fd nor file:
 * EINVAL for a bad argument or what is not a regular file (EISDIR for a directory), EEXIST, ENOENT,
 * EACCES for a file of another owner, ELOOP for a symbolic link, EAGAIN for a file that is still
 * empty, ENOSPC if /dev/shm is full, ENOMEM if it cannot be mapped, EMFILE, ENFILE, and EPERM if
 * the JDK denies this module native access.
 *
 * <p>Contract: shm_open(3), memfd_create(2), mmap(2), fallocate(2).
 */
public final class SharedMemory implements AutoCloseable {
    /** Bytes from one word to the next: a cache line of x86-64 and aarch64. */
    public static final int LINE = 64;

    static final int DEFAULT_MODE = 0600;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle POLLS;

    static {
        try {
            POLLS = MethodHandles.lookup().findStaticVarHandle(SharedMemory.class, "polls", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** 1, which the compiler does not know. */
    @SuppressWarnings("unused") // by POLLS
    private static int polls = 1;

    private final SharedFile file;
    private final Arena arena;
    private final MemorySegment segment;

    private SharedMemory(SharedFile file, Arena arena, MemorySegment segment) {
        this.file = file;
        this.arena = arena;
        this.segment = segment;
    }

    /** As {@link #create(String, long, int)} with mode 0600. */
    public static SharedMemory create(String name, long bytes) {
        return create(name, bytes, DEFAULT_MODE);
    }

    /**
     * Makes named memory and takes {@code bytes} of /dev/shm for it.
     *
     * @param name a file name of 1 to 255 bytes of UTF-8, with or without a '/' in front
     * @param mode who may open it, such as 0660; the umask does not count
     * @throws KeventException EEXIST if there is a file of this name
     */
    public static SharedMemory create(String name, long bytes, int mode) {
        var made = new SharedFile(SharedPath.named("create", name));
        return of(made, bytes, () -> made.create(bytes, mode));
    }

    /** Opens the named memory that is there, all of it. */
    public static SharedMemory open(String name) {
        return open(name, 1);
    }

    /**
     * Opens the named memory that is there, all of it. Another process that waits for it to be made
     * tries again on ENOENT and, as C programs first make a file and then give it a size, EAGAIN.
     *
     * @throws KeventException ENOENT; EAGAIN if it is empty; EINVAL if it has less than
     *         {@code bytes}
     */
    public static SharedMemory open(String name, long bytes) {
        var there = new SharedFile(SharedPath.named("open", name));
        return of(there, bytes, there::open);
    }

    /** As {@link #openOrCreate(String, long, int)} with mode 0600. */
    public static SharedMemory openOrCreate(String name, long bytes) {
        return openOrCreate(name, bytes, DEFAULT_MODE);
    }

    /**
     * Opens named memory, all of it, or makes it. What is there keeps its content and its mode; it
     * grows to {@code bytes} if it has less. Of several processes that do this at once, one makes
     * it, and each gets at least the bytes it asked for.
     */
    public static SharedMemory openOrCreate(String name, long bytes, int mode) {
        var either = new SharedFile(SharedPath.named("openOrCreate", name));
        return of(either, bytes, () -> either.openOrCreate(bytes, mode));
    }

    /** As {@link #anonymous(long, boolean)}, not inheritable. */
    public static SharedMemory anonymous(long bytes) {
        return anonymous(bytes, false);
    }

    /**
     * Makes memory without a name: it is gone when all have closed it. Another process of the same
     * user opens it by {@link #path()}. Its size is sealed; its pages are taken at first touch.
     *
     * @param inheritable whether {@link #fd()} stays open across execve(2). {@link ProcessBuilder}
     *        closes it in the child all the same; a child started so needs {@link #path()}
     */
    public static SharedMemory anonymous(long bytes, boolean inheritable) {
        var made = new SharedFile(SharedPath.anonymous("anonymous"));
        return of(made, bytes, () -> made.createAnonymous(bytes, inheritable));
    }

    /**
     * Opens the memory at a path that {@link #path()} gave, perhaps in another process, or any
     * other file, all of it. The last part of the path must not be a symbolic link, unless the path
     * is {@code /proc/PID/fd/N}.
     */
    public static SharedMemory map(Path path) {
        var there = new SharedFile(SharedPath.at("map", path));
        return of(there, 1, there::open);
    }

    /** Removes a name. Who has the memory open keeps it. Fails with ENOENT if there is none. */
    public static void unlink(String name) {
        var named = new SharedFile(SharedPath.named("unlink", name));
        try {
            named.unlink();
        } catch (LinkageError e) {
            throw denied(e);
        }
    }

    /** The file descriptor, open until {@link #close()}; afterwards an IllegalStateException. */
    public int fd() {
        synchronized (file) {
            if (file.fd() < 0) {
                throw new IllegalStateException("SharedMemory.fd: " + this + " is closed");
            }
            return file.fd();
        }
    }

    /** All of the memory. Access after {@link #close()} is an IllegalStateException. */
    public MemorySegment segment() {
        return segment;
    }

    /** How many bytes are mapped: those that the file had when it was opened. */
    public long size() {
        return segment.byteSize();
    }

    /**
     * Where another process of the same user can open this memory by {@link #map}: {@code
     * /dev/shm/NAME} until it is unlinked, {@code /proc/PID/fd/FD} until this process closes it.
     * InvalidPathException if the name has letters that this process's locale does not.
     */
    public Path path() {
        return Path.of(file.path());
    }

    /** The 4 bytes at {@code index * LINE}; IndexOutOfBoundsException if they are not there. */
    public MemorySegment word32(int index) {
        return segment.asSlice((long) index * LINE, Integer.BYTES, Integer.BYTES);
    }

    /** The 8 bytes at {@code index * LINE}; IndexOutOfBoundsException if they are not there. */
    public MemorySegment word64(int index) {
        return segment.asSlice((long) index * LINE, Long.BYTES, Long.BYTES);
    }

    /** Removes the name, before or after {@link #close()}; EINVAL if it was not opened by name. */
    public void unlink() {
        file.unlink();
    }

    /**
     * Unmaps the memory and closes the fd; the name stays. Does nothing the second time. Who waits
     * for a word of it in a queue should stop before. Throws IllegalStateException, and closes
     * nothing, while a thread has the segment in a native call; call it again then.
     */
    @Override
    public void close() {
        synchronized (file) {
            if (arena.scope().isAlive()) {
                arena.close();
                file.close();
            }
        }
    }

    @Override
    public String toString() {
        return "SharedMemory[" + file.path() + ", " + size() + " bytes]";
    }

    /** Reads a word, and sees all that was written before the value that it reads. */
    public static int load32(MemorySegment word) {
        return (int) INT.getAcquire(word, 0L);
    }

    /** Writes a word, after all that this thread wrote before; then wake who waits for it. */
    public static void store32(MemorySegment word, int value) {
        INT.setRelease(word, 0L, value);
    }

    /** Adds to a word in one step, sequentially consistent; returns what it was before. */
    public static int add32(MemorySegment word, int delta) {
        touch32(word);
        return (int) INT.getAndAdd(word, 0L, delta);
    }

    /** Writes a word in one step if it is as expected, sequentially consistent; whether it was. */
    public static boolean swap32(MemorySegment word, int expected, int value) {
        touch32(word);
        return INT.compareAndSet(word, 0L, expected, value);
    }

    /** As {@link #load32}, 8 bytes. */
    public static long load64(MemorySegment word) {
        return (long) LONG.getAcquire(word, 0L);
    }

    /** As {@link #store32}, 8 bytes. */
    public static void store64(MemorySegment word, long value) {
        LONG.setRelease(word, 0L, value);
    }

    /** As {@link #add32}, 8 bytes. */
    public static long add64(MemorySegment word, long delta) {
        touch64(word);
        return (long) LONG.getAndAdd(word, 0L, delta);
    }

    /** As {@link #swap32}, 8 bytes. */
    public static boolean swap64(MemorySegment word, long expected, long value) {
        touch64(word);
        return LONG.compareAndSet(word, 0L, expected, value);
    }

    /**
     * Throws if the page is gone: the JVM may not survive to change a word there, but does survive a read. It throws at
     * the next safepoint poll, which a loop that it can't count has. The value is used twice, so that the compiler loads
     * it by an instruction of its own; docs/decisions/reading-cut-memory.md.
     */
    private static void touch32(MemorySegment word) {
        int read = (int) INT.getAcquire(word, 0L);
        for (int i = read; i != read + (int) POLLS.getOpaque(); i++) {
            assert i == read;
        }
    }

    private static void touch64(MemorySegment word) {
        long read = (long) LONG.getAcquire(word, 0L);
        for (long i = read; i != read + (int) POLLS.getOpaque(); i++) {
            assert i == read;
        }
    }

    private static SharedMemory of(SharedFile file, long bytes, Runnable opening) {
        Arena arena = Arena.ofShared();
        try {
            opening.run();
            return new SharedMemory(file, arena, file.map(arena, bytes));
        } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
            throw denied(e);
        } catch (Throwable e) {
            arena.close();
            file.abandon();
            throw e;
        }
    }

    /** The first system call links libc; if the JDK forbids that, no later one works either. */
    private static KeventException denied(LinkageError cause) {
        Module module = SharedMemory.class.getModule();
        String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
        var denied = new KeventException(Errno.EPERM, "SharedMemory: no system call can be made: "
                + "the JDK denies native access, start java with --enable-native-access=" + name);
        denied.initCause(cause);
        return denied;
    }
}
