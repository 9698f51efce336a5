package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every filter must show, whatever it watches. */
class FilterContractTest extends Subjects {
    @ParameterizedTest
    @EnumSource
    @DisplayName("added: silent until its condition holds, then an event with ident, filter and udata; deleted: ENOENT")
    void addAndDelete(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, "mine");
        none();
        subject.cause(kq);
        Ev event = next();
        assertEquals(subject.ident(), event.ident());
        assertEquals(subject.filter, event.filter());
        assertEquals("mine", event.udata());
        apply(kq, subject, EV_DELETE, null);
        subject.cause(kq);
        none();
        assertMissing(subject, EV_DELETE);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_DELETE, EV_ENABLE, EV_DISABLE or nothing of a knote that is not there: ENOENT, and none is made")
    void changesOfNothing(Kind kind) {
        Subject subject = subject(kind);
        for (int flags : new int[] {EV_DELETE, EV_ENABLE, EV_DISABLE, 0, EV_CLEAR, EV_ONESHOT}) {
            assertMissing(subject, flags);
        }
        subject.cause(kq);
        none();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("deleted and added again: a new knote, with nothing of the old one")
    void addedAgain(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_CLEAR, "old");
        apply(kq, subject, EV_DELETE, null);
        apply(kq, subject, EV_ADD | EV_ONESHOT, "new");
        subject.cause(kq);
        Ev event = next();
        assertEquals("new", event.udata());
        assertTrue(event.has(EV_ONESHOT));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("without EV_CLEAR a condition that holds is reported on each call; what is cleared is not")
    void level(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, null);
        subject.cause(kq);
        assertEquals(!subject.isLevel(), next().has(EV_CLEAR));
        if (subject.isLevel()) {
            assertEquals(next(), next());
        } else {
            none();
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_CLEAR: one event a cause")
    void clear(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_CLEAR, null);
        for (int i = 0; i < 2; i++) {
            subject.cause(kq);
            assertTrue(next().has(EV_CLEAR));
            none();
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_ONESHOT: one event, and the knote is gone")
    void oneShot(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_ONESHOT, null);
        subject.cause(kq);
        next();
        subject.cause(kq);
        none();
        assertMissing(subject, EV_DELETE);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_DISPATCH: one event, then disabled; a cause meanwhile is an event after EV_ENABLE")
    void dispatch(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_DISPATCH, null);
        subject.cause(kq);
        assertTrue(next().has(EV_DISPATCH));
        none();
        subject.cause(kq);
        none();
        apply(kq, subject, EV_ENABLE, null);
        next();
        none();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("disabled: no event for a cause; EV_ENABLE: the event")
    void causeWhileDisabled(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, null);
        apply(kq, subject, EV_DISABLE, null);
        apply(kq, subject, EV_DISABLE, null);
        subject.cause(kq);
        none();
        apply(kq, subject, EV_ENABLE, null);
        next();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("added with EV_DISABLE: no event; EV_ENABLE: the event; EV_ENABLE again changes nothing")
    void addedDisabled(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_DISABLE | EV_CLEAR, null);
        subject.cause(kq);
        none();
        apply(kq, subject, EV_ENABLE, null);
        next();
        none();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("disabled with its event pending: no event; EV_ENABLE: the event")
    void disabledWhilePending(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, null);
        subject.cause(kq);
        apply(kq, subject, EV_DISABLE, null);
        none();
        apply(kq, subject, EV_ENABLE, null);
        next();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("deleted with its event pending: no event")
    void deletedWhilePending(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, null);
        subject.cause(kq);
        apply(kq, subject, EV_DELETE, null);
        none();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_FORCEONESHOT: an event without a cause, and the knote is gone")
    void forced(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD, "mine");
        none();
        apply(kq, subject, EV_FORCEONESHOT | EV_KEEPUDATA, null);
        Ev event = next();
        assertEquals(subject.ident(), event.ident());
        assertEquals("mine", event.udata());
        none();
        assertMissing(subject, EV_DELETE);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("EV_RECEIPT: an answer at once, with a pending event left alone; it stays on the knote's events")
    void receipt(Kind kind) {
        Subject subject = subject(kind);
        KeventList list = KeventList.allocate(2);
        subject.set(list, EV_ADD | EV_RECEIPT, "mine");
        assertEquals(1, kevent(kq, list, 1, list, 2, LONG));
        assertTrue((list.flags(0) & EV_ERROR) != 0);
        assertEquals(0, list.data(0));
        assertEquals(subject.ident(), list.ident(0));
        subject.set(list, EV_ADD, "mine");
        assertEquals(0, kevent(kq, list, 1, null, 0, null));
        subject.cause(kq);
        Ev event = next();
        assertTrue(event.has(EV_RECEIPT));
        assertFalse(event.has(EV_ERROR));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("a change replaces udata; EV_KEEPUDATA leaves it, and is refused with EV_ADD")
    void udata(Kind kind) {
        Subject subject = subject(kind);
        apply(kq, subject, EV_ADD | EV_CLEAR, "first");
        apply(kq, subject, EV_ENABLE, "second");
        apply(kq, subject, EV_ENABLE | EV_KEEPUDATA, "third");
        assertErrno(Errno.EINVAL, () -> apply(kq, subject, EV_ADD | EV_KEEPUDATA, "fourth"));
        assertErrno(Errno.EINVAL, () -> apply(kq, subject, EV_ENABLE | EV_DISABLE, "fifth"));
        subject.cause(kq);
        assertEquals("second", next().udata());
        apply(kq, subject, EV_DISABLE, null);
        apply(kq, subject, EV_ADD | EV_CLEAR, "sixth");
        subject.cause(kq);
        assertEquals("sixth", next().udata());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("two queues: each has its own knote, with its own flags, and both fire")
    void twoQueues(Kind kind) {
        Subject subject = subject(kind);
        int other = newQueue();
        apply(kq, subject, EV_ADD | EV_ONESHOT, "one");
        apply(other, subject, EV_ADD | EV_DISPATCH, "other");
        subject.cause(kq, other);
        assertEquals("one", next().udata());
        assertEquals("other", nextIn(other).udata());
        assertMissing(subject, EV_DELETE);
        apply(other, subject, EV_ENABLE, "again");
        subject.cause(other);
        assertEquals("again", nextIn(other).udata());
        none();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("fires while another thread waits, also when it is added while that one waits")
    void whileAnotherWaits(Kind kind) throws Exception {
        Subject subject = subject(kind);
        FutureTask<Ev> waiter = inBackground(this::next);
        apply(kq, subject, EV_ADD | EV_CLEAR, "mine");
        subject.cause(kq);
        assertEquals("mine", result(waiter).udata());
        waiter = inBackground(this::next);
        subject.cause(kq);
        assertEquals("mine", result(waiter).udata());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("a queue closed with it armed, or pending, leaves nothing open, and others go on")
    void closedWhileArmed(Kind kind) {
        Subject subject = subject(kind);
        List<String> before = OpenFds.list();
        for (int i = 0; i < 4; i++) {
            int queue = kqueue();
            apply(queue, subject, EV_ADD, null);
            if (i % 2 != 0) {
                subject.cause(queue);
            }
            Kqueue.close(queue);
        }
        OpenFds.assertNoneBut(before);
        apply(kq, subject, EV_ADD | EV_CLEAR, "mine");
        subject.cause(kq);
        assertEquals("mine", next().udata());
    }

    private void assertMissing(Subject subject, int flags) {
        assertErrno(Errno.ENOENT, () -> apply(kq, subject, flags, null));
    }

    private static void apply(int queue, Subject subject, int flags, Object udata) {
        KeventList list = KeventList.allocate(1);
        subject.set(list, flags, udata);
        assertEquals(0, kevent(queue, list, 1, null, 0, null));
    }
}
