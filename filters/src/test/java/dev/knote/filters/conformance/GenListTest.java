package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_AIO;
import static dev.knote.Kqueue.EVFILT_EMPTY;
import static dev.knote.Kqueue.EVFILT_FS;
import static dev.knote.Kqueue.EVFILT_LIO;
import static dev.knote.Kqueue.EVFILT_PROCDESC;
import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_SENDFILE;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.NOW;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Changes that fail or ask for an answer, and where the answers go. */
@Timeout(60)
class GenListTest {
    private static final long UNKNOWN = 99;

    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    private static KeventList list(int n) {
        return KeventList.allocate(n);
    }

    /** Adds USER 1, deletes what is not there, adds USER 2. */
    private static KeventList goodBadGood() {
        return list(3)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, null)
                .set(1, UNKNOWN, EVFILT_USER, EV_DELETE, 5, 6, "bad")
                .set(2, 2, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, null);
    }

    private boolean exists(long ident) {
        return kq.delete(ident, EVFILT_USER);
    }

    @Test
    @DisplayName("GEN-22 a bad change is an entry with EV_ERROR and its errno, the others are applied")
    void gen22_errorEntry() {
        List<Kq.Event> answers = kq.call(goodBadGood(), null);
        assertEquals(
                List.of(new Kq.Event(UNKNOWN, EVFILT_USER, EV_ERROR, 5, Errno.ENOENT, "bad")), answers);
        assertTrue(exists(1));
        assertTrue(exists(2));
    }

    @Test
    @DisplayName("GEN-23 a bad change without a slot fails the call, earlier ones stay applied")
    void gen23_noSlot() {
        expectErrno(Errno.ENOENT, () -> kevent(kq.fd(), goodBadGood(), 3, null, 0, null));
        assertTrue(exists(1));
        var twoBad = list(2)
                .set(0, UNKNOWN, EVFILT_USER, EV_DELETE, 0, 0, null)
                .set(1, UNKNOWN, -999, EV_ADD, 0, 0, null);
        expectErrno(Errno.EINVAL, () -> kevent(kq.fd(), twoBad, 2, list(1), 1, null));
    }

    @Test
    @DisplayName("GEN-24 good, bad, good without slots: the first is applied, the third is not")
    void gen24_processingStops() {
        expectErrno(Errno.ENOENT, () -> kevent(kq.fd(), goodBadGood(), 3, null, 0, NOW));
        assertTrue(exists(1));
        assertEquals(false, exists(2));
    }

    @Test
    @DisplayName("GEN-27 with an error and an event pending only the error is returned")
    void gen27_errorBeforeEvents() {
        kq.addUser(7);
        kq.trigger(7);
        List<Kq.Event> answers = kq.call(goodBadGood(), null);
        assertEquals(1, answers.size());
        assertEquals(UNKNOWN, answers.getFirst().ident());
        assertEquals(List.of(7L), kq.pending());
    }

    @Test
    @DisplayName("GEN-29 two receipts are two entries, without a wait")
    void gen29_twoReceipts() {
        var list = list(2)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, "a")
                .set(1, 2, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, "b");
        var events = list(2);
        assertEquals(2, kevent(kq.fd(), list, 2, events, 2, null));
        assertEquals(List.of(
                new Kq.Event(1, EVFILT_USER, EV_ERROR, 0, 0, "a"),
                new Kq.Event(2, EVFILT_USER, EV_ERROR, 0, 0, "b")), Kq.list(events, 2));
    }

    @Test
    @DisplayName("GEN-30 a receipt does not drain pending events")
    void gen30_receiptLeavesEvents() {
        kq.addUser(7);
        kq.trigger(7);
        var list = list(1).set(0, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, null);
        assertEquals(1, kevent(kq.fd(), list, 1, list, 1, null));
        assertEquals(List.of(new Kq.Event(1, EVFILT_USER, EV_ERROR, 0, 0, null)), Kq.list(list, 1));
        assertEquals(List.of(7L), kq.pending());
    }

    @Test
    @DisplayName("GEN-32 a receipt alone, with room for more, returns at once")
    void gen32_receiptDoesNotWait() {
        var list = list(1).set(0, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, null);
        var events = list(4);
        assertEquals(1, kevent(kq.fd(), list, 1, events, 4, null));
        assertEquals(EV_ERROR, events.flags(0));
        assertEquals(0, events.data(0));
    }

    @Test
    @DisplayName("GEN-33 a receipt without a slot: applied, no error, further changes are not made")
    void gen33_receiptWithoutSlot() {
        var list = list(2)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, null)
                .set(1, 2, EVFILT_USER, EV_ADD, 0, 0, null);
        assertEquals(0, kevent(kq.fd(), list, 2, null, 0, null));
        assertTrue(exists(1));
        assertEquals(false, exists(2));
    }

    @Test
    @DisplayName("GEN-39 one array for changes and events: overwritten in order, no change is lost")
    void gen39_oneArray() {
        var list = list(4)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, "a")
                .set(1, UNKNOWN, EVFILT_USER, EV_DELETE, 0, 0, "b")
                .set(2, 2, EVFILT_USER, EV_ADD | EV_CLEAR | EV_RECEIPT, NOTE_TRIGGER, 0, "c")
                .set(3, 3, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, "d");
        assertEquals(2, kevent(kq.fd(), list, 4, list, 4, null));
        assertEquals(List.of(
                new Kq.Event(UNKNOWN, EVFILT_USER, EV_ERROR, 0, Errno.ENOENT, "b"),
                new Kq.Event(2, EVFILT_USER, EV_ERROR, NOTE_TRIGGER, 0, "c")), Kq.list(list, 2));
        list.set(0, 4, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, "e");
        assertEquals(4, kevent(kq.fd(), list, 1, list, 4, null));
        assertEquals(List.of(1L, 2L, 3L, 4L), Kq.list(list, 4).stream().map(Kq.Event::ident).toList());
        assertEquals(List.of("a", "c", "d", "e"), Kq.list(list, 4).stream().map(Kq.Event::udata).toList());
    }

    @Test
    @DisplayName("GEN-40 a change with filter 0 is passed over")
    void gen40_filterZero() {
        var list = list(2)
                .set(0, 1, 0, EV_ADD | EV_RECEIPT, 0, 0, null)
                .set(1, 2, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        List<Kq.Event> events = kq.call(list, NOW);
        assertEquals(List.of(2L), events.stream().map(Kq.Event::ident).toList());
    }

    @Test
    @DisplayName("GEN-42 a filter that is not offered is EINVAL, and so is an unknown one")
    void gen42_unknownFilter() {
        int[] filters = {EVFILT_AIO, EVFILT_PROCDESC, EVFILT_FS, EVFILT_LIO, EVFILT_SENDFILE, EVFILT_EMPTY,
                -15, -99, 1, Short.MIN_VALUE, Short.MAX_VALUE};
        for (int filter : filters) {
            expectErrno(Errno.EINVAL, () -> kq.change(1, filter, EV_ADD));
            expectErrno(Errno.EINVAL, () -> kq.change(1, filter, EV_DELETE));
        }
    }

    @Test
    @DisplayName("GEN-45 one ident in two filters is two knotes")
    void gen45_identAndFilter() {
        try (var pipe = new Pipe()) {
            long ident = pipe.reader();
            kq.change(ident, EVFILT_READ, EV_ADD);
            kq.addUser(ident);
            kq.trigger(ident);
            assertEquals(EVFILT_USER, kq.one().filter());
            pipe.write(1);
            assertEquals(EVFILT_READ, kq.one().filter());
            kq.change(ident, EVFILT_READ, EV_DELETE);
            kq.trigger(ident);
            assertEquals(EVFILT_USER, kq.one().filter());
            expectErrno(Errno.ENOENT, () -> kq.change(ident, EVFILT_READ, EV_DELETE));
        }
    }
}
