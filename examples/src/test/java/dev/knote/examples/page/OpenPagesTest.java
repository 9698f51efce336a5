package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long a server stays. */
@Timeout(20)
class OpenPagesTest {
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration SHORT = Duration.ofMillis(50);

    private final OpenPages pages = new OpenPages(2);

    @Test
    void withoutAPageItStaysForAWhile() throws Exception {
        long start = System.nanoTime();
        pages.awaitNone(SHORT, LONG);
        assertTrue(System.nanoTime() - start >= SHORT.toNanos());
    }

    @Test
    void itStaysWhileAPageIsOpenAndAWhileLonger() throws Exception {
        assertTrue(pages.enter());
        Thread waiting = Thread.ofPlatform().daemon().start(() -> {
            try {
                pages.awaitNone(Duration.ZERO, SHORT);
            } catch (InterruptedException e) {
                return;
            }
        });
        assertFalse(waiting.join(Duration.ofMillis(300)), "a page is open");
        long end = System.nanoTime();
        pages.leave();
        assertTrue(waiting.join(Duration.ofSeconds(10)));
        assertTrue(System.nanoTime() - end >= SHORT.toNanos());
    }

    @Test
    void noMoreThanTheMostAreOpen() {
        assertTrue(pages.enter() && pages.enter());
        assertFalse(pages.enter());
        pages.leave();
        assertTrue(pages.enter());
    }
}
