package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_FFAND;
import static dev.knote.Kqueue.NOTE_FFCOPY;
import static dev.knote.Kqueue.NOTE_FFNOP;
import static dev.knote.Kqueue.NOTE_FFOR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.filters.conformance.Kq.LONG;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** EVFILT_USER: triggers, and who sees them. */
@Timeout(60)
class UserTest {
    private final Kq kq = new Kq();

    @AfterEach
    void close() {
        kq.close();
    }

    @Test
    @DisplayName("USER-01 what is not triggered has no event; it can be deleted")
    void user01_untriggered() {
        kq.user(1, EV_ADD);
        kq.assertQuiet();
        assertTrue(kq.delete(1, EVFILT_USER));
    }

    @Test
    @DisplayName("USER-03 a trigger is one event, also with a timeout below a millisecond")
    void user03_fineTimeout() {
        kq.addUser(1);
        kq.trigger(1);
        assertEquals(1, kq.events(Duration.ofNanos(500_000)).size());
        assertEquals(0, kq.events(Duration.ofNanos(500_000)).size());
    }

    @Test
    @DisplayName("USER-04 without EV_CLEAR a trigger is an event of every call, until deleted or cleared")
    void user04_level() {
        kq.user(1, EV_ADD);
        kq.trigger(1);
        for (int i = 0; i < 5; i++) {
            assertEquals(List.of(1L), kq.pending());
        }
        kq.user(1, EV_CLEAR);
        kq.assertQuiet();
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
        kq.user(1, EV_DELETE);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-05 many triggers before a call are one event")
    void user05_aggregation() {
        kq.addUser(1);
        for (int i = 0; i < 1000; i++) {
            kq.trigger(1);
        }
        assertEquals(List.of(1L), kq.pending());
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-06 EV_ONESHOT: one event, then no knote")
    void user06_oneshot() {
        kq.user(1, EV_ADD | EV_ONESHOT);
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
        kq.assertQuiet();
        expectErrno(Errno.ENOENT, () -> kq.user(1, EV_DELETE));
    }

    @Test
    @DisplayName("USER-07 EV_DISPATCH with EV_CLEAR: enabling with EV_CLEAR takes a trigger back")
    void user07_dispatchClear() {
        int mode = EV_CLEAR | EV_DISPATCH;
        kq.user(1, EV_ADD | mode);
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
        kq.trigger(1);
        kq.assertQuiet();
        kq.user(1, EV_ENABLE | mode);
        kq.assertQuiet();
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-08 EV_DISPATCH stays, and is in each event")
    void user08_dispatchStays() {
        int mode = EV_CLEAR | EV_DISPATCH;
        kq.user(1, EV_ADD | mode);
        kq.trigger(1);
        assertEquals(mode, kq.one().flags());
        kq.user(1, EV_ENABLE, NOTE_TRIGGER);
        assertEquals(mode, kq.one().flags());
        kq.user(1, EV_DISABLE);
        kq.user(1, EV_ENABLE);
        kq.trigger(1);
        assertEquals(mode, kq.one().flags());
        kq.trigger(1);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-09 EV_ENABLE with NOTE_TRIGGER in one change enables and fires")
    void user09_enableAndTrigger() {
        kq.user(1, EV_ADD | EV_CLEAR | EV_DISPATCH);
        for (int i = 0; i < 3; i++) {
            kq.user(1, EV_ENABLE, NOTE_TRIGGER);
            assertEquals(List.of(1L), kq.pending());
            kq.assertQuiet();
        }
    }

    @Test
    @DisplayName("USER-10 EV_DISPATCH without EV_CLEAR: a trigger while disabled is an event when enabled")
    void user10_triggerWhileDispatched() {
        kq.user(1, EV_ADD | EV_DISPATCH);
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending());
        kq.trigger(1);
        kq.assertQuiet();
        kq.user(1, EV_ENABLE);
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("USER-11 no event while disabled")
    void user11_disabled() {
        kq.addUser(1);
        kq.user(1, EV_DISABLE);
        kq.trigger(1);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-12 a trigger while disabled is an event when enabled")
    void user12_triggerWhileDisabled() {
        kq.addUser(1);
        kq.user(1, EV_DISABLE);
        kq.user(1, 0, NOTE_TRIGGER | NOTE_FFCOPY | 3);
        kq.assertQuiet();
        kq.user(1, EV_ENABLE);
        assertEquals(3, kq.one().fflags());
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-13 triggered, then disabled before the call: no event")
    void user13_disabledAfterTrigger() {
        kq.addUser(1);
        kq.trigger(1);
        kq.user(1, EV_DISABLE);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-14 triggered, disabled, enabled: the event is there")
    void user14_enabledAgain() {
        kq.addUser(1);
        kq.trigger(1);
        kq.user(1, EV_DISABLE);
        kq.user(1, EV_ENABLE);
        assertEquals(List.of(1L), kq.pending());
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-16 EV_DELETE with NOTE_TRIGGER deletes, without an event")
    void user16_deleteAndTrigger() {
        kq.addUser(1);
        kq.user(1, EV_DELETE, NOTE_TRIGGER);
        kq.assertQuiet();
        expectErrno(Errno.ENOENT, () -> kq.user(1, EV_DISABLE));
    }

    @Test
    @DisplayName("USER-17 deleting what is not there is ENOENT")
    void user17_deleteUnknown() {
        kq.addUser(1);
        expectErrno(Errno.ENOENT, () -> kq.user(2, EV_DELETE));
    }

    /** Adds with fflags {@code stored}, triggers with {@code fflags}: the fflags of the event. */
    private int combine(int stored, int fflags) {
        kq.user(1, EV_ADD | EV_CLEAR, stored);
        kq.user(1, 0, NOTE_TRIGGER | fflags);
        int combined = kq.one().fflags();
        kq.user(1, EV_DELETE);
        return combined;
    }

    @Test
    @DisplayName("USER-18 NOTE_FFCOPY replaces the fflags")
    void user18_copy() {
        assertEquals(0xBB, combine(0xAA, NOTE_FFCOPY | 0xBB));
        assertEquals(0, combine(0xAA, NOTE_FFCOPY));
    }

    @Test
    @DisplayName("USER-19 NOTE_FFAND ands them")
    void user19_and() {
        assertEquals(0x0C, combine(0x0F, NOTE_FFAND | 0x0C));
        assertEquals(0x08, combine(0x0A, NOTE_FFAND | 0x0C));
    }

    @Test
    @DisplayName("USER-21 NOTE_FFNOP leaves them")
    void user21_nop() {
        assertEquals(0x42, combine(0x42, NOTE_FFNOP | 0xFF));
    }

    @Test
    @DisplayName("USER-23 three NOTE_FFOR triggers are one event with all bits")
    void user23_or() {
        kq.addUser(1);
        for (int bit : new int[] {1, 2, 4}) {
            kq.user(1, 0, NOTE_TRIGGER | NOTE_FFOR | bit);
        }
        assertEquals(7, kq.one().fflags());
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-24 NOTE_FFOR without NOTE_TRIGGER is kept for the next trigger")
    void user24_orWithoutTrigger() {
        kq.addUser(1);
        kq.user(1, 0, NOTE_FFOR | 1);
        kq.assertQuiet();
        kq.user(1, 0, NOTE_TRIGGER | NOTE_FFOR | 2);
        assertEquals(3, kq.one().fflags());
    }

    @Test
    @DisplayName("USER-25 fflags survive an EV_CLEAR delivery")
    void user25_orAfterDelivery() {
        kq.addUser(1);
        kq.user(1, 0, NOTE_TRIGGER | NOTE_FFOR | 1);
        assertEquals(1, kq.one().fflags());
        kq.user(1, 0, NOTE_TRIGGER | NOTE_FFOR | 2);
        assertEquals(3, kq.one().fflags());
    }

    @Test
    @DisplayName("USER-26 plain fflags of EV_ADD are the first value")
    void user26_initialFflags() {
        kq.user(1, EV_ADD, 0x123);
        kq.trigger(1);
        assertEquals(0x123, kq.one().fflags());
    }

    @Test
    @DisplayName("USER-28 EV_CLEAR in a change of a knote that exists cancels the trigger it comes with")
    void user28_clearCancels() {
        kq.addUser(1);
        kq.user(1, EV_ADD | EV_CLEAR, NOTE_TRIGGER);
        kq.assertQuiet();
        kq.trigger(1);
        kq.user(1, EV_ADD | EV_CLEAR);
        kq.assertQuiet();
    }

    @Test
    @DisplayName("USER-29 EV_CLEAR alone with NOTE_TRIGGER is a change, without an event")
    void user29_clearAlone() {
        kq.change(1, EVFILT_USER, EV_ADD | EV_CLEAR, 1, 10, "add");
        kq.change(1, EVFILT_USER, EV_CLEAR, NOTE_TRIGGER | NOTE_FFOR | 2, 20, "clear");
        kq.assertQuiet();
        kq.change(1, EVFILT_USER, EV_KEEPUDATA, NOTE_TRIGGER, 20, null);
        assertEquals(new Kq.Event(1, EVFILT_USER, EV_CLEAR, 3, 20, "clear"), kq.one());
    }

    @Test
    @DisplayName("USER-30 the trigger's data is the event's")
    void user30_data() {
        kq.change(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 10, null);
        kq.change(1, EVFILT_USER, 0, NOTE_TRIGGER, Long.MIN_VALUE, null);
        assertEquals(Long.MIN_VALUE, kq.one().data());
    }

    @Test
    @DisplayName("USER-31 the trigger's udata takes the place of the stored one, null too")
    void user31_udata() {
        kq.change(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, "add");
        kq.change(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, "trigger");
        assertEquals("trigger", kq.one().udata());
        kq.trigger(1);
        assertNull(kq.one().udata());
    }

    @Test
    @DisplayName("USER-32 EV_ADD again with other modes keeps the first ones, and replaces udata")
    void user32_modesAreKept() {
        kq.addUser(1);
        kq.change(1, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0, "again");
        assertEquals(new Kq.Event(1, EVFILT_USER, EV_CLEAR, 0, 0, "again"), kq.one());
        kq.trigger(1);
        assertEquals(List.of(1L), kq.pending(), "it was not a one-shot");
    }

    @Test
    @DisplayName("USER-33 idents 0 and -1, the largest unsigned one, are valid and not the same")
    void user33_extremeIdents() {
        kq.addUser(0);
        kq.addUser(-1);
        kq.trigger(-1);
        assertEquals(List.of(-1L), kq.pending());
        kq.trigger(0);
        assertEquals(List.of(0L), kq.pending());
    }

    @Test
    @DisplayName("USER-34 one ident in two queues is two knotes")
    void user34_twoQueues() {
        try (var other = new Kq()) {
            kq.addUser(1);
            other.addUser(1);
            other.trigger(1);
            kq.assertQuiet();
            assertEquals(List.of(1L), other.pending());
        }
    }

    @Test
    @DisplayName("USER-35 a trigger by another thread before the call is there at the call")
    void user35_foreignTriggerBefore() throws InterruptedException {
        kq.addUser(1);
        Thread.ofPlatform().start(() -> kq.trigger(1)).join();
        assertEquals(List.of(1L), kq.pending());
    }

    @Test
    @DisplayName("USER-36 a trigger by another thread during the wait ends it soon")
    void user36_foreignTriggerDuring() {
        kq.addUser(1);
        try (var waiter = Callers.start(() -> kq.events(LONG)).awaitBlocked()) {
            assertFalse(waiter.anyReturnsWithin(20));
            long start = System.nanoTime();
            kq.trigger(1);
            assertEquals(1, waiter.result().size());
            assertTrue(System.nanoTime() - start < 1_000_000_000L);
        }
    }
}
