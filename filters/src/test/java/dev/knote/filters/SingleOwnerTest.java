package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.NOTE_FFCOPY;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.filters.conformance.Callers;
import dev.knote.filters.conformance.Kq;
import dev.knote.linux.Errno;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A queue with a single owner, here the thread of the test, and what other threads may do with it. */
@Timeout(60)
class SingleOwnerTest {
    private final EventQueue queue = EventQueue.open(Options.defaults().singleOwner());

    @BeforeEach
    void own() {
        assertEquals(0, queue.poll(event -> {}, Duration.ZERO));
    }

    @AfterEach
    void close() {
        queue.close();
    }

    private record Got(long ident, int flags, long data, Object attachment) {}

    private List<Got> poll(Duration timeout) {
        List<Got> got = new ArrayList<>();
        queue.poll(event -> got.add(
                new Got(event.ident(), event.flags(), event.data(), event.attachment())), timeout);
        return got;
    }

    private List<Long> idents(Duration timeout) {
        return poll(timeout).stream().map(Got::ident).toList();
    }

    /** By another thread, which is done when this returns. */
    private static <T> T foreign(Callable<T> call) {
        try (var caller = Callers.start(call)) {
            return caller.result();
        }
    }

    private static void foreignRun(Runnable call) {
        foreign(() -> {
            call.run();
            return null;
        });
    }

    /** Begins the call in another thread when this one sleeps. */
    private static Callers<Boolean> whenAsleep(Runnable call) {
        Thread owner = Thread.currentThread();
        return Callers.start(() -> {
            Kq.await("the owner sleeps", () -> {
                StackTraceElement[] stack = owner.getStackTrace();
                return stack.length > 0 && stack[0].isNativeMethod()
                        || List.of(stack).stream().limit(12)
                                .anyMatch(f -> f.getClassName().equals("dev.knote.linux.Epoll")
                                        || f.getClassName().equals("dev.knote.linux.IoUring"));
            });
            call.run();
            return true;
        });
    }

    @Test
    void foreignTriggersAreDoneByTheOwner() {
        Knote knote = queue.register(User.of(1).clear(), "mine");
        foreignRun(knote::trigger);
        foreignRun(knote::trigger);
        assertEquals(List.of(1L), idents(Duration.ZERO));
        assertEquals(List.of(), idents(Duration.ZERO));
    }

    @RepeatedTest(5)
    void aForeignTriggerEndsTheOwnersSleep() {
        Knote knote = queue.register(User.of(1).clear(), "mine");
        try (var other = whenAsleep(knote::trigger)) {
            assertEquals(List.of(1L), idents(null));
            assertTrue(other.result());
        }
    }

    @Test
    void aForeignRegistrationIsPosted() {
        assertNull(foreign(() -> queue.register(User.of(1).fflags(NOTE_TRIGGER), "theirs")));
        List<Got> got = poll(Duration.ZERO);
        assertEquals(1, got.size());
        assertEquals("theirs", got.getFirst().attachment());
    }

    @RepeatedTest(5)
    void aForeignRegistrationEndsTheOwnersSleep() {
        try (var other = whenAsleep(() -> queue.register(Timer.after(7, Duration.ofMillis(1)), null))) {
            assertEquals(List.of(7L), idents(null));
            assertTrue(other.result());
        }
    }

    @Test
    void foreignChangesAreDoneInTheirOrder() {
        Knote knote = queue.register(User.of(1).clear(), "mine");
        foreignRun(() -> {
            knote.disable();
            knote.update(NOTE_TRIGGER | NOTE_FFCOPY | 3, 5);
        });
        assertEquals(List.of(), idents(Duration.ZERO));
        foreignRun(knote::enable);
        assertEquals(List.of(new Got(1, Kqueue.EV_CLEAR, 5, "mine")), poll(Duration.ZERO));
        foreignRun(() -> {
            knote.trigger();
            knote.cancel();
        });
        assertEquals(List.of(), idents(Duration.ZERO));
        assertEquals(false, knote.isValid());
    }

    @Test
    void cancellingTwiceIsNoErrorForForeignersEither() {
        Knote knote = queue.register(User.of(1), null);
        foreignRun(() -> {
            knote.cancel();
            knote.cancel();
        });
        assertEquals(List.of(), poll(Duration.ZERO));
    }

