package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Options;
import dev.knote.filters.Read;
import dev.knote.filters.Timer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The timers of a queue in which nobody waits are events of the queue that watches it. */
@Timeout(60)
class NestedTimersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    @Test
    void aLaterTimerDoesNotHideAnEarlierOne() {
        try (EventQueue outer = EventQueue.open();
                EventQueue inner = EventQueue.open()) {
            outer.register(Read.of(inner.fd()), "inner");
            inner.register(Timer.after(1, Duration.ofMillis(50)), "soon");
            inner.register(Timer.after(2, Duration.ofHours(1)), "late");
            assertEquals(1, outer.poll(event -> {}, PATIENCE));
        }
    }

    @Test
    void aTimerSetByAnotherThreadWakesTheOwnerOfTheOuterQueue() throws Exception {
        try (EventQueue outer = EventQueue.open(Options.defaults().singleOwner());
                EventQueue inner = EventQueue.open()) {
            outer.register(Read.of(inner.fd()), "inner");
            Thread owner = Thread.currentThread();
            Thread other = Thread.ofPlatform().start(() -> {
                while (!isSleeping(owner)) {
                    Thread.onSpinWait();
                }
                inner.register(Timer.after(Duration.ofMillis(20)), "soon");
            });
            long begin = System.nanoTime();
            assertEquals(1, outer.poll(event -> {}, PATIENCE));
            assertTrue(System.nanoTime() - begin < PATIENCE.toNanos() / 2, "only seen after the timeout");
            other.join();
        }
    }

    /** In a system call, as far as one can tell. */
    private static boolean isSleeping(Thread thread) {
        for (StackTraceElement frame : thread.getStackTrace()) {
            if (frame.getMethodName().equals("pollAsLeader")) {
                return true;
            }
        }
        return false;
    }
}
