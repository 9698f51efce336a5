package dev.knote.examples.page;

import dev.knote.EventQueue;
import java.io.IOException;
import java.time.Duration;

/** A page that shows words of shared memory, live; ends when nobody looks at it any more. */
public final class PageDemo {
    private static final int SECONDS_AT_FIRST = 40;
    private static final Duration AFTERWARDS = Duration.ofSeconds(20);

    private PageDemo() {}

    static void main() {
        try {
            serve();
            System.exit(0);
        } catch (Exception e) {
            System.out.println("The page cannot be served: " + e);
            System.exit(1);
        }
    }

    /**
     * Serves on the port {@code demo.port}, until no page is open: for {@code demo.seconds} from now on, and for a
     * while after the last one.
     */
    public static void serve() throws IOException, InterruptedException {
        int seconds = Integer.getInteger("demo.seconds", SECONDS_AT_FIRST);
        if (seconds <= 0) {
            return;
        }
        try (var words = Words.create();
                var other = new OtherProcess(words);
                var server = new PageServer(Integer.getInteger("demo.port", 0), words, about(other))) {
            System.out.printf("%n  %s%n%nis a page on which %s changes words of shared memory. "
                    + "It is served for %d s, and as long as a page is open.%n", server.url(), other.kind(),
                    seconds);
            server.pages().awaitNone(Duration.ofSeconds(seconds), AFTERWARDS);
        }
    }

    /** For the foot of the page. */
    static String about(OtherProcess other) {
        try (var queue = EventQueue.open()) {
            return other.kind() + "; poller " + queue.pollerName() + ", Java " + Runtime.version().feature();
        }
    }
}
