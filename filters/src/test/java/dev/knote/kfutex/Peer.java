package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A process of the test's own, that says lines which begin with "> ". */
final class Peer implements AutoCloseable {
    private static final int SECONDS = 20;

    final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final Thread reader;

    private Peer(List<String> command) throws IOException {
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    /** The C program consumer.c, built in {@code directory} at first use. */
    static Peer c(Path directory, String... arguments) throws Exception {
        boolean gcc = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "gcc")));
        assumeTrue(gcc, "no gcc here");
        Path program = directory.resolve("consumer");
        if (!Files.exists(program)) {
            Path source = directory.resolve("consumer.c");
            try (var in = Peer.class.getResourceAsStream("consumer.c")) {
                Files.write(source, in.readAllBytes());
            }
            Process built = new ProcessBuilder(
                    "gcc", "-O1", "-Wall", "-Werror", "-o", program.toString(), source.toString())
                    .redirectErrorStream(true).start();
            String output = new String(built.getInputStream().readAllBytes());
            assertEquals(0, built.waitFor(), output);
        }
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        return new Peer(command);
    }

    /** Another JVM, with this one's poller. */
    static Peer jvm(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add("-Dknote.poller=" + poller);
        }
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new Peer(command);
    }

    /** The next line that it says, without the "> ". */
    String line() {
        try {
            String line = lines.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(line, "a line of the other process");
            return line;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** SIGSTOP. */
    void stop() throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-STOP", "" + process.pid()).start().waitFor());
    }

    void kill() {
        process.destroyForcibly();
        Wait.until(() -> !process.isAlive(), "the death of the other process");
    }

    @Override
    public void close() {
        kill();
        Wait.until(() -> Wait.hasEnded(reader), "the end of its output");
    }

    private void read() {
        try (BufferedReader in = process.inputReader()) {
            for (String line; (line = in.readLine()) != null;) {
                lines.add(line.startsWith("> ") ? line.substring(2) : line);
            }
        } catch (IOException killed) {
            // so there is no more
        }
    }
}
