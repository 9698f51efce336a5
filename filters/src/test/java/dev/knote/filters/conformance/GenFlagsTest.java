package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_EOF;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.EV_SYSFLAGS;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.NOW;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The flags of a change, and udata. */
@Timeout(60)
class GenFlagsTest {
    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    private void trigger(int flags, Object udata) {
        kq.change(1, EVFILT_USER, flags, NOTE_TRIGGER, 0, udata);
    }

    @Test
    @DisplayName("GEN-43 a change without EV_ADD of what does not exist is ENOENT")
    void gen43_nothingThere() {
        for (int flags : new int[] {EV_DELETE, EV_ENABLE, EV_DISABLE, EV_CLEAR, EV_ONESHOT, 0}) {
            expectErrno(Errno.ENOENT, () -> kq.user(1, flags));
            expectErrno(Errno.ENOENT, () -> kq.user(1, flags, NOTE_TRIGGER));
        }
        expectErrno(Errno.ENOENT, () -> kq.change(1, EVFILT_TIMER, EV_ENABLE));
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-46 EV_ADD with EV_DELETE of a new ident makes the knote")
    void gen46_addDeleteOfNew() {
        kq.user(1, EV_ADD | EV_DELETE | EV_CLEAR);
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-47 EV_ADD with EV_DELETE of a knote that exists deletes it")
    void gen47_addDeleteOfExisting() {
        kq.addUser(1);
        kq.trigger(1);
        kq.user(1, EV_ADD | EV_DELETE);
        kq.assertQuiet();
        assertFalse(kq.delete(1, EVFILT_USER));
    }

    @Test
    @DisplayName("GEN-49 EV_ADD of a disabled knote enables it, unless EV_DISABLE is given")
    void gen49_addEnables() {
        kq.addUser(1);
        kq.user(1, EV_DISABLE);
        kq.trigger(1);
        kq.user(1, EV_ADD | EV_DISABLE);
        kq.assertQuiet();
        kq.user(1, EV_ADD);
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-50 enabling what is enabled and disabling what is disabled does nothing")
    void gen50_twice() {
        kq.addUser(1);
        kq.user(1, EV_ENABLE);
        kq.assertQuiet();
        kq.trigger(1);
        kq.user(1, EV_ENABLE);
        assertEquals(List.of(1L), kq.pending());
        kq.user(1, EV_DISABLE);
        kq.user(1, EV_DISABLE);
        kq.trigger(1);
        kq.assertQuiet();
        kq.user(1, EV_ENABLE);
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("GEN-51 EV_ENABLE with EV_DISABLE is EINVAL, the knote stays as it was")
    void gen51_enableAndDisable() {
        expectErrno(Errno.EINVAL, () -> kq.user(1, EV_ADD | EV_ENABLE | EV_DISABLE));
        kq.addUser(1);
        expectErrno(Errno.EINVAL, () -> kq.user(1, EV_ENABLE | EV_DISABLE));
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending(), "still enabled");
        kq.user(1, EV_DISABLE);
        expectErrno(Errno.EINVAL, () -> kq.user(1, EV_ENABLE | EV_DISABLE));
        kq.trigger(1);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("GEN-52 EV_DELETE with EV_DISABLE deletes")
    void gen52_deleteAndDisable() {
        kq.addUser(1);
        kq.user(1, EV_DELETE | EV_DISABLE);
        assertFalse(kq.delete(1, EVFILT_USER));
    }

    @Test
    @DisplayName("GEN-53 EV_ONESHOT with EV_DISPATCH is accepted: one event, then no knote")
    void gen53_oneshotAndDispatch() {
        kq.user(1, EV_ADD | EV_ONESHOT | EV_DISPATCH);
        kq.trigger(1);
        assertEquals(EV_ONESHOT | EV_DISPATCH, kq.one().flags());
        kq.assertQuiet();
        assertFalse(kq.delete(1, EVFILT_USER));
    }

    @Test
    @DisplayName("GEN-57 EV_RECEIPT of EV_ADD is kept: events carry it, also after a change without it")
    void gen57_receiptIsKept() {
        var list = KeventList.allocate(1)
                .set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR | EV_RECEIPT, 0, 0, null);
        assertEquals(1, kevent(kq.fd(), list, 1, list, 1, NOW));
        kq.trigger(1);
        assertTrue(kq.one().has(EV_RECEIPT));
        kq.user(1, EV_ADD);
        kq.trigger(1);
        assertEquals(EV_CLEAR | EV_RECEIPT, kq.one().flags());
    }

    @Test
    @DisplayName("GEN-58 udata comes back with the event, the same object")
    void gen58_udata() {
        Object udata = new Object();
        kq.change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, udata);
        assertSame(udata, kq.one().udata());
        assertSame(udata, kq.one().udata(), "each time");
    }

    @Test
    @DisplayName("GEN-59 a change replaces udata, a bare trigger with null too")
    void gen59_udataReplaced() {
        kq.change(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, "first");
        trigger(0, "second");
        assertEquals("second", kq.one().udata());
        trigger(0, null);
        assertNull(kq.one().udata());
    }

    @Test
    @DisplayName("GEN-60 EV_ENABLE and EV_DISABLE replace udata too")
    void gen60_udataOfEnable() {
        kq.change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, "first");
        kq.change(1, EVFILT_USER, EV_ENABLE, 0, 0, "enable");
        assertEquals("enable", kq.one().udata());
        kq.change(1, EVFILT_USER, EV_DISABLE, 0, 0, "disable");
        kq.change(1, EVFILT_USER, EV_ENABLE | EV_KEEPUDATA, 0, 0, "keep");
        assertEquals("disable", kq.one().udata());
    }

    @Test
    @DisplayName("GEN-61 a change that fails leaves udata, and the rest, as it was")
    void gen61_udataAfterFailure() {
        kq.change(1, EVFILT_TIMER, EV_ADD, 0, 5, "first");
        expectErrno(Errno.EINVAL, () -> kq.change(1, EVFILT_TIMER, EV_ADD, 0, -1, "bad data"));
        expectErrno(Errno.EINVAL, () -> kq.change(1, EVFILT_TIMER, EV_ADD, 0x80000000, 5, "bad bits"));
        expectErrno(Errno.EINVAL,
                () -> kq.change(1, EVFILT_TIMER, EV_ENABLE | EV_DISABLE, 0, 5, "bad flags"));
        assertEquals("first", kq.one().udata());
    }

    @Test
    @DisplayName("GEN-62 EV_KEEPUDATA keeps udata, and is EINVAL with EV_ADD")
    void gen62_keepUdata() {
        kq.change(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, "first");
        trigger(EV_KEEPUDATA, "second");
        assertEquals(new Kq.Event(1, EVFILT_USER, EV_CLEAR, 0, 0, "first"), kq.one());
        expectErrno(Errno.EINVAL, () -> trigger(EV_ADD | EV_KEEPUDATA, "third"));
        expectErrno(Errno.EINVAL, () -> kq.user(2, EV_ADD | EV_KEEPUDATA));
        kq.assertQuiet();
        trigger(EV_KEEPUDATA, null);
        assertEquals("first", kq.one().udata());
    }

    @Test
    @DisplayName("GEN-63 the system's bits in a change are ignored")
    void gen63_systemBits() {
        kq.user(1, EV_ADD | EV_CLEAR | EV_SYSFLAGS);
        kq.user(1, EV_EOF | EV_ERROR | 0x3000, NOTE_TRIGGER);
        assertEquals(EV_CLEAR, kq.one().flags());
    }
}
