package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a test must give back: descriptors and threads. (Words left armed are found by a wake that finds nobody.) */
final class Resources {
    /** Threads that wait for words on behalf of queues are kept for the next word, this many. */
    private static final int MOST_IDLE = 64;

    private final List<String> before = openFds();

    void checkReturned() {
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        while ((openFds().size() != before.size() || threads() > MOST_IDLE) && System.nanoTime() < end) {
            Thread.yield();
        }
        List<String> now = openFds();
        assertEquals(before.size(), now.size(),
                () -> "open file descriptors: before " + before + ", now " + now);
        assertTrue(threads() <= MOST_IDLE, threads() + " threads named knote-*");
    }

    /** What each of them is; of one that is closed meanwhile, its number. */
    private static List<String> openFds() {
        return Stream.of(new File("/proc/self/fd").list()).map(fd -> {
            try {
                return fd + " " + Files.readSymbolicLink(Path.of("/proc/self/fd", fd));
            } catch (IOException closed) {
                return fd;
            }
        }).sorted().toList();
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("knote-")).count();
    }
}
