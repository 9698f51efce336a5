package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.filters.conformance.OpenFds;
import java.util.List;

/** What a test must give back: descriptors and threads. (Words left armed are found by a wake that finds nobody.) */
final class Resources {
    /** Threads that wait for words on behalf of queues are kept for the next word, this many. */
    private static final int MOST_IDLE = 64;

    private final List<String> before = OpenFds.list();

    void checkReturned() {
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        while (threads() > MOST_IDLE && System.nanoTime() < end) {
            Thread.yield();
        }
        assertTrue(threads() <= MOST_IDLE, threads() + " threads named knote-*");
        OpenFds.awaitNoneBut(before);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("knote-")).count();
    }
}