    @Test
    void aForeignCancelDoesNotTouchASuccessor() {
        Knote old = queue.register(User.of(1), "old");
        foreignRun(old::cancel);
        old.cancel();
        Knote successor = queue.register(User.of(1), "new");
        assertEquals(List.of(), poll(Duration.ZERO));
        assertTrue(successor.isValid());
    }

    @Test
    void aForeignRegistrationThatFailsIsAnEvent() {
        foreignRun(() -> queue.register(Timer.every(1, Duration.ofNanos(-1)), "bad"));
        foreignRun(() -> queue.register(User.of(2).fflags(NOTE_TRIGGER).oneShot(), "good"));
        List<Got> got = poll(Duration.ZERO);
        assertEquals(2, got.size(), got::toString);
        assertTrue(got.contains(new Got(1, EV_ERROR, Errno.EINVAL, "bad")), got::toString);
        assertEquals(List.of(), poll(Duration.ZERO));
    }

    @Test
    void aForeignChangeOfAKnoteThatIsGoneIsAnEvent() {
        Knote knote = queue.register(User.of(1), null);
        foreignRun(() -> {
            knote.cancel();
            knote.disable();
        });
        assertEquals(List.of(new Got(1, EV_ERROR, Errno.ENOENT, null)), poll(Duration.ZERO));
    }

    @RepeatedTest(3)
    void aFailedForeignPostEndsTheOwnersSleep() {
        try (var other = whenAsleep(() -> queue.register(Timer.every(1, Duration.ofNanos(-1)), "bad"))) {
            assertEquals(List.of(new Got(1, EV_ERROR, Errno.EINVAL, "bad")), poll(null));
            assertTrue(other.result());
        }
    }

    @Test
    void moreFailuresThanRoomAreKept() {
        var list = KeventList.allocate(1);
        foreignRun(() -> {
            for (int i = 0; i < 3; i++) {
                queue.register(Timer.every(i, Duration.ofNanos(-1)), null);
            }
        });
        for (int i = 0; i < 3; i++) {
            assertEquals(1, Kqueue.kevent(queue.fd(), null, 0, list, 1, Duration.ZERO));
            assertEquals(i, list.ident(0));
            assertEquals(EVFILT_TIMER, list.filter(0));
        }
        assertEquals(0, Kqueue.kevent(queue.fd(), null, 0, list, 1, Duration.ZERO));
    }

    @Test
    void foreignChangesByTheCFaceArePosted() {
        foreignRun(() -> {
            var list = KeventList.allocate(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, "c");
            assertEquals(0, Kqueue.kevent(queue.fd(), list, 1, null, 0, null));
        });
        assertEquals(List.of(1L), idents(Duration.ZERO));
    }

    @Test
    void onlyTheOwnerWaits() {
        foreignRun(() -> expectErrno(Errno.EPERM, () -> poll(Duration.ZERO)));
        foreignRun(() -> expectErrno(Errno.EPERM,
                () -> Kqueue.kevent(queue.fd(), null, 0, KeventList.allocate(1), 1, null)));
        assertEquals(List.of(), poll(Duration.ZERO));
    }

    @RepeatedTest(5)
    void aWakeupEndsTheOwnersSleep() {
        try (var other = whenAsleep(queue::wakeup)) {
            assertEquals(0, queue.poll(event -> {}, null));
            assertTrue(other.result());
        }
    }

    @Test
    void aWakeupBeforeAPollMakesThatOneReturnAndNoOther() {
        queue.wakeup();
        foreignRun(queue::wakeup);
        assertEquals(0, queue.poll(event -> {}, null));
        waitsForItsTimeout();
    }

    @Test
    void aWakeupIsAnsweredByAPollThatReturnsAnyhow() {
        queue.wakeup();
        assertEquals(0, queue.poll(event -> {}, Duration.ZERO));
        waitsForItsTimeout();
        queue.register(User.of(1).oneShot(), null).trigger();
        queue.wakeup();
        assertEquals(1, queue.poll(event -> {}, null));
        waitsForItsTimeout();
    }

    private void waitsForItsTimeout() {
        long start = System.nanoTime();
        assertEquals(0, queue.poll(event -> {}, Duration.ofMillis(20)));
        assertTrue(System.nanoTime() - start >= 20_000_000);
    }

