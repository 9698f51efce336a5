package dev.knote.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A process that works when it is told to, on processors of its own: a {@link Worker}, or the C reference. */
public final class Child implements AutoCloseable {
    private static final int MOST_SECONDS = 60;
    private static final Set<Process> ALIVE = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(
                new Thread(() -> ALIVE.forEach(Process::destroyForcibly)));
    }

    private final Process process;
    private final BufferedReader out;
    private final String name;

    private Child(String name, List<String> command) throws IOException {
        this.name = name;
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        out = process.inputReader();
        ALIVE.add(process);
    }

    /**
     * A Java worker.
     *
     * @param pin the processor of its working thread; null for all of {@code cpus}
     * @param options of the JVM
     */
    static Child java(Cpus cpus, Integer pin, List<String> options, String operation, String argument)
            throws IOException {
        return new Child(operation, cpus.command(javaCommand(pin, options, operation, argument)));
    }

    /** The command line of a Java worker. */
    static List<String> javaCommand(Integer pin, List<String> options, String operation, String argument) {
        List<String> command = jvm(pin, options);
        command.addAll(List.of(Worker.class.getName(), operation, argument));
        return command;
    }

    /** The command line of a JVM with our class path, up to the main class; the options come last of its own. */
    public static List<String> jvm(Integer pin, List<String> options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"));
        if (options.stream().noneMatch(option -> option.matches("-XX:\\+Use.*GC"))) {
            command.add("-XX:+UseSerialGC");
        }
        if (options.stream().noneMatch(option -> option.startsWith("-Xmx"))) {
            command.add("-Xmx128m");
        }
        if (pin != null) {
            command.add("-Dbench.pin=" + pin);
        }
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return command;
    }

    /** Any command that behaves as a worker. */
    public static Child of(Cpus cpus, List<String> command) throws IOException {
        return new Child(command.toString(), cpus.command(command));
    }

    /** Waits until it is ready; returns what it says. */
    public String ready() throws IOException {
        String line = answer();
        if (!line.startsWith("ready")) {
            throw new IOException(name + " said " + line);
        }
        return line.substring("ready".length()).strip();
    }

    /** Nanoseconds of {@code n} operations. */
    public long time(int n) throws IOException {
        return Long.parseLong(ask("time " + n));
    }

    public String ask(String question) throws IOException {
        process.outputWriter().write(question + "\n");
        process.outputWriter().flush();
        return answer();
    }

    /** Ends it by end of file, which lets strace(1) write what it has. */
    void finish() throws IOException, InterruptedException {
        process.outputWriter().close();
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
        ALIVE.remove(process);
    }

    private String answer() throws IOException {
        var late = CompletableFuture.delayedExecutor(MOST_SECONDS, TimeUnit.SECONDS);
        var watchdog = CompletableFuture.runAsync(process::destroyForcibly, late);
        String line = out.readLine();
        watchdog.cancel(false);
        if (line == null) {
            throw new IOException(name + " ended, or gave no answer for " + MOST_SECONDS + " s");
        }
        return line;
    }
}
