package dev.knote.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The C programs, built on the spot; they are deleted with {@link #close}. */
public record Reference(Path directory) implements AutoCloseable {
    private static final List<String> PROGRAMS = List.of("peers", "load", "percpu", "mutexes", "waitany",
            "kfutex", "pool", "sync", "floor", "echo");
    private static final List<String> SOURCES = List.of("peers.c", "ring.h", "load.c", "percpu.c",
            "mutexes.c", "waitany.c", "kfutex.c", "pool.c", "sync.c", "floor.c", "echo.c");

    /** Builds it; null, with a word to the user, where there is no gcc. */
    static Reference build() throws IOException, InterruptedException {
        if (!Cpus.isThere("gcc")) {
            System.out.println("(no gcc: no C reference)");
            return null;
        }
        Reference made = new Reference(Files.createTempDirectory("knote-bench"));
        for (String name : SOURCES) {
            try (InputStream source = Reference.class.getResourceAsStream(name)) {
                Files.copy(source, made.directory.resolve(name));
            }
        }
        for (String program : PROGRAMS) {
            String path = made.directory.resolve(program).toString();
            int result = new ProcessBuilder("gcc", "-O2", "-o", path, path + ".c").inheritIO().start()
                    .waitFor();
            if (result != 0) {
                System.out.println("(gcc failed: no C reference)");
                made.close();
                return null;
            }
        }
        return made;
    }

    /** Does what a Java worker does. */
    Child start(Cpus cpus, String... arguments) throws IOException {
        return start(cpus, "peers", arguments);
    }

    /** The client of a server. */
    public Child load(Cpus cpus, String... arguments) throws IOException {
        return start(cpus, "load", arguments);
    }

    /** Any of them. */
    public Child program(Cpus cpus, String program, String... arguments) throws IOException {
        return start(cpus, program, arguments);
    }

    private Child start(Cpus cpus, String program, String[] arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(directory.resolve(program).toString()));
        command.addAll(List.of(arguments));
        return Child.of(cpus, command);
    }

    @Override
    public void close() throws IOException {
        for (String name : SOURCES) {
            Files.deleteIfExists(directory.resolve(name));
        }
        for (String program : PROGRAMS) {
            Files.deleteIfExists(directory.resolve(program));
        }
        Files.deleteIfExists(directory);
    }
}
