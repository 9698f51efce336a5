package dev.knote.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that a test runs; it is killed when this is closed. */
public record Program(Process process) implements AutoCloseable {
    private static final int SECONDS = 60;

    /** The command that runs a class of the examples as a user does, with the poller of this test run. */
    public static List<String> java(Class<?> main, String... options) {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add("-Dknote.poller=" + poller);
        }
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path",
                System.getProperty("java.class.path")), main.getName()));
        return command;
    }

    public static Program start(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return new Program(builder.start());
    }

    /** What a program prints that takes no input and is to end with {@code status}. */
    public static String run(int status, Map<String, String> environment, List<String> command)
            throws Exception {
        try (var program = start(command, environment)) {
            program.process.getOutputStream().close();
            return program.finish(status);
        }
    }

    /** What there is still to be read of a program that is about to end. */
    public String finish(int status) throws Exception {
        Thread killer = Thread.ofPlatform().daemon().start(() -> {
            try {
                if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                return;
            }
        });
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), output);
        killer.interrupt();
        killer.join();
        assertEquals(status, process.exitValue(), output);
        return output;
    }

    public static boolean isThere(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
