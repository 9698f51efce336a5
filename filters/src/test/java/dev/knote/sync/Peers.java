package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Other processes that take part: C programs, built on the spot, and JVMs. All are gone after {@link #close}. */
final class Peers implements AutoCloseable {
    static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long PATIENCE_NANOS = 30_000_000_000L;

    private final List<Process> started = new ArrayList<>();
    private final Path directory;

    Peers(Path directory) {
        this.directory = directory;
    }

    /** sync.c with these arguments. */
    Process c(String... arguments) throws Exception {
        Path program = directory.resolve("sync");
        if (!Files.exists(program)) {
            build(program);
        }
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        return start(command);
    }

    /** {@code main} as a program of another JVM, with the same poller. */
    Process jvm(Class<?> main, String... arguments) throws Exception {
        return start(java(main, arguments));
    }

    static List<String> java(Class<?> main, String... arguments) {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
                        "--enable-native-access=ALL-UNNAMED"));
        if (System.getProperty("knote.poller") != null) {
            command.add("-Dknote.poller=" + System.getProperty("knote.poller"));
        }
        command.addAll(List.of("-cp", path, main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    Process start(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        started.add(process);
        return process;
    }

    /** SIGKILL; it is gone when this returns. */
    static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(PATIENCE_NANOS, TimeUnit.NANOSECONDS), "it did not die");
    }

    static void awaitSuccess(Process process) throws InterruptedException {
        assertTrue(process.waitFor(PATIENCE_NANOS, TimeUnit.NANOSECONDS), "it did not end");
        assertEquals(0, process.exitValue());
    }

    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "waited in vain for " + what);
            Thread.yield();
        }
    }

    private void build(Path program) throws Exception {
        boolean there = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(in -> Files.isExecutable(Path.of(in, "gcc")));
        assumeTrue(there, "no gcc here");
        Path source = directory.resolve("sync.c");
        try (var in = Peers.class.getResourceAsStream("sync.c")) {
            Files.write(source, in.readAllBytes());
        }
        Process gcc = start(List.of("gcc", "-O1", "-o", program.toString(), source.toString()));
        awaitSuccess(gcc);
    }

    @Override
    public void close() {
        try {
            for (Process process : started) {
                kill(process);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
