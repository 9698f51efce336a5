package dev.knote.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The C program, built on the spot; it deletes itself with {@link #close}. */
record Reference(Path directory) implements AutoCloseable {
    private static final List<String> SOURCES = List.of("peers.c", "ring.h");

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
        int result = new ProcessBuilder(
                "gcc", "-O2", "-o", made.program().toString(),
                made.directory.resolve(SOURCES.getFirst()).toString())
                .inheritIO().start().waitFor();
        if (result != 0) {
            System.out.println("(gcc failed: no C reference)");
            made.close();
            return null;
        }
        return made;
    }

    Child start(Cpus cpus, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program().toString()));
        command.addAll(List.of(arguments));
        return Child.of(cpus, command);
    }

    private Path program() {
        return directory.resolve("peers");
    }

    @Override
    public void close() throws IOException {
        for (String name : SOURCES) {
            Files.deleteIfExists(directory.resolve(name));
        }
        Files.deleteIfExists(program());
        Files.deleteIfExists(directory);
    }
}
