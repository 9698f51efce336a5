package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;

/** What a test must give back: descriptors and threads. (Words left armed are found by a wake that finds nobody.) */
final class Resources {
    /** Threads that wait for words on behalf of queues are kept for the next word, this many. */
    private static final int MOST_IDLE = 64;

    private final int fds = openFds();

    void checkReturned() {
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        while ((openFds() != fds || threads() > MOST_IDLE) && System.nanoTime() < end) {
            Thread.yield();
        }
        assertEquals(fds, openFds(), "open file descriptors");
        assertTrue(threads() <= MOST_IDLE, threads() + " threads named knote-*");
    }

    private static int openFds() {
        return new File("/proc/self/fd").list().length;
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("knote-")).count();
    }
}
