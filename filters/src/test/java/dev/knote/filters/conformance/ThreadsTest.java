package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_WRITE;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.LONG;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several threads wait in one queue. */
@Timeout(60)
class ThreadsTest {
    private static final int WAITERS = 4;
    private static final int ROUNDS = 10;
    /** How long those wait who are to get nothing. */
    private static final Duration A_WHILE = Duration.ofMillis(400);

    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    /** What one call with room for one event returned, and after how long. */
    private record Answer(int n, long ident, long nanos) {}

    private Answer waitForOne(Duration timeout) {
        var events = KeventList.allocate(1);
        long start = System.nanoTime();
        int n = kevent(kq.fd(), null, 0, events, 1, timeout);
        return new Answer(n, n == 0 ? 0 : events.ident(0), System.nanoTime() - start);
    }

    private Callers<Answer> waiters(Duration timeout) {
        return Callers.start(WAITERS, () -> waitForOne(timeout)).awaitBlocked();
    }

    /** One of the waiters got one event for the ident; the others got none, and waited until their timeout. */
    private static void assertOneEvent(Callers<Answer> waiters, long ident) {
        List<Answer> answers = waiters.results();
        List<Answer> winners = answers.stream().filter(answer -> answer.n() != 0).toList();
        assertEquals(1, winners.size(), answers::toString);
        assertEquals(ident, winners.getFirst().ident());
        assertTrue(answers.stream().filter(answer -> answer.n() == 0)
                .allMatch(answer -> answer.nanos() >= A_WHILE.toNanos()), answers::toString);
    }

    @RepeatedTest(ROUNDS)
    @DisplayName("THR-01 close() wakes those who wait with EBADF, and so fails every later call")
    void thr01_closeWakes() {
        kq.addUser(1);
        try (var waiters = Callers.start(WAITERS, () -> {
            try {
                return kq.events(null).toString();
            } catch (KeventException e) {
                return Errno.name(e.errno());
            }
        }).awaitBlocked()) {
            kq.close();
            assertEquals(Collections.nCopies(WAITERS, "EBADF"), waiters.results());
        }
        expectErrno(Errno.EBADF, () -> kq.trigger(1));
        expectErrno(Errno.EBADF, () -> kq.events(null));
    }

    @RepeatedTest(3)
    @DisplayName("THR-05 4 waiters, one EV_CLEAR trigger: one gets it, the others go on waiting")
    void thr05_oneClearTrigger() {
        kq.addUser(1);
        try (var waiters = waiters(A_WHILE)) {
            kq.trigger(1);
            assertOneEvent(waiters, 1);
        }
    }

    @RepeatedTest(ROUNDS)
    @DisplayName("THR-06 4 waiters, one level trigger: each returns it")
    void thr06_oneLevelTrigger() {
        kq.user(1, EV_ADD);
        try (var waiters = waiters(LONG)) {
            kq.trigger(1);
            assertEquals(Collections.nCopies(WAITERS, 1L),
                    waiters.results().stream().map(Answer::ident).toList());
        }
    }

    @RepeatedTest(3)
    @DisplayName("THR-11 4 waiters, one byte for an EV_CLEAR READ: one event in total")
    void thr11_oneByte() {
        try (var pipe = new Pipe()) {
            kq.change(pipe.reader(), EVFILT_READ, EV_ADD | EV_CLEAR);
            try (var waiters = waiters(A_WHILE)) {
                pipe.write(1);
                assertOneEvent(waiters, pipe.reader());
            }
        }
    }

    @RepeatedTest(3)
    @DisplayName("THR-12 4 waiters, an EV_CLEAR WRITE gets ready once: one event in total")
    void thr12_onceWritable() {
        try (var pipe = new Pipe()) {
            pipe.fill();
            kq.change(pipe.writer(), EVFILT_WRITE, EV_ADD | EV_CLEAR);
            try (var waiters = waiters(A_WHILE)) {
                assertTrue(pipe.drain() > 0);
                assertOneEvent(waiters, pipe.writer());
            }
        }
    }

    @RepeatedTest(ROUNDS)
    @DisplayName("as many triggers as waiters, of one event each: every waiter gets one, and none is lost")
    void everyWaiterGetsOne() {
        try (var waiters = waiters(LONG)) {
            Stream.of(1L, 2L, 3L, 4L).forEach(ident -> {
                kq.addUser(ident);
                kq.trigger(ident);
            });
            assertEquals(List.of(1L, 2L, 3L, 4L),
                    waiters.results().stream().map(Answer::ident).sorted().toList());
        }
    }

    @Test
    @DisplayName("a waiter that is interrupted, times out or returns leaves the others an event to come")
    void whoLeavesIsReplaced() {
        try (var pipe = new Pipe();
                var first = Callers.start(() -> waitForOne(LONG)).awaitBlocked();
                var others = Callers.start(2, () -> waitForOne(LONG)).awaitBlocked();
                var impatient = Callers.start(() -> waitForOne(Duration.ofMillis(30)))) {
            assertEquals(0, impatient.result().n());
            first.thread(0).interrupt();
            expectErrno(Errno.EINTR, first::result);
            assertFalse(others.anyReturnsWithin(20));
            kq.change(pipe.reader(), EVFILT_READ, EV_ADD);
            pipe.write(1);
            assertEquals(Collections.nCopies(2, (long) pipe.reader()),
                    others.results().stream().map(Answer::ident).toList());
            kq.change(pipe.reader(), EVFILT_READ, EV_DELETE);
            kq.assertQuiet();
        }
        assertFalse(kq.delete(1, EVFILT_USER));
    }
}