    @Test
    void anInterruptEndsTheOwnersSleepAndTheStatusIsKept() {
        Thread owner = Thread.currentThread();
        try (var other = whenAsleep(owner::interrupt)) {
            assertEquals(0, queue.poll(event -> {}, null));
            assertTrue(Thread.interrupted());
            assertTrue(other.result());
        }
    }

    /** The counters of the eventfds of this process: they grow with each wakeup of a poller. */
    private static long wakeups() throws IOException {
        long sum = 0;
        for (File fd : new File("/proc/self/fdinfo").listFiles()) {
            try {
                sum += Files.readAllLines(fd.toPath()).stream()
                        .filter(line -> line.startsWith("eventfd-count:"))
                        .mapToLong(line -> Long.parseLong(line.substring(14).strip(), 16)).sum();
            } catch (java.nio.file.NoSuchFileException e) {
                continue; // the directory's own
            }
        }
        return sum;
    }

    @Test
    void anAwakeOwnerCostsNoWakeup() throws IOException {
        List<Knote> knotes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            knotes.add(queue.register(User.of(i).clear(), i));
        }
        long before = wakeups();
        foreignRun(() -> {
            knotes.forEach(Knote::trigger);
            queue.wakeup();
            queue.register(User.of(100), null);
        });
        assertEquals(before, wakeups());
        assertEquals(100, queue.poll(event -> {}, null));
    }

    @Test
    void aSleepingOwnerIsWokenOnceForManyPosts() throws IOException {
        Knote knote = queue.register(User.of(1).clear(), null);
        long before = wakeups();
        try (var other = whenAsleep(knote::trigger)) {
            assertEquals(List.of(1L), idents(null));
            assertTrue(other.result());
        }
        assertTrue(wakeups() <= before + 1);
    }

    @Test
    void theFirstThreadThatUsesTheQueueIsItsOwner() {
        try (var other = EventQueue.open(Options.defaults().singleOwner())) {
            other.wakeup();
            foreignRun(() -> assertNotNull(other.register(User.of(1), null)));
            expectErrno(Errno.EPERM, () -> other.poll(event -> {}, Duration.ZERO));
        }
    }

    @RepeatedTest(5)
    void closeByAnotherThreadEndsTheOwnersSleepWithEbadf() {
        try (var other = whenAsleep(queue::close)) {
            expectErrno(Errno.EBADF, () -> queue.poll(event -> {}, null));
            assertTrue(other.result());
        }
        expectErrno(Errno.EBADF, () -> queue.register(User.of(1), null));
    }

    @Test
    void closeByTheOwnerEndsWhatOthersDo() {
        Knote knote = queue.register(User.of(1), null);
        foreignRun(knote::trigger);
        queue.close();
        foreignRun(() -> {
            queue.wakeup();
            knote.cancel();
            expectErrno(Errno.EBADF, () -> queue.register(User.of(2), null));
        });
        expectErrno(Errno.EBADF, () -> poll(Duration.ZERO));
    }

    @Test
    void closeByAHandlerOfTheOwner() {
        queue.register(User.of(1), null).trigger();
        assertEquals(1, queue.poll(event -> queue.close(), null));
        expectErrno(Errno.EBADF, () -> poll(Duration.ZERO));
    }

    @Test
    void noForeignTriggerIsLostWhileTheOwnerFallsAsleepAndWakes() {
        long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
        Knote knote = queue.register(User.of(1).clear(), null);
        var answers = new SynchronousQueue<Boolean>();
        var done = new AtomicBoolean();
        int[] handled = {0};
        try (var other = Callers.start(() -> {
            int triggered = 0;
            try {
                for (; triggered < 20_000 && System.nanoTime() < end; triggered++) {
                    knote.trigger();
                    assertNotNull(answers.poll(Kq.LONG.toSeconds(), TimeUnit.SECONDS), "trigger is lost");
                }
            } finally {
                done.set(true);
                queue.wakeup();
            }
            return triggered;
        })) {
            while (!done.get()) {
                queue.poll(event -> {
                    handled[0]++;
                    try {
                        answers.put(true);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }, null);
            }
            assertEquals(handled[0], other.result());
        }
        assertTrue(handled[0] > 0);
        assertEquals(List.of(), poll(Duration.ZERO));
    }
}
