package dev.knote.filters.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The descriptors of this process, except those that the JVM opens when it likes. */
public final class OpenFds {
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
    public static List<String> list() {
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

    /** Fails if something is open that is not in this list; of what is in it, the JVM may have closed some. */
    public static void assertNoneBut(List<String> before) {
        assertEquals(List.of(), more(before), () -> "left open; open before: " + before);
    }

    /** As {@link #assertNoneBut}, in a while. */
    public static void awaitNoneBut(List<String> before) {
        Kq.await("nothing open but " + before, () -> more(before).isEmpty(),
                () -> "left open: " + more(before));
    }

    private static List<String> more(List<String> before) {
        List<String> more = list();
        before.forEach(more::remove);
        return more;
    }

    static String target(int fd) {
        return target(SELF.resolve(Integer.toString(fd)));
    }

    private static boolean isOfTheJvm(String target) {
        return target.isEmpty() // closed meanwhile
                || target.startsWith("/proc/")
                || target.startsWith("/sys/") // limits of a container
                || target.endsWith(".so")
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
