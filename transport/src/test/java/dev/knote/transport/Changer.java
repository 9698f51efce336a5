package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Another process that changes words, in C or Java; changer.c says what it does. */
final class Changer implements AutoCloseable {
    private final Process process;
    private final Path output;

    private Changer(List<String> command, Path directory) throws IOException {
        output = Files.createTempFile(directory, "output", null);
        process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile())
                .start();
    }

    /** The C program, built in {@code directory}. */
    static Changer c(Path directory, String... arguments) throws Exception {
        assumeTrue(isThere("gcc"), "no gcc here");
        Path program = directory.resolve("changer");
        if (!Files.exists(program)) {
            build(directory, program);
        }
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        return new Changer(command, directory);
    }

    private static void build(Path directory, Path program) throws Exception {
        Path source = directory.resolve("changer.c");
        try (var in = Changer.class.getResourceAsStream("changer.c")) {
            Files.write(source, in.readAllBytes());
        }
        Process gcc = new ProcessBuilder("gcc", "-O1", "-o", program.toString(), source.toString())
                .redirectErrorStream(true).start();
        String said = new String(gcc.getInputStream().readAllBytes());
        assertEquals(0, gcc.waitFor(), said);
    }

    private static boolean isThere(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    /** Another JVM with the same poller as this one. */
    static Changer jvm(Path directory, Class<?> main, List<String> options, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add("-Dknote.poller=" + poller);
        }
        command.addAll(options);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new Changer(command, directory);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    String said() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Returns when it has ended as it should. */
    void join(Duration limit) throws InterruptedException {
        assertTrue(process.waitFor(limit.toSeconds(), TimeUnit.SECONDS),
                () -> "it did not end; it said " + said());
        assertEquals(0, process.exitValue(), this::said);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The Java program: exchange of changer.c. */
    public static void main(String[] arguments) throws InterruptedException, TimeoutException {
        try (SharedMemory memory = SharedMemory.map(Path.of(arguments[0]))) {
            int bytes = Integer.parseInt(arguments[2]) / 8;
            long total = Long.parseLong(arguments[3]);
            int burst = Integer.parseInt(arguments[4]);
            MemorySegment word = memory.segment().asSlice(SharedMemory.LINE, bytes);
            MemorySegment answer = memory.segment().asSlice(2 * SharedMemory.LINE, bytes);
            Random random = new Random(1);
            for (long value = 0, answered = 0; value < total;) {
                long end = Math.min(total, value + 1 + random.nextInt(burst));
                while (value < end) {
                    WordFixture.change(word, ++value);
                }
                while (answered != value) {
                    answered = MemoryWords.await(answer, answered, Duration.ofSeconds(20));
                }
            }
        }
    }
}
