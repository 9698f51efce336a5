package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** EVFILT_TIMER with NOTE_ABSTIME: moments of the wall clock. */
class TimerMomentTest extends KeventFixture {
    @Test
    @DisplayName("TIMER-32 NOTE_ABSTIME is in ms since the Epoch: 100 ms ahead fires then, with data 1")
    void timer32_ahead() {
        long moment = System.currentTimeMillis() + 100;
        at(1, EV_ONESHOT, moment);
        Ev event = next();
        assertTrue(System.currentTimeMillis() >= moment);
        assertTrue(System.currentTimeMillis() < moment + 3000);
        assertEquals(new Ev(1, EVFILT_TIMER, EV_ONESHOT | EV_CLEAR, NOTE_ABSTIME, 1, null), event);
    }

    @Test
    @DisplayName("TIMER-32 NOTE_ABSTIME in seconds, microseconds and nanoseconds")
    void timer32_units() {
        long millis = System.currentTimeMillis() + 50;
        change(1, EVFILT_TIMER, EV_ADD, NOTE_ABSTIME | NOTE_SECONDS, millis / 1000 + 3600, null);
        change(2, EVFILT_TIMER, EV_ADD, NOTE_ABSTIME | NOTE_USECONDS, millis * 1000, null);
        assertEquals(2, next().ident());
        assertTrue(System.currentTimeMillis() >= millis);
        change(3, EVFILT_TIMER, EV_ADD, NOTE_ABSTIME | NOTE_NSECONDS, millis * 1_000_000, null);
        assertEquals(3, next().ident());
        none();
    }

    @Test
    @DisplayName("TIMER-33 NOTE_ABSTIME in the past: fires at once")
    void timer33_past() {
        at(1, 0, System.currentTimeMillis() - 10_000);
        List<Ev> events = events(kq, 8, Duration.ZERO);
        assertEquals(List.of(new Ev(1, EVFILT_TIMER, EV_CLEAR, NOTE_ABSTIME, 1, null)), events);
    }

    @Test
    @DisplayName("TIMER-34 NOTE_ABSTIME with data 0 is in the past: fires at once")
    void timer34_zero() {
        at(1, 0, 0);
        assertEquals(1, events(kq, 8, Duration.ZERO).size());
    }

    @Test
    @DisplayName("TIMER-36 NOTE_ABSTIME without EV_ONESHOT: fires once only; the knote remains")
    void timer36_once() {
        at(1, 0, System.currentTimeMillis() + 20);
        next();
        none();
        change(1, EVFILT_TIMER, EV_DISABLE);
        change(1, EVFILT_TIMER, EV_ENABLE);
        none();
        at(1, 0, System.currentTimeMillis() + 20);
        next();
        none();
        change(1, EVFILT_TIMER, EV_DELETE);
    }

    @Test
    @DisplayName("TIMER-37 a relative timer changed to NOTE_ABSTIME: fires at the moment, and only then")
    void timer37_toMoment() {
        change(1, EVFILT_TIMER, EV_ADD, 0, 10, null);
        long moment = System.currentTimeMillis() + 120;
        at(1, 0, moment);
        Ev event = next();
        assertTrue(System.currentTimeMillis() >= moment);
        assertEquals(NOTE_ABSTIME, event.fflags());
        none();
        change(1, EVFILT_TIMER, EV_ADD, 0, 10, null);
        next();
        next();
    }

    private void at(long id, int flags, long millis) {
        change(id, EVFILT_TIMER, EV_ADD | flags, NOTE_ABSTIME, millis, null);
    }
}
