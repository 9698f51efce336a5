package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.LONG;
import static dev.knote.filters.conformance.Kq.NOW;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** kqueue() and kevent(): arguments, timeouts, lists. */
@Timeout(60)
class GenCallTest {
    private static final int FD_CLOEXEC = 1;

    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    private static KeventList list(int n) {
        return KeventList.allocate(n);
    }

    @Test
    @DisplayName("GEN-01 a new queue is a close-on-exec fd with nothing pending")
    void gen01_newQueue() {
        assertTrue(kq.fd() >= 0);
        assertEquals(FD_CLOEXEC, Fds.fcntl(kq.fd(), Fds.F_GETFD, 0) & FD_CLOEXEC);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-03 a queue of -1 is EBADF")
    void gen03_minusOne() {
        expectErrno(Errno.EBADF, () -> kevent(-1, null, 0, list(1), 1, NOW));
    }

    @Test
    @DisplayName("GEN-04 an fd that is not a queue is EBADF")
    void gen04_notAQueue() {
        try (var pipe = new Pipe()) {
            expectErrno(Errno.EBADF, () -> kevent(pipe.reader(), null, 0, list(1), 1, NOW));
        }
    }

    @Test
    @DisplayName("GEN-04 what was called says so, with the number that is not a queue")
    void gen04_messages() {
        Map<String, Executable> calls = Map.of(
                "kevent", () -> kevent(-7, null, 0, list(1), 1, NOW),
                "dup", () -> Kqueue.dup(-7),
                "queue", () -> Kqueue.queue(-7),
                "memory", () -> Kqueue.memory(-7, MemorySegment.NULL));
        calls.forEach((name, call) -> assertEquals(
                "EBADF: " + name + ": fd -7 is not a queue",
                assertThrows(KeventException.class, call).getMessage()));
    }

    @Test
    @DisplayName("GEN-05 a closed queue is EBADF")
    void gen05_closedQueue() {
        kq.close();
        expectErrno(Errno.EBADF, () -> kevent(kq.fd(), null, 0, list(1), 1, NOW));
        expectErrno(Errno.EBADF, () -> kq.addUser(1));
    }

    @Test
    @DisplayName("GEN-06 a negative nchanges is EINVAL, nothing is changed")
    void gen06_negativeNchanges() {
        var change = list(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        expectErrno(Errno.EINVAL, () -> kevent(kq.fd(), change, -1, list(1), 1, NOW));
        expectErrno(Errno.EINVAL, () -> kevent(kq.fd(), null, Integer.MIN_VALUE, null, 0, NOW));
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-07 a negative nevents is EINVAL, nothing is changed or written")
    void gen07_negativeNevents() {
        kq.addUser(1);
        kq.trigger(1);
        var events = list(1).set(0, 77, 0, 0, 0, 0, null);
        var change = list(1).set(0, 2, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        expectErrno(Errno.EINVAL, () -> kevent(kq.fd(), change, 1, events, -1, NOW));
        assertEquals(77, events.ident(0));
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-08 nevents above the size of the list: the list is the limit")
    void gen08_neventsAboveTheList() {
        var events = list(1);
        assertEquals(0, kevent(kq.fd(), null, 0, events, Integer.MAX_VALUE, Duration.ofMillis(1)));
        kq.addUser(1);
        kq.addUser(2);
        kq.trigger(1);
        kq.trigger(2);
        assertEquals(1, kevent(kq.fd(), null, 0, events, Integer.MAX_VALUE, NOW));
        assertEquals(1, kevent(kq.fd(), null, 0, events, Integer.MAX_VALUE, NOW));
        assertEquals(0, kevent(kq.fd(), null, 0, events, Integer.MAX_VALUE, NOW));
    }

    @Test
    @DisplayName("GEN-10 no eventlist although nevents is not 0 is EFAULT, the event stays")
    void gen10_noEventlist() {
        kq.addUser(1);
        kq.trigger(1);
        expectErrno(Errno.EFAULT, () -> kevent(kq.fd(), null, 0, null, 1, NOW));
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-11 no changelist, or one shorter than nchanges, is EFAULT")
    void gen11_noChangelist() {
        expectErrno(Errno.EFAULT, () -> kevent(kq.fd(), null, 1, list(1), 1, NOW));
        var change = list(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        expectErrno(Errno.EFAULT, () -> kevent(kq.fd(), change, 2, list(1), 1, NOW));
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-12 a zero timeout does not wait")
    void gen12_zeroTimeout() {
        long start = System.nanoTime();
        assertEquals(0, kevent(kq.fd(), null, 0, list(1), 1, NOW));
        assertTrue(System.nanoTime() - start < 1_000_000_000L);
        assertEquals(0, kevent(kq.fd(), null, 0, null, 0, null), "nevents 0 does not wait either");
    }

    @Test
    @DisplayName("GEN-13 without a timeout the call blocks until there is an event")
    void gen13_noTimeout() {
        kq.addUser(1);
        try (var caller = Callers.start(() -> kq.events(null)).awaitBlocked()) {
            assertFalse(caller.anyReturnsWithin(100));
            kq.trigger(1);
            assertEquals(1, caller.result().getFirst().ident());
        }
    }

    @Test
    @DisplayName("GEN-14 timeouts of 100 us, 500 us, 1.5 ms last that long, and are not rounded to ms")
    void gen14_fineTimeouts() {
        assertEquals(100_000, shortest(100_000), 800_000);
        assertEquals(500_000, shortest(500_000), 490_000);
        assertEquals(1_500_000, shortest(1_500_000), 490_000);
    }

    /** How long the fastest of some waits took; none may be too short. */
    private long shortest(long nanos) {
        var timeout = Duration.ofNanos(nanos);
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 100; i++) {
            long start = System.nanoTime();
            assertEquals(0, kevent(kq.fd(), null, 0, list(1), 1, timeout));
            long took = System.nanoTime() - start;
            assertTrue(took >= nanos, () -> took + " of " + nanos);
            best = Math.min(best, took);
        }
        return best;
    }

    @Test
    @DisplayName("GEN-15 a negative timeout is EINVAL, and nothing is changed")
    void gen15_negativeTimeout() {
        var change = list(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        for (long nanos : new long[] {-1, -1_000_000, Long.MIN_VALUE}) {
            var timeout = Duration.ofNanos(nanos);
            expectErrno(Errno.EINVAL, () -> kevent(kq.fd(), change, 1, list(1), 1, timeout));
        }
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-19 an interrupt during the wait is EINTR, and is cleared by it")
    void gen19_interrupted() {
        try (var callers = Callers.start(2, () -> {
            expectErrno(Errno.EINTR, () -> kq.events(null));
            return Thread.currentThread().isInterrupted();
        }).awaitBlocked()) {
            callers.thread(0).interrupt();
            callers.thread(1).interrupt();
            assertEquals(List.of(false, false), callers.results());
        }
        kq.addUser(1);
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-20 all changes are applied before events are fetched")
    void gen20_changesBeforeEvents() {
        try (var pipe = new Pipe()) {
            pipe.write(3);
            var list = list(2)
                    .set(0, pipe.reader(), EVFILT_READ, EV_ADD, 0, 0, null)
                    .set(1, 1, EVFILT_USER, EV_ADD, 0, 0, null);
            List<Kq.Event> events = kq.call(list, LONG);
            assertEquals(1, events.size());
            assertEquals(pipe.reader(), events.getFirst().ident());
            assertEquals(3, events.getFirst().data());
        }
    }

    @Test
    @DisplayName("GEN-21 add, trigger and wait in one call: one event with the trigger's udata")
    void gen21_addTriggerWait() {
        Object udata = new Object();
        var list = list(2)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, "of the add")
                .set(1, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, udata);
        List<Kq.Event> events = kq.call(list, LONG);
        assertEquals(1, events.size());
        assertSame(udata, events.getFirst().udata());
    }

    @Test
    @DisplayName("GEN-37 600 pending events come in one call with room for them")
    void gen37_manyEvents() {
        var events = list(1024);
        for (int i = 0; i < 600; i++) {
            kq.addUser(i);
            kq.trigger(i);
        }
        assertEquals(600, kevent(kq.fd(), null, 0, events, 1024, NOW));
        assertEquals(LongStream.range(0, 600).boxed().toList(),
                Kq.list(events, 600).stream().map(Kq.Event::ident).toList());
    }

    @Test
    @DisplayName("GEN-65 events come in the order in which they became ready")
    void gen65_order() {
        List<Long> order = List.of(3L, 1L, 5L, 2L, 4L);
        LongStream.rangeClosed(1, 5).forEach(kq::addUser);
        order.forEach(kq::trigger);
        assertEquals(order, kq.pending());
    }

    @Test
    @DisplayName("GEN-67 many small events are one event a knote")
    void gen67_aggregation() {
        try (var pipe = new Pipe()) {
            kq.change(pipe.reader(), EVFILT_READ, EV_ADD | EV_CLEAR);
            kq.addUser(1);
            for (int i = 0; i < 100; i++) {
                pipe.write(1);
                kq.trigger(1);
            }
            List<Kq.Event> events = kq.events(LONG);
            assertEquals(2, events.size());
            assertEquals(100, events.stream().filter(e -> e.filter() == EVFILT_READ)
                    .mapToLong(Kq.Event::data).sum());
            kq.assertQuiet();
        }
    }
}
