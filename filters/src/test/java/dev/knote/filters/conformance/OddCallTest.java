package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.KQUEUE_FD_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.LONG;
import static dev.knote.filters.conformance.Kq.NOW;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that nobody makes on purpose, beside those of the tables. */
@Timeout(60)
class OddCallTest {
    private static final long UDATA_AT = 24;

    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    @Test
    void anEventlistWithoutEntriesIsAsNoneAndDoesNotWait() {
        kq.user(1, EV_ADD, NOTE_TRIGGER);
        KeventList empty = KeventList.allocate(0);
        long start = System.nanoTime();
        assertEquals(0, kevent(kq.fd(), null, 0, empty, 5, LONG));
        assertEquals(0, kevent(kq.fd(), null, 0, empty, Integer.MAX_VALUE, null));
        assertTrue(System.nanoTime() - start < LONG.toNanos() / 2);
        var bad = KeventList.allocate(1).set(0, 2, EVFILT_USER, EV_DELETE, 0, 0, null);
        expectErrno(Errno.ENOENT, () -> kevent(kq.fd(), bad, 1, empty, 5, NOW));
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    void aPollWithoutWaitingIsNotInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertEquals(List.of(), kq.events(NOW));
            assertTrue(Thread.currentThread().isInterrupted(), "still interrupted");
            expectErrno(Errno.EINTR, () -> kq.events(LONG));
            assertFalse(Thread.currentThread().isInterrupted(), "the errno is instead of it");
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void theSecondErrorWithoutRoomFailsTheCallAndEndsItThere() {
        var changes = KeventList.allocate(4)
                .set(0, 1, EVFILT_USER, EV_DELETE, 0, 0, null)
                .set(1, 2, EVFILT_USER, EV_ADD, 0, 0, null)
                .set(2, 3, EVFILT_USER, EV_DELETE, 0, 0, null)
                .set(3, 4, EVFILT_USER, EV_ADD, 0, 0, null);
        expectErrno(Errno.ENOENT, () -> kevent(kq.fd(), changes, 4, KeventList.allocate(1), 1, null));
        assertTrue(kq.delete(2, EVFILT_USER), "in front of it");
        assertFalse(kq.delete(4, EVFILT_USER), "behind it");
    }

    @Test
    void receiptsErrorsAndGapsInPlaceMoveUp() {
        var list = KeventList.allocate(4)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, "made")
                .set(1, 2, 0, EV_ADD, 0, 0, "passed over")
                .set(2, 3, EVFILT_USER, EV_DELETE, 0, 0, "failed")
                .set(3, 4, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, "made too");
        List<Kq.Event> answers = Kq.list(list, kevent(kq.fd(), list, 4, list, 4, null));
        assertEquals(List.of(
                new Kq.Event(1, EVFILT_USER, EV_ERROR, 0, 0, "made"),
                new Kq.Event(3, EVFILT_USER, EV_ERROR, 0, Errno.ENOENT, "failed"),
                new Kq.Event(4, EVFILT_USER, EV_ERROR, 0, 0, "made too")), answers);
    }

    @Test
    void levelTriggeredKnotesTakeTurnsInAShortEventlist() {
        for (int ident = 1; ident <= 3; ident++) {
            kq.user(ident, EV_ADD, NOTE_TRIGGER);
        }
        List<Long> turns = new ArrayList<>();
        var one = KeventList.allocate(1);
        for (int i = 0; i < 6; i++) {
            assertEquals(1, kevent(kq.fd(), null, 0, one, 1, NOW));
            turns.add(one.ident(0));
        }
        assertEquals(List.of(1L, 2L, 3L, 1L, 2L, 3L), turns);
    }

    @Test
    void extPassesThrough() {
        var list = KeventList.allocate(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        for (int k = 0; k < 4; k++) {
            list.ext(0, k, 10 + k);
        }
        kevent(kq.fd(), list, 1, null, 0, null);
        var event = KeventList.allocate(1);
        assertEquals(1, kevent(kq.fd(), null, 0, event, 1, NOW));
        for (int k = 0; k < 4; k++) {
            assertEquals(10 + k, event.ext(0, k));
        }
    }

    @Test
    void udataWrittenAsBytesPassesThroughAsBytes() {
        var list = KeventList.allocate(1).set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        list.memory().set(ValueLayout.JAVA_LONG, UDATA_AT, -4711);
        assertEquals(-4711L, list.udata(0));
        kevent(kq.fd(), list, 1, null, 0, null);
        var event = KeventList.allocate(1);
        assertEquals(1, kevent(kq.fd(), null, 0, event, 1, NOW));
        assertEquals(-4711L, event.udata(0));
        assertEquals(-4711, event.memory().get(ValueLayout.JAVA_LONG, UDATA_AT));
    }

    @Test
    void anonymousCallsCheckTheirArgumentsAsOthersDo() {
        var list = KeventList.allocate(1).set(0, 1, EVFILT_USER, EV_DELETE, 0, 0, null);
        Duration negative = Duration.ofNanos(-1);
        expectErrno(Errno.EINVAL, () -> kevent(KQUEUE_FD_ANON, list, 1, null, 0, negative));
        expectErrno(Errno.EINVAL, () -> kevent(KQUEUE_FD_ANON, null, 0, list, 1, negative));
        expectErrno(Errno.EINVAL, () -> kevent(KQUEUE_FD_ANON, list, -1, null, 0, null));
        expectErrno(Errno.EFAULT, () -> kevent(KQUEUE_FD_ANON, list, 2, null, 0, null));
        expectErrno(Errno.EFAULT, () -> kevent(KQUEUE_FD_ANON, null, 0, null, 1, null));
        expectErrno(Errno.EINVAL, () -> kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
        assertEquals(EV_DELETE, list.flags(0), "the changelist is as it was");
        assertEquals(0, kevent(KQUEUE_FD_ANON, null, 0, null, 0, null));
    }
}
