package dev.knote.examples;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A demo's other processes and the directory of its C program; all are gone when this is closed. */
public final class DemoPeers implements AutoCloseable {
    private static final int COMPILE_SECONDS = 20;

    private final List<Process> processes = new ArrayList<>();
    private final Thread atExit = new Thread(this::clear);
    private Path directory;
    private boolean closed;

    /** None yet. */
    public DemoPeers() {
        Runtime.getRuntime().addShutdownHook(atExit); // for Ctrl-C
    }

    /** Starts a JVM that runs a class. */
    public Process startJvm(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-classpath", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        return start(command, null);
    }

    /** Starts the C program that {@link #compile} made. */
    public Process startC(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(directory.resolve("peer").toString()));
        command.addAll(List.of(arguments));
        return start(command, null);
    }

    /** Compiles a C program that is a resource beside a class; null if it is there, else why not. */
    public String compile(Class<?> beside, String name) throws IOException, InterruptedException {
        String compiler = compiler();
        if (compiler == null) {
            return "there is no C compiler (cc, gcc or clang) here";
        }
        synchronized (this) {
            directory = Files.createTempDirectory("knote-demo");
        }
        Path source = directory.resolve("peer.c");
        try (var resource = beside.getResourceAsStream(name)) {
            Files.copy(resource, source);
        }
        File log = directory.resolve("log").toFile();
        Process compiling = start(
                List.of(compiler, "-O2", "-o", directory.resolve("peer").toString(), source.toString()), log);
        if (!compiling.waitFor(COMPILE_SECONDS, TimeUnit.SECONDS)) {
            return compiler + " takes too long";
        }
        return compiling.exitValue() == 0
                ? null
                : compiler + " fails: " + Files.readString(log.toPath()).lines().findFirst().orElse("");
    }

    private static String compiler() {
        for (String name : List.of("cc", "gcc", "clang")) {
            for (String place : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
                if (Files.isExecutable(Path.of(place, name))) {
                    return name;
                }
            }
        }
        return null;
    }

    private synchronized Process start(List<String> command, File log) throws IOException {
        if (closed) {
            throw new IOException("the demo ends");
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(log != null);
        builder.redirectOutput(
                log != null ? ProcessBuilder.Redirect.to(log) : ProcessBuilder.Redirect.DISCARD);
        if (log == null) {
            builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        }
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private synchronized void clear() {
        closed = true;
        processes.forEach(Process::destroyForcibly);
        if (directory == null) {
            return;
        }
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
            directory = null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        clear();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            return; // the JVM ends already, and runs it
        }
    }
}
