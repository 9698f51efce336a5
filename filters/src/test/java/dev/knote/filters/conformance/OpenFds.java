package dev.knote.filters.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The descriptors of this process, except those that the JVM opens when it likes. */
final class OpenFds {
    private static final Path SELF = Path.of("/proc/self/fd");

    private OpenFds() {}

    static List<Integer> numbers() {
        List<Integer> numbers = new ArrayList<>();
        try (var entries = Files.list(SELF)) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                if (!isOfTheJvm(target(entry))) {
                    numbers.add(Integer.valueOf(entry.getFileName().toString()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        numbers.sort(null);
        return numbers;
    }

    /** What they are, without the numbers. */
    static List<String> list() {
        List<String> targets = new ArrayList<>();
        for (int number : numbers()) {
            String target = target(number);
            if (!isOfTheJvm(target)) {
                targets.add(target);
            }
        }
        targets.sort(null);
        return targets;
    }

    static String target(int fd) {
        return target(SELF.resolve(Integer.toString(fd)));
    }

    private static boolean isOfTheJvm(String target) {
        return target.isEmpty() // closed meanwhile
                || target.startsWith("/proc/")
                || target.endsWith(".jar")
                || target.endsWith("/modules")
                || target.endsWith("random");
    }

    private static String target(Path entry) {
        try {
            return Files.readSymbolicLink(entry).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
