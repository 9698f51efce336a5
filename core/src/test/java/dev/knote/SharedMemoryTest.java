package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Shm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Shared memory within one process. Contract: shm_open(3), memfd_create(2). */
@Tag("once")
@Timeout(60)
class SharedMemoryTest {
    private static final int PAGE = 4096;
    private static final int F_GETFD = 1;
    private static final int FD_CLOEXEC = 1;
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final List<Path> files = new ArrayList<>();

    @AfterEach
    void removeFiles() throws IOException {
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void newMemoryIsZeroAndHasTheSizeAskedFor() throws IOException {
        String name = newName();
        try (var memory = SharedMemory.create(name, 100)) {
            assertEquals(100, memory.size());
            assertEquals(100, memory.segment().byteSize());
            assertEquals(100, Files.size(file(name)));
            assertEquals(file(name), memory.path());
            assertEquals(-1, memory.segment().mismatch(MemorySegment.ofArray(new byte[100])));
            assertEquals(0100600, Files.getAttribute(file(name), "unix:mode"));
        }
    }

    @Test
    void aLeadingSlashNamesTheSame() {
        String name = newName();
        try (var made = SharedMemory.create("/" + name, PAGE); var opened = SharedMemory.open(name)) {
            SharedMemory.store32(made.word32(1), 7);
            assertEquals(7, SharedMemory.load32(opened.word32(1)));
            assertEquals(made.path(), opened.path());
        }
    }

    @Test
    void theLongestNameWorks() {
        String name = newName();
        name += "x".repeat(255 - name.length());
        files.add(file(name));
        SharedMemory.create(name, 1).close();
        SharedMemory.unlink(name);
        assertFalse(Files.exists(file(name)));
    }

    @Test
    void itsMemoryIsTakenAtOnce() {
        try (var memory = SharedMemory.create(newName(), 100 * PAGE);
                var arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(Fds.STATX_SIZE, 8);
            assertEquals(0, Fds.statx(memory.fd(), statx));
            assertEquals(100 * PAGE / 512, statx.get(ValueLayout.JAVA_LONG, 48));
        }
    }

    @Test
    void whatIsThereIsNotMadeAgain() {
        String name = newName();
        SharedMemory.create(name, PAGE).close();
        assertErrno(Errno.EEXIST, () -> SharedMemory.create(name, 1), "create", name);
        assertTrue(Files.exists(file(name)));
    }

    @Test
    void whatIsNotThereIsNotOpened() {
        String name = newName();
        assertErrno(Errno.ENOENT, () -> SharedMemory.open(name), "open", name);
        assertErrno(Errno.ENOENT, () -> SharedMemory.unlink(name), "unlink", name);
        assertErrno(Errno.ENOENT, () -> SharedMemory.map(file(name)), "map", name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", ".", "..", "/..", "a/b", "//a", "a/", "a\0b", "\ud800"})
    void badNamesAreRefused(String name) {
        assertErrno(Errno.EINVAL, () -> SharedMemory.create(name, 1), "create", "name is", "expected");
        assertErrno(Errno.EINVAL, () -> SharedMemory.open(name), "open", "name is", "expected");
        assertErrno(Errno.EINVAL, () -> SharedMemory.openOrCreate(name, 1), "openOrCreate", "name");
        assertErrno(Errno.EINVAL, () -> SharedMemory.unlink(name), "unlink", "name is", "expected");
    }

    @Test
    void aNameIsCountedInBytes() {
        assertErrno(Errno.EINVAL, () -> SharedMemory.open("x".repeat(256)), "255 bytes");
        assertErrno(Errno.EINVAL, () -> SharedMemory.open("\u20ac".repeat(86)), "255 bytes");
        assertErrno(Errno.ENOENT, () -> SharedMemory.open("\u20ac".repeat(85)));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, (1L << 47) + 1})
    void badSizesAreRefused(long bytes) {
        String name = newName();
        String is = "bytes is " + bytes;
        assertErrno(Errno.EINVAL, () -> SharedMemory.create(name, bytes), "create", is, "expected");
        assertErrno(Errno.EINVAL, () -> SharedMemory.openOrCreate(name, bytes), "openOrCreate", is);
        assertErrno(Errno.EINVAL, () -> SharedMemory.anonymous(bytes), "anonymous", is, "expected");
        assertFalse(Files.exists(file(name)));
        SharedMemory.create(name, 1).close();
        assertErrno(Errno.EINVAL, () -> SharedMemory.open(name, bytes), "open", is, "expected");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 01000, 600, 0100600})
    void badModesAreRefused(int mode) {
        String name = newName();
        String is = "mode is 0" + Integer.toOctalString(mode);
        assertErrno(Errno.EINVAL, () -> SharedMemory.create(name, 1, mode), "create", is);
        assertErrno(Errno.EINVAL, () -> SharedMemory.openOrCreate(name, 1, mode), is, "octal");
        assertFalse(Files.exists(file(name)));
    }

    @Test
    void moreThanThereIsRoomForIsRefusedAtOnce() throws IOException {
        String name = newName();
        long tooMuch = Files.getFileStore(Path.of("/dev/shm")).getTotalSpace() + PAGE;
        assumeTrue(tooMuch > PAGE && tooMuch < 1L << 47, "/dev/shm has no limit");
        assertErrno(Errno.ENOSPC, () -> SharedMemory.create(name, tooMuch), "create", name);
        assertErrno(Errno.ENOSPC, () -> SharedMemory.openOrCreate(name, tooMuch), name);
        assertFalse(Files.exists(file(name)));
        SharedMemory.create(name, PAGE).close();
        assertErrno(Errno.ENOSPC, () -> SharedMemory.openOrCreate(name, tooMuch), name);
        assertEquals(PAGE, Files.size(file(name)));
    }

    @Test
    void anEmptyFileIsNotYetMemory() throws IOException {
        String name = newName();
        Files.createFile(file(name));
        assertErrno(Errno.EAGAIN, () -> SharedMemory.open(name), "open", name, "empty");
        try (var memory = SharedMemory.openOrCreate(name, PAGE)) {
            assertEquals(PAGE, memory.size());
        }
    }

    @Test
    void aSmallerFileThanAskedForIsRefused() throws IOException {
        String name = newName();
        SharedMemory.create(name, 100).close();
        assertErrno(Errno.EINVAL, () -> SharedMemory.open(name, 101), "open", "100", "101");
        assertEquals(100, Files.size(file(name)));
        SharedMemory.open(name, 100).close();
    }

    @Test
    void openOrCreateGrowsButNeverShrinks() throws IOException {
        String name = newName();
        try (var small = SharedMemory.openOrCreate(name, 64);
                var large = SharedMemory.openOrCreate(name, 3 * PAGE, 0644);
                var again = SharedMemory.openOrCreate(name, 1)) {
            SharedMemory.store32(small.word32(0), 5);
            assertEquals(64, small.size());
            assertEquals(3 * PAGE, large.size());
            assertEquals(3 * PAGE, again.size());
            assertEquals(5, SharedMemory.load32(large.word32(0)));
            assertEquals(0100600, Files.getAttribute(file(name), "unix:mode"));
        }
    }

    @Test
    void symbolicLinksAreRefused(@TempDir Path temp) throws IOException {
        String name = newName();
        Path target = Files.write(temp.resolve("target"), new byte[100]);
        Files.createSymbolicLink(file(name), target);
        assertErrno(Errno.ELOOP, () -> SharedMemory.open(name), "open", "symbolic link");
        assertErrno(Errno.ELOOP, () -> SharedMemory.openOrCreate(name, PAGE), "symbolic link");
        assertErrno(Errno.ELOOP, () -> SharedMemory.map(file(name)), "map", "symbolic link");
        assertErrno(Errno.EEXIST, () -> SharedMemory.create(name, PAGE), "create");
        Files.delete(target);
        assertErrno(Errno.ELOOP, () -> SharedMemory.openOrCreate(name, PAGE), "symbolic link");
        assertFalse(Files.exists(target));
        assertTrue(Files.exists(file(name), LinkOption.NOFOLLOW_LINKS));
        SharedMemory.unlink(name);
        assertFalse(Files.exists(file(name), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void filesOfOthersAreRefused() throws IOException {
        assumeTrue(Shm.geteuid() == 0, "only root can give a file away");
        String name = newName();
        Files.write(file(name), new byte[100]);
        Files.setAttribute(file(name), "unix:uid", 12345);
        assertErrno(Errno.EACCES, () -> SharedMemory.open(name), "open", "12345", "expected");
        assertErrno(Errno.EACCES, () -> SharedMemory.openOrCreate(name, PAGE), "12345");
        assertErrno(Errno.EACCES, () -> SharedMemory.map(file(name)), "map", "12345");
        assertEquals(100, Files.size(file(name)));
    }

    @Test
    void onlyRegularFilesAreMapped() throws Exception {
        String name = newName();
        Files.createDirectory(file(name));
        assertErrno(Errno.EISDIR, () -> SharedMemory.open(name), "directory");
        assertErrno(Errno.EISDIR, () -> SharedMemory.openOrCreate(name, PAGE), "directory");
        assertErrno(Errno.EISDIR, () -> SharedMemory.unlink(name), "unlink");
        Files.delete(file(name));
        assumeTrue(new ProcessBuilder("mkfifo", file(name).toString()).start().waitFor() == 0,
                "no mkfifo here");
        assertErrno(Errno.EINVAL, () -> SharedMemory.open(name), "010000", "regular file");
        assertErrno(Errno.EINVAL, () -> SharedMemory.openOrCreate(name, PAGE), "regular file");
    }

    @Test
    void aFileIsMappedByItsPath(@TempDir Path temp) throws IOException {
        Path path = Files.write(temp.resolve("words"), new byte[128]);
        try (var memory = SharedMemory.map(path)) {
            assertEquals(128, memory.size());
            assertEquals(path.toAbsolutePath(), memory.path());
            memory.segment().set(ValueLayout.JAVA_BYTE, 127, (byte) 9);
            assertEquals(9, Files.readAllBytes(path)[127]);
            assertErrno(Errno.EINVAL, memory::unlink, "unlink", "no name");
            assertTrue(Files.exists(path));
        }
    }

    @Test
    void anonymousMemoryIsFoundByItsPath() {
        try (var made = SharedMemory.anonymous(PAGE)) {
            var found = SharedMemory.map(made.path());
            try (found) {
                SharedMemory.add64(made.word64(3), 40);
                assertEquals(40, SharedMemory.add64(found.word64(3), 2));
                assertEquals(42, SharedMemory.load64(made.word64(3)));
                assertNotEquals(made.path(), found.path());
                SharedMemory.map(found.path()).close();
            }
            assertErrno(Errno.ENOENT, () -> SharedMemory.map(found.path()), "map");
            assertErrno(Errno.EINVAL, made::unlink, "unlink", "no name");
        }
    }

    @Test
    void anonymousMemoryKeepsItsSize() {
        try (var memory = SharedMemory.anonymous(PAGE)) {
            assertEquals(-Errno.EPERM, Shm.ftruncate(memory.fd(), 0));
            assertEquals(-Errno.EPERM, Shm.ftruncate(memory.fd(), 2 * PAGE));
        }
    }

    @Test
    void onlyInheritableMemoryStaysOpenOverExec() {
        try (var plain = SharedMemory.anonymous(1);
                var inherited = SharedMemory.anonymous(1, true);
                var named = SharedMemory.create(newName(), 1)) {
            assertEquals(FD_CLOEXEC, Fds.fcntl(plain.fd(), F_GETFD, 0));
            assertEquals(FD_CLOEXEC, Fds.fcntl(named.fd(), F_GETFD, 0));
            assertEquals(0, Fds.fcntl(inherited.fd(), F_GETFD, 0));
        }
    }

    @Test
    void aWordHasALineToItself() {
        try (var memory = SharedMemory.anonymous(3 * SharedMemory.LINE + 4)) {
            long start = memory.segment().address();
            assertEquals(0, start % PAGE);
            assertEquals(start + 128, memory.word32(2).address());
            assertEquals(start + 128, memory.word64(2).address());
            assertEquals(4, memory.word32(3).byteSize());
            assertEquals(8, memory.word64(2).byteSize());
            assertThrows(IndexOutOfBoundsException.class, () -> memory.word64(3));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.word32(4));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.word32(-1));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.word64(Integer.MAX_VALUE));
        }
    }

    @Test
    void wordsAreReadWrittenAddedAndSwapped() {
        try (var memory = SharedMemory.anonymous(PAGE)) {
            MemorySegment narrow = memory.word32(0);
            SharedMemory.store32(narrow, -2);
            assertEquals(-2, SharedMemory.add32(narrow, 3));
            assertFalse(SharedMemory.swap32(narrow, 2, 9));
            assertTrue(SharedMemory.swap32(narrow, 1, 9));
            assertEquals(9, SharedMemory.load32(narrow));
            MemorySegment wide = memory.word64(1);
            SharedMemory.store64(wide, -2);
            assertEquals(-2, SharedMemory.add64(wide, 3L << 40));
            assertFalse(SharedMemory.swap64(wide, 2, 9));
            assertTrue(SharedMemory.swap64(wide, (3L << 40) - 2, 9));
            assertEquals(9, SharedMemory.load64(wide));
        }
    }

    @Test
    void afterCloseNothingCanBeReached() {
        String name = newName();
        var memory = SharedMemory.create(name, PAGE);
        MemorySegment word = memory.word32(1);
        memory.close();
        memory.close();
        assertThrows(IllegalStateException.class, () -> SharedMemory.load32(word));
        assertThrows(IllegalStateException.class, () -> SharedMemory.store64(memory.word64(0), 1));
        assertThrows(IllegalStateException.class, memory::fd);
        assertTrue(memory.toString().contains(name));
        assertEquals(PAGE, memory.size());
        memory.unlink();
        assertErrno(Errno.ENOENT, memory::unlink, "unlink", name);
    }

    @Test
    void unlinkedMemoryLivesOn() {
        String name = newName();
        try (var old = SharedMemory.create(name, PAGE)) {
            old.unlink();
            SharedMemory.store32(old.word32(0), 1);
            try (var fresh = SharedMemory.create(name, PAGE)) {
                assertEquals(0, SharedMemory.load32(fresh.word32(0)));
            }
        }
    }

    @Test
    void closingUnderAReaderIsAnExceptionForTheReader() throws Exception {
        try (var threads = Executors.newSingleThreadExecutor()) {
            for (int i = 0; i < 50; i++) {
                var memory = SharedMemory.anonymous(PAGE);
                var reading = new CountDownLatch(1);
                MemorySegment word = memory.word32(0);
                var reader = threads.submit(() -> {
                    for (int n = 0;; n++) {
                        if (n == 1000) {
                            reading.countDown();
                        }
                        SharedMemory.add32(word, 1);
                    }
                });
                reading.await();
                memory.close();
                var failure = assertThrows(Exception.class, reader::get);
                assertEquals(IllegalStateException.class, failure.getCause().getClass());
            }
        }
    }

    @Test
    void nothingLeaks() throws IOException {
        String name = newName();
        Files.createSymbolicLink(file(newName()), Path.of("/dev/null"));
        String link = files.getLast().getFileName().toString();
        String empty = newName();
        Files.createFile(file(empty));
        openAndFail(name, link, empty);
        long fds = fds();
        long maps = Files.readString(Path.of("/proc/self/maps")).lines()
                .filter(line -> line.contains(name) || line.contains("memfd:knote")).count();
        for (int i = 0; i < 1000; i++) {
            openAndFail(name, link, empty);
        }
        assertEquals(fds, fds());
        assertEquals(maps, Files.readString(Path.of("/proc/self/maps")).lines()
                .filter(line -> line.contains(name) || line.contains("memfd:knote")).count());
        assertFalse(Files.exists(file(name)));
    }

    private static void openAndFail(String name, String link, String empty) {
        try (var made = SharedMemory.create(name, PAGE);
                var opened = SharedMemory.open(name);
                var anonymous = SharedMemory.anonymous(PAGE);
                var mapped = SharedMemory.map(anonymous.path())) {
            assertEquals(made.size(), opened.size());
            assertEquals(anonymous.size(), mapped.size());
            assertThrows(KeventException.class, () -> SharedMemory.create(name, 1));
            assertThrows(KeventException.class, () -> SharedMemory.open(name, 2 * PAGE));
            assertThrows(KeventException.class, () -> SharedMemory.open(link));
            assertThrows(KeventException.class, () -> SharedMemory.open(empty));
            assertThrows(KeventException.class, () -> SharedMemory.map(Path.of("/dev/null")));
            made.unlink();
        }
        assertThrows(KeventException.class, () -> SharedMemory.open(name));
        assertThrows(KeventException.class, () -> SharedMemory.create(name, 1L << 47));
        assertThrows(KeventException.class, () -> SharedMemory.anonymous(1L << 47));
    }

    @Test
    void threadsThatRaceToMakeMemoryShareIt() throws Exception {
        var start = new CyclicBarrier(2);
        try (var threads = Executors.newFixedThreadPool(2)) {
            for (int i = 0; i < 200; i++) {
                String name = newName();
                long little = i % 2 == 0 ? 64 : PAGE;
                Callable<SharedMemory> less = () -> {
                    start.await();
                    return SharedMemory.openOrCreate(name, little);
                };
                Callable<SharedMemory> more = () -> {
                    start.await();
                    return SharedMemory.openOrCreate(name, 3 * PAGE);
                };
                var one = threads.submit(less);
                var two = threads.submit(more);
                try (var first = one.get(); var second = two.get()) {
                    assertTrue(first.size() >= little, first::toString);
                    assertEquals(3 * PAGE, second.size());
                    assertEquals(3 * PAGE, Files.size(file(name)));
                    SharedMemory.store32(first.word32(0), i + 1);
                    assertEquals(i + 1, SharedMemory.load32(second.word32(0)));
                }
                SharedMemory.unlink(name);
            }
        }
    }

    private static void assertErrno(int errno, Executable call, String... words) {
        var failure = assertThrows(KeventException.class, call);
        assertEquals(Errno.name(errno), Errno.name(failure.errno()), failure.getMessage());
        for (String word : words) {
            assertTrue(failure.getMessage().contains(word), failure.getMessage());
        }
    }

    /** How many descriptors there are of what this test opens: the JVM opens files of its own when it likes. */
    private static long fds() throws IOException {
        try (var entries = Files.list(Path.of("/proc/self/fd"))) {
            return entries.map(SharedMemoryTest::target).filter(target -> target.startsWith("/dev/shm")
                    || target.contains("memfd:") || target.equals("/dev/null")).count();
        }
    }

    private static String target(Path fd) {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (IOException closedSince) {
            return "";
        }
    }

    private String newName() {
        String name = "knote-test-" + ProcessHandle.current().pid() + "-" + NAMES.incrementAndGet();
        files.add(file(name));
        return name;
    }

    private static Path file(String name) {
        return Path.of("/dev/shm", name);
    }
}
