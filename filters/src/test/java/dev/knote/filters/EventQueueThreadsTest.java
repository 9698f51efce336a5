package dev.knote.filters;

import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.filters.conformance.Callers;
import dev.knote.filters.conformance.Kq;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The Java face of a queue, by several threads. */
@Timeout(60)
class EventQueueThreadsTest {
    private final EventQueue queue = EventQueue.open();

    @AfterEach
    void close() {
        queue.close();
    }

    private int poll(Duration timeout) {
        return queue.poll(event -> {}, timeout);
    }

    @Test
    void aWakeupBeforeAPollMakesThatOneReturnAndNoOther() {
        queue.wakeup();
        queue.wakeup();
        assertEquals(0, poll(null));
        long start = System.nanoTime();
        assertEquals(0, poll(Duration.ofMillis(20)));
        assertTrue(System.nanoTime() - start >= 20_000_000);
    }

    @Test
    void aWakeupIsAnsweredByAPollThatDoesNotWait() {
        queue.wakeup();
        assertEquals(0, poll(Duration.ZERO));
        long start = System.nanoTime();
        assertEquals(0, poll(Duration.ofMillis(20)));
        assertTrue(System.nanoTime() - start >= 20_000_000);
    }

    @RepeatedTest(5)
    void aWakeupEndsThePollThatWaits() {
        try (var waiter = Callers.start(() -> poll(null)).awaitBlocked()) {
            assertFalse(waiter.anyReturnsWithin(5));
            queue.wakeup();
            assertEquals(0, waiter.result());
        }
    }

    @RepeatedTest(5)
    void aWakeupEndsOneOfSeveralPolls() {
        try (var waiters = Callers.start(3, () -> poll(null)).awaitBlocked()) {
            for (int woken = 1; woken <= 3; woken++) {
                queue.wakeup();
                int expected = woken;
                Kq.await(expected + " returned", () -> waiters.returned() == expected);
            }
            assertEquals(List.of(0, 0, 0), waiters.results());
        }
    }

    @RepeatedTest(5)
    void aWakeupByAHandlerOfTheSameThreadEndsTheNextPoll() {
        queue.register(User.of(1).oneShot(), null).trigger();
        assertEquals(1, queue.poll(event -> queue.wakeup(), null));
        assertEquals(0, poll(null));
    }

    @RepeatedTest(5)
    void anInterruptEndsThePollAndTheStatusIsKept() {
        try (var waiters = Callers.start(2, () -> {
            assertEquals(0, poll(null));
            return Thread.interrupted();
        }).awaitBlocked()) {
            waiters.thread(1).interrupt();
            waiters.thread(0).interrupt();
            assertEquals(List.of(true, true), waiters.results());
        }
    }

    @Test
    void aThreadThatIsInterruptedAlreadyDoesNotWaitButGetsItsEvents() {
        queue.register(User.of(1).oneShot(), null).trigger();
        Thread.currentThread().interrupt();
        try {
            assertEquals(1, poll(null));
            assertEquals(0, poll(null));
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    @RepeatedTest(10)
    void closeEndsEveryPollWithEbadf() {
        try (var waiters = Callers.start(3, () -> {
            expectErrno(Errno.EBADF, () -> poll(null));
            return true;
        }).awaitBlocked()) {
            queue.close();
            assertEquals(List.of(true, true, true), waiters.results());
        }
    }

    @RepeatedTest(5)
    void aHandlerClosesTheQueueInWhichOthersPoll() {
        try (var pollers = Callers.start(3, () -> {
            try {
                return "events: " + queue.poll(event -> queue.close(), null);
            } catch (KeventException e) {
                return Errno.name(e.errno());
            }
        }).awaitBlocked()) {
            queue.register(User.of(1).oneShot(), null).trigger();
            assertEquals(List.of("EBADF", "EBADF", "events: 1"),
                    pollers.results().stream().sorted().toList());
        }
    }

    @Test
    void manyThreadsPollAndEachOneShotIsHandledOnce() {
        int knotes = 2000;
        var handled = new AtomicIntegerArray(knotes);
        try (var pollers = Callers.start(4, () -> {
            boolean[] done = {false};
            while (!done[0]) {
                queue.poll(event -> {
                    if (event.ident() < 0) {
                        done[0] = true;
                    } else {
                        handled.incrementAndGet((int) event.attachment());
                    }
                }, null);
            }
            return true;
        })) {
            try (var registrars = Callers.start(1, () -> {
                IntStream.range(0, knotes).forEach(i -> queue.register(User.of(i).oneShot(), i).trigger());
                return true;
            })) {
                assertTrue(registrars.result());
            }
            Kq.await("all handled", () -> IntStream.range(0, knotes).allMatch(i -> handled.get(i) > 0));
            queue.register(User.of(-1), null).trigger();
            assertEquals(Collections.nCopies(4, true), pollers.results());
        }
        assertTrue(IntStream.range(0, knotes).allMatch(i -> handled.get(i) == 1));
    }

    @Test
    void aVirtualThreadCanPoll() throws InterruptedException {
        int[] n = {0};
        Thread waiter = Thread.ofVirtual().start(() -> n[0] = poll(Kq.LONG));
        queue.register(User.of(1).oneShot(), null).trigger();
        waiter.join();
        assertEquals(1, n[0]);
    }
}
