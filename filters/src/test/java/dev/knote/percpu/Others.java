package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Other processes that have the same memory: percpu.c, whose head has the commands, and {@link OtherMain}. */
final class Others {
    static final boolean FULL = "full".equals(System.getProperty("knote.stress"));

    private static final int SECONDS = 20;
    private static Path program;

    private Others() {}

    /** A C program. */
    static Process c(SharedMemory memory, String... command) throws Exception {
        return begun(start(command(program(), memory, command)));
    }

    /** Another JVM. */
    static Process jvm(SharedMemory memory, String... command) throws Exception {
        return begun(start(command(java(OtherMain.class), memory, command)));
    }

    static List<String> java(Class<?> main) {
        return List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                main.getName());
    }

    static void awaitDone(Process process) throws Exception {
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "a process does not end");
        assertEquals(0, process.exitValue(), "a process failed");
    }

    static void kill(Process process) throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    static void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, () -> "waited in vain for " + what);
            LockSupport.parkNanos(100_000);
        }
    }

    /** Runs it in so many threads at once; what one throws is thrown, and none may be stuck. */
    static void inThreads(int count, Task task) throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < count; i++) {
            int me = i;
            threads.add(Thread.ofPlatform().daemon().start(() -> {
                try {
                    task.run(me);
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(FULL ? 10 * SECONDS : SECONDS);
        for (Thread thread : threads) {
            thread.join(Math.max(1, (end - System.nanoTime()) / 1_000_000));
            assertTrue(failures.isEmpty(), () -> "a thread failed: " + failures);
            assertTrue(!thread.isAlive(), () -> "stuck: " + List.of(thread.getStackTrace()));
        }
    }

    interface Task {
        void run(int thread) throws Exception;
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static Process begun(Process process) throws IOException {
        assertEquals("begun", process.inputReader().readLine());
        return process;
    }

    private static List<String> command(List<String> program, SharedMemory memory, String[] more) {
        return Stream.of(program, List.of(memory.path().toString()), List.of(more)).flatMap(List::stream)
                .toList();
    }

    private static synchronized List<String> program() throws Exception {
        boolean isThere = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "gcc")));
        assumeTrue(isThere, "no gcc here");
        if (program == null) {
            Path directory = Files.createTempDirectory("knote-percpu");
            Path source = directory.resolve("percpu.c");
            Path made = directory.resolve("percpu");
            List.of(directory, source, made).forEach(path -> path.toFile().deleteOnExit());
            try (var in = Others.class.getResourceAsStream("percpu.c")) {
                Files.copy(in, source);
            }
            Process gcc = new ProcessBuilder("gcc", "-O2", "-Wall", "-Werror", "-o", made.toString(),
                    source.toString()).redirectErrorStream(true).start();
            String said = new String(gcc.getInputStream().readAllBytes());
            assertEquals(0, gcc.waitFor(), said);
            program = made;
        }
        return List.of(program.toString());
    }
}
