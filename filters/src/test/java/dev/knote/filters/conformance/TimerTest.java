package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** EVFILT_TIMER with periods and delays; moments are in {@link TimerMomentTest}. */
class TimerTest extends KeventFixture {
    private static final long HOUR = 3_600_000;

    @Test
    @DisplayName("TIMER-01 EV_ADD of 1000 ms: an event after 1 s, data 1, EV_CLEAR set by itself")
    void timer01_oneSecond() {
        long start = System.nanoTime();
        add(1, 0, 1000);
        Ev event = next();
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis >= 1000 && millis < 3000, millis + " ms");
        assertEquals(new Ev(1, EVFILT_TIMER, EV_CLEAR, 0, 1, null), event);
    }

    @Test
    @DisplayName("TIMER-02 EV_DELETE before the time: no event; EV_DELETE of what is not there: ENOENT")
    void timer02_delete() {
        add(1, 0, 10);
        change(1, EVFILT_TIMER, EV_DELETE);
        none();
        assertNoKnote(1, EVFILT_TIMER);
    }

    @ParameterizedTest
    @ValueSource(ints = {NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS, 0})
    @DisplayName("TIMER-04 fflags of the event are those of the change: its unit")
    void timer04_unit(int unit) {
        change(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, unit, unit == NOTE_SECONDS ? 1 : 5, "mine");
        Ev event = next();
        assertEquals(unit, event.fflags());
        assertEquals("mine", event.udata());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x20, 0x40, 0x80000000, NOTE_SECONDS | NOTE_USECONDS, 0xf})
    @DisplayName("TIMER-06 unknown bits of fflags, or several units: EINVAL, and no knote")
    void timer06_unknownBits(int fflags) {
        assertErrno(Errno.EINVAL, () -> change(1, EVFILT_TIMER, EV_ADD, fflags, 10, null));
        assertNoKnote(1, EVFILT_TIMER);
        add(1, NOTE_MSECONDS, HOUR);
        assertErrno(Errno.EINVAL, () -> change(1, EVFILT_TIMER, EV_ADD, fflags, 10, null));
        none();
        change(1, EVFILT_TIMER, EV_DELETE);
    }

    @Test
    @DisplayName("TIMER-07 a timer fires each period while it is not deleted, without drift")
    void timer07_periodic() {
        long start = System.nanoTime();
        add(1, 0, 20);
        for (long count = 0; count < 10;) {
            count += next().data();
            long periods = (System.nanoTime() - start) / 20_000_000;
            assertTrue(count <= periods, count + " of " + periods);
        }
        change(1, EVFILT_TIMER, EV_DELETE);
        none();
    }

    @Test
    @DisplayName("TIMER-10 an event counts the expirations since the last one")
    void timer10_countSinceLast() {
        long start = System.nanoTime();
        add(1, 0, 10);
        passes(Duration.ofMillis(55));
        long first = next().data();
        long periods = (System.nanoTime() - start) / 10_000_000;
        assertTrue(first >= 5 && first <= periods, first + " of " + periods);
        long second = next().data();
        long all = (System.nanoTime() - start) / 10_000_000;
        assertTrue(second >= 1 && first + second <= all, first + " + " + second + " of " + all);
    }

    @Test
    @DisplayName("TIMER-13 EV_ADD again replaces the unit")
    void timer13_unitReplaced() {
        add(1, NOTE_NSECONDS, HOUR * 1_000_000);
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_MSECONDS, 5, null);
        assertEquals(NOTE_MSECONDS, next().fflags());
    }

    @Test
    @DisplayName("TIMER-15 a timer of an hour changed to 50 ms: fires in 50 ms, with the udata of the change")
    void timer15_shortened() {
        change(1, EVFILT_TIMER, EV_ADD, 0, HOUR, "hour");
        long start = System.nanoTime();
        change(1, EVFILT_TIMER, EV_ADD, 0, 50, "short");
        assertEquals("short", next().udata());
        assertTrue(System.nanoTime() - start >= 50_000_000);
    }

    @Test
    @DisplayName("TIMER-16 a periodic timer, EV_ADD|EV_ONESHOT: one more event, then no knote")
    void timer16_toOneShot() {
        add(1, 0, 10);
        next();
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 10, null);
        assertTrue(next().has(EV_ONESHOT));
        none();
        assertNoKnote(1, EVFILT_TIMER);
    }

    @Test
    @DisplayName("TIMER-17 a one-shot timer, EV_ADD without EV_ONESHOT: periodic")
    void timer17_toPeriodic() {
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, HOUR, null);
        add(1, 0, 10);
        for (int i = 0; i < 3; i++) {
            assertFalse(next().has(EV_ONESHOT));
        }
    }

    @Test
    @DisplayName("TIMER-18 EV_RECEIPT stays when a change comes without it")
    void timer18_receiptStays() {
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, 1, EVFILT_TIMER, EV_ADD | EV_RECEIPT, 0, HOUR, null);
        assertEquals(1, kevent(kq, list, 1, list, 1, LONG));
        assertEquals(0, list.data(0));
        add(1, 0, 5);
        assertTrue(next().has(EV_RECEIPT));
    }

    @Test
    @DisplayName("TIMER-19 EV_DISABLE with an expiration pending: no event")
    void timer19_disablePending() {
        add(1, 0, 10);
        passes(Duration.ofMillis(20));
        change(1, EVFILT_TIMER, EV_DISABLE);
        none();
    }

    @Test
    @DisplayName("TIMER-20 EV_DELETE with an expiration pending: no event")
    void timer20_deletePending() {
        add(1, 0, 10);
        passes(Duration.ofMillis(20));
        change(1, EVFILT_TIMER, EV_DELETE);
        none();
    }

    @Test
    @DisplayName("TIMER-21 a one-shot timer disabled and enabled: fires once, at its first time")
    void timer21_disabledAndEnabled() {
        long start = System.nanoTime();
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 600, null);
        change(1, EVFILT_TIMER, EV_DISABLE);
        passes(Duration.ofMillis(500));
        change(1, EVFILT_TIMER, EV_ENABLE);
        long enabled = System.nanoTime();
        assertEquals(1, next().data());
        long now = System.nanoTime();
        assertTrue(now - start >= 600_000_000 && now - enabled < 590_000_000, "does not start anew");
        none();
        assertNoKnote(1, EVFILT_TIMER);
    }

    @Test
    @DisplayName("TIMER-22 a timer of 50 ms disabled for 230 ms, EV_ENABLE: an event at once, with the count")
    void timer22_countsWhileDisabled() {
        long start = System.nanoTime();
        add(1, 0, 50);
        change(1, EVFILT_TIMER, EV_DISABLE);
        passes(Duration.ofMillis(230));
        change(1, EVFILT_TIMER, EV_ENABLE);
        var events = events(kq, 1, Duration.ZERO);
        long periods = (System.nanoTime() - start) / 50_000_000;
        assertEquals(1, events.size());
        long count = events.getFirst().data();
        assertTrue(count >= 4 && count <= periods, count + " of " + periods);
    }

    @Test
    @DisplayName("TIMER-24 EV_ADD|EV_DISABLE of 20 ms: nothing; EV_ENABLE: an event")
    void timer24_addedDisabled() {
        change(1, EVFILT_TIMER, EV_ADD | EV_DISABLE, 0, 20, null);
        passes(Duration.ofMillis(25));
        none();
        change(1, EVFILT_TIMER, EV_ENABLE);
        assertTrue(next().data() >= 1);
    }

    @Test
    @DisplayName("TIMER-25 EV_ADD of a disabled timer: the new time counts, and it is enabled unless EV_DISABLE is there")
    void timer25_addEnables() {
        change(1, EVFILT_TIMER, EV_ADD | EV_DISABLE, 0, HOUR, null);
        change(1, EVFILT_TIMER, EV_ADD | EV_DISABLE, 0, 5, null);
        none();
        add(1, 0, 5);
        next();
    }

    @ParameterizedTest
    @ValueSource(ints = {NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS, 0, NOTE_ABSTIME})
    @DisplayName("TIMER-28, TIMER-29 negative time in any unit, also NOTE_ABSTIME: EINVAL")
    void timer28_negative(int fflags) {
        assertErrno(Errno.EINVAL, () -> change(1, EVFILT_TIMER, EV_ADD, fflags, -1, null));
        assertErrno(Errno.EINVAL, () -> change(1, EVFILT_TIMER, EV_ADD, fflags, Long.MIN_VALUE, null));
        assertNoKnote(1, EVFILT_TIMER);
    }

    @ParameterizedTest
    @ValueSource(ints = {NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS})
    @DisplayName("TIMER-30 the longest time in any unit: accepted, does not fire")
    void timer30_longest(int unit) {
        add(1, unit, Long.MAX_VALUE);
        add(2, unit, Long.MAX_VALUE - 1);
        change(3, EVFILT_TIMER, EV_ADD | EV_ONESHOT, unit, Long.MAX_VALUE, null);
        none();
        change(1, EVFILT_TIMER, EV_DELETE);
    }

    @Test
    @DisplayName("TIMER-40 EV_ADD by another thread while one waits: that one gets the event when it is due")
    void timer40_addedWhileWaiting() throws Exception {
        FutureTask<Ev> waiter = inBackground(this::next);
        long start = System.nanoTime();
        add(1, 0, 30);
        assertEquals(1, result(waiter).ident());
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis >= 30 && millis < 3000, millis + " ms");
    }

    @ParameterizedTest
    @ValueSource(ints = {50, 100, 500, 1000})
    @DisplayName("TIMER-42 one-shot of 50 to 1000 us: never before its time, the best of 50 at most 200 us after it")
    void timer42_accuracy(int micros) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            long start = System.nanoTime();
            change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, micros, null);
            next();
            long late = System.nanoTime() - start - micros * 1000L;
            assertTrue(late >= 0, "early by " + -late + " ns");
            best = Math.min(best, late);
        }
        assertTrue(best < 200_000, "the best is late by " + best + " ns");
    }

    @Test
    @DisplayName("a million timers armed: no descriptor used, one fires in time, the others are deleted or closed")
    void aMillionTimers() {
        final int batch = 4096;
        final int count = 1_000_000;
        int fds = OpenFds.numbers().size();
        KeventList list = KeventList.allocate(batch);
        for (int id = 0; id < count;) {
            int n = 0;
            for (; n < batch && id < count; n++, id++) {
                EV_SET(list, n, id, EVFILT_TIMER, EV_ADD, 0, HOUR + id % 1000, null);
            }
            assertEquals(0, kevent(kq, list, n, null, 0, null));
        }
        assertTrue(OpenFds.numbers().size() <= fds);
        change(777_777, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 5, "the one");
        assertEquals("the one", next().udata());
        none();
        for (int id = 0; id < 1000; id++) {
            change(id, EVFILT_TIMER, EV_DELETE);
        }
        assertNoKnote(0, EVFILT_TIMER);
        closeQueue(kq);
    }

    private void add(long id, int fflags, long time) {
        change(id, EVFILT_TIMER, EV_ADD, fflags, time, null);
    }
}
