package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Shm;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shared memory between this process, C programs and other JVMs. */
@Tag("once")
@Timeout(120)
class SharedMemoryProcessTest {
    private static final int PAGE = 4096;
    private static final int ROUNDS = 200;
    private static final int SECONDS = 60;
    private static final String C_SOURCE = """
            #include <fcntl.h>
            #include <sched.h>
            #include <stdatomic.h>
            #include <stddef.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/stat.h>
            #include <unistd.h>

            struct words {
                _Alignas(64) _Atomic uint32_t from_java;
                _Alignas(64) _Atomic uint32_t from_c;
                _Alignas(64) _Atomic uint64_t sum;
            };

            int main(int argc, char **argv) {
                alarm(60);
                int by_path = argc > 2 && strcmp(argv[2], "path") == 0;
                int fd = by_path ? open(argv[1], O_RDWR) : shm_open(argv[1], O_RDWR, 0);
                struct stat st;
                if (fd < 0 || fstat(fd, &st) != 0) {
                    perror(argv[1]);
                    return 1;
                }
                struct words *w = mmap(0, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                if (w == MAP_FAILED) {
                    perror("mmap");
                    return 1;
                }
                printf("size %lld mode %o offsets %zu %zu %zu\\n", (long long) st.st_size,
                       st.st_mode & 07777, offsetof(struct words, from_java),
                       offsetof(struct words, from_c), offsetof(struct words, sum));
                fflush(stdout);
                atomic_store(&w->from_c, atomic_load(&w->from_java) + 1);
                while (atomic_load(&w->from_java) != 7)
                    sched_yield();
                atomic_fetch_add(&w->sum, UINT64_C(1) << 40);
                atomic_store(&w->from_c, 8);
                return 0;
            }
            """;

    private final List<Path> files = new ArrayList<>();
    private final List<Process> started = new ArrayList<>();

    @TempDir
    private Path temp;

    @AfterEach
    void cleanUp() throws IOException {
        started.forEach(Process::destroyForcibly);
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void aCProgramSharesNamedMemory() throws Exception {
        String program = compile();
        String name = newName("c");
        try (var memory = SharedMemory.create(name, PAGE, 0640)) {
            assertEquals("size 4096 mode 640 offsets 0 64 128\n", talk(memory, program, name));
        }
    }

    @Test
    void aCProgramSharesAnonymousMemory() throws Exception {
        String program = compile();
        try (var memory = SharedMemory.anonymous(1000)) {
            assertEquals("size 1000 mode 600 offsets 0 64 128\n",
                    talk(memory, program, memory.path().toString(), "path"));
        }
    }

    @Test
    void aChildJvmSharesAnonymousMemory() throws Exception {
        try (var memory = SharedMemory.anonymous(PAGE)) {
            SharedMemory.store32(memory.word32(0), 41);
            assertEquals("4096\n", output(jvm("map", memory.path().toString())));
            assertEquals(42, SharedMemory.load32(memory.word32(0)));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 600, 600", "0, 666, 666", "077, 664, 664", "0777, 600, 600"})
    void theUmaskDoesNotCount(String umask, String mode, String expected) throws Exception {
        String name = newName("umask");
        output(inShell(List.of(), "umask " + umask, jvm("create", name, mode)));
        int made = (int) Files.getAttribute(Path.of("/dev/shm", name), "unix:mode");
        assertEquals(expected, Integer.toOctalString(made & 07777));
    }

    @Test
    void processesThatRaceToMakeMemoryShareIt() throws Exception {
        String prefix = newName("race");
        for (int round = 1; round <= ROUNDS; round++) {
            files.add(Path.of("/dev/shm", prefix + round));
        }
        try (var meeting = SharedMemory.anonymous(PAGE)) {
            Process child = start(jvm("race", prefix, meeting.path().toString()));
            Child.race(prefix, meeting, 0, () -> !child.isAlive() && child.exitValue() != 0);
            assertEquals("", new String(child.getInputStream().readAllBytes()));
            assertEquals(0, child.waitFor());
        }
        for (Path file : files.subList(1, files.size())) {
            assertEquals(3 * PAGE, Files.size(file));
        }
    }

    /** ramfs has no fallocate(2). In a mount namespace of its own, /dev/shm can be one. */
    @Test
    void withoutFallocateTheFileIsExtended() throws Exception {
        assertEquals("4096 12288 12288 12288 0\n", outputWith("-t ramfs", "grow", "ramfs"));
    }

    @Test
    void aFullFileSystemIsAnErrorAndLeavesNothing() throws Exception {
        assertEquals("4096 12288 12288 12288 0\n", outputWith("-t tmpfs -o size=1m", "grow", "a"));
        String refused = outputWith("-t tmpfs -o size=64k", "full", "b");
        assertTrue(refused.startsWith("ENOSPC: SharedMemory.create(/dev/shm/b): "), refused);
        assertTrue(refused.endsWith("\n65536 0\n"), refused);
    }

    @Test
    void deniedNativeAccessIsSaid() throws Exception {
        List<String> command = jvm("denied");
        command.set(1, "--illegal-native-access=deny");
        List<String> lines = output(command).lines().toList();
        assertEquals(3, lines.size(), lines::toString);
        for (String line : lines) {
            assertTrue(line.startsWith("EPERM: ") && line.contains("--enable-native-access="), line);
        }
    }

    /** Java writes what the C program waits for, and waits for what the C program writes. */
    private String talk(SharedMemory memory, String... command) throws Exception {
        MemorySegment fromJava = memory.word32(0);
        MemorySegment fromC = memory.word32(1);
        SharedMemory.store32(fromJava, 41);
        SharedMemory.store64(memory.word64(2), 5);
        Process program = start(List.of(command));
        await(() -> SharedMemory.load32(fromC) == 42, () -> !program.isAlive());
        SharedMemory.store32(fromJava, 7);
        String output = new String(program.getInputStream().readAllBytes());
        assertEquals(0, program.waitFor(), output);
        assertEquals(8, SharedMemory.load32(fromC));
        assertEquals((1L << 40) + 5, SharedMemory.load64(memory.word64(2)));
        return output;
    }

    private String compile() throws Exception {
        assumeTrue(isThere("gcc"), "no gcc here");
        Path source = Files.writeString(temp.resolve("words.c"), C_SOURCE);
        String program = temp.resolve("words").toString();
        output(List.of("gcc", "-Wall", "-Werror", "-O2", "-o", program, source.toString(), "-lrt"));
        return program;
    }

    private static boolean isThere(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    /** What a child says that finds another file system, just mounted, at /dev/shm. */
    private String outputWith(String mount, String... arguments) throws Exception {
        assumeTrue(Shm.geteuid() == 0 && isThere("unshare"), "only root can mount");
        List<String> unshare = List.of("unshare", "-m");
        String mounting = "mount " + mount + " none /dev/shm";
        Process probe = start(inShell(unshare, mounting, List.of("true")));
        assumeTrue(probe.waitFor() == 0, "cannot mount here");
        return output(inShell(unshare, mounting, jvm(arguments)));
    }

    private static List<String> inShell(List<String> outer, String first, List<String> then) {
        List<String> command = new ArrayList<>(outer);
        command.addAll(List.of("sh", "-c", first + " && exec \"$@\"", "sh"));
        command.addAll(then);
        return command;
    }

    private static List<String> jvm(String... arguments) {
        String classes = System.getProperty("surefire.test.class.path",
                System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC", "-Xshare:auto", "-cp", classes, Child.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private Process start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        started.add(process);
        return process;
    }

    private String output(List<String> command) throws Exception {
        Process process = start(command);
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), output);
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    private String newName(String what) {
        String name = "knote-test-" + ProcessHandle.current().pid() + "-" + what;
        files.add(Path.of("/dev/shm", name));
        return name;
    }

    private static void await(BooleanSupplier condition, BooleanSupplier hopeless) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.getAsBoolean()) {
            boolean inVain = hopeless.getAsBoolean() || System.nanoTime() - end > 0;
            assertFalse(inVain && !condition.getAsBoolean(), "the other process died or hangs");
            Thread.yield();
        }
    }

    /** What the other JVM does. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws IOException {
            switch (arguments[0]) {
                case "map" -> map(Path.of(arguments[1]));
                case "create" -> SharedMemory
                        .create(arguments[1], 1, Integer.parseInt(arguments[2], 8)).close();
                case "race" -> race(arguments[1], SharedMemory.map(Path.of(arguments[2])), 1,
                        () -> false);
                case "grow" -> grow(arguments[1]);
                case "full" -> full(arguments[1]);
                default -> denied();
            }
        }

        private static void map(Path path) {
            try (var memory = SharedMemory.map(path)) {
                SharedMemory.add32(memory.word32(0), 1);
                System.out.println(memory.size());
            }
        }

        /** Meets the other process before and after each round; {@code self} is 0 or 1. */
        static void race(String prefix, SharedMemory meeting, int self, BooleanSupplier hopeless) {
            for (int round = 1; round <= ROUNDS; round++) {
                long bytes = (round + self) % 2 == 0 ? 64 : 3 * PAGE;
                meet(meeting, self, 2 * round - 1, hopeless);
                try (var memory = SharedMemory.openOrCreate(prefix + round, bytes)) {
                    SharedMemory.add32(memory.word32(0), 1);
                    meet(meeting, self, 2 * round, hopeless);
                    assertTrue(memory.size() >= bytes, memory::toString);
                    assertEquals(2, SharedMemory.load32(memory.word32(0)), "both have this file");
                }
            }
        }

        private static void meet(SharedMemory meeting, int self, int time, BooleanSupplier hopeless) {
            SharedMemory.store32(meeting.word32(self), time);
            await(() -> SharedMemory.load32(meeting.word32(1 - self)) >= time, hopeless);
        }

        private static void grow(String name) throws IOException {
            try (var made = SharedMemory.create(name, PAGE);
                    var larger = SharedMemory.openOrCreate(name, 3 * PAGE);
                    var smaller = SharedMemory.openOrCreate(name, PAGE)) {
                System.out.println(made.size() + " " + larger.size() + " " + smaller.size() + " "
                        + Files.size(made.path()) + " " + SharedMemory.load32(larger.word32(100)));
            }
        }

        /** In 64 KiB there is room for 16 pages, not for one more. */
        private static void full(String name) throws IOException {
            try {
                SharedMemory.create(name, 17 * PAGE);
            } catch (KeventException e) {
                System.out.println(e.getMessage());
            }
            boolean left = Files.exists(Path.of("/dev/shm", name));
            try (var memory = SharedMemory.create(name, 16 * PAGE)) {
                memory.segment().fill((byte) 1);
                System.out.println(memory.size() + (left ? " 1" : " 0"));
            }
        }

        private static void denied() {
            List<Runnable> calls = List.of(() -> SharedMemory.create("denied", 1),
                    () -> SharedMemory.anonymous(1), () -> SharedMemory.unlink("denied"));
            for (Runnable call : calls) {
                try {
                    call.run();
                } catch (KeventException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }
}
