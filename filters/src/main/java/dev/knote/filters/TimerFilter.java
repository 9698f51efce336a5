package dev.knote.filters;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_ABSTIME;
import static dev.knote.Kqueue.NOTE_MSECONDS;
import static dev.knote.Kqueue.NOTE_NSECONDS;
import static dev.knote.Kqueue.NOTE_SECONDS;
import static dev.knote.Kqueue.NOTE_USECONDS;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.time.Instant;

/**
 * EVFILT_TIMER: a time has passed, or come. {@link Timer} makes its interests.
 *
 * <p>{@code data} of a change is a time, in milliseconds or the one unit that is in {@code fflags}. It is the
 * period of a timer that repeats, by the monotonic clock; with {@code EV_ONESHOT}, the delay. A period of 0
 * is one unit. With {@code NOTE_ABSTIME} it is a moment since the Epoch on the wall clock, for one event; one
 * that is past is now. {@code data} of an event is how often the timer has expired since the event before,
 * and {@code fflags} those of the change. {@code EV_CLEAR} is always set. A disabled timer goes on counting.
 * Times above 73 years never come.
 *
 * <p>{@code EV_ADD} of a timer that exists starts it anew; no other change does. The timers of a queue use no
 * kernel objects and no memory beyond their knotes.
 *
 * <p>Errors: EINVAL for negative data, more than one unit and unknown bits.
 *
 * <p>Contract: kqueue(2), EVFILT_TIMER; {@code filt_timer} and its family of FreeBSD.
 */
public final class TimerFilter implements Filter {
    private static final int UNITS = NOTE_SECONDS | NOTE_MSECONDS | NOTE_USECONDS | NOTE_NSECONDS;
    private static final long NEVER_NANOS = 1L << 61;
    private static final long NANOS = 1_000_000_000;
    /** The hook of a timer for one event that was reported. */
    private static final Object REPORTED = new Object();
    /**
     * The hook of a timer that was started with a delay by the change under way, which asks for its event at once: it need
     * not look at the clock for that, as this costs as much as a tenth of all else.
     */
    private static final Object STARTED = new Object();

    /** A filter for one queue. */
    public TimerFilter() {}

    @Override
    public int number() {
        return Kqueue.EVFILT_TIMER;
    }

    @Override
    public String name() {
        return "EVFILT_TIMER";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        check(knote, change);
        knote.flags(knote.flags() | EV_CLEAR);
        start(knote, change);
    }

    @Override
    public void touch(FilterKnote knote, Kevent change) {
        if ((change.flags() & EV_ADD) != 0) {
            check(knote, change);
            knote.savedFflags(change.fflags());
            knote.savedData(change.data());
            knote.flags(knote.flags() & ~EV_ONESHOT | change.flags() & EV_ONESHOT);
            start(knote, change);
        }
    }

    @Override
    public boolean event(FilterKnote knote) {
        if (knote.hook() == STARTED) {
            knote.hook(null);
            return false;
        }
        long late = System.nanoTime() - knote.state();
        if (late < 0 || knote.hook() == REPORTED) {
            return false;
        }
        if (isMoment(knote)) {
            long ahead = untilMoment(knote);
            if (ahead > 0) {
                await(knote, System.nanoTime() + ahead); // the wall clock was set back
                return false;
            }
        }
        knote.data(repeats(knote) ? late / period(knote) + 1 : 1);
        knote.fflags(knote.savedFflags());
        return true;
    }

    @Override
    public void deliver(FilterKnote knote, Kevent event) {
        if (repeats(knote)) {
            await(knote, knote.state() + knote.data() * period(knote));
        } else {
            knote.hook(REPORTED);
        }
        Filter.super.deliver(knote, event);
    }

    private void check(FilterKnote knote, Kevent change) {
        int units = change.fflags() & UNITS;
        String why = null;
        if (change.data() < 0) {
            why = "data is " + change.data() + ": expected 0 or more";
        } else if ((change.fflags() & ~(UNITS | NOTE_ABSTIME)) != 0 || (units & units - 1) != 0) {
            why = "fflags is 0x" + Integer.toHexString(change.fflags())
                    + ": expected at most one of NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS,"
                    + " and NOTE_ABSTIME";
        }
        if (why != null) {
            String what = "kevent: ident " + knote.ident() + ", " + name() + ": " + why;
            throw new KeventException(Errno.EINVAL, what);
        }
    }

    private static void start(FilterKnote knote, Kevent change) {
        knote.data(0);
        knote.fflags(0);
        long delay;
        if (isMoment(knote)) {
            delay = untilMoment(knote);
        } else {
            delay = repeats(knote) || knote.savedData() != 0 ? period(knote) : 0;
        }
        boolean asked = (change.flags() & EV_DISABLE) == 0;
        knote.hook(asked && delay > 0 ? STARTED : null);
        await(knote, System.nanoTime() + delay);
    }

    private static void await(FilterKnote knote, long nanoTime) {
        knote.state(nanoTime);
        knote.deadline(nanoTime);
    }

    private static boolean isMoment(FilterKnote knote) {
        return (knote.savedFflags() & NOTE_ABSTIME) != 0;
    }

    private static boolean repeats(FilterKnote knote) {
        return (knote.flags() & EV_ONESHOT) == 0 && !isMoment(knote);
    }

    private static long period(FilterKnote knote) {
        return nanos(Math.max(1, knote.savedData()), knote.savedFflags(), NEVER_NANOS);
    }

    /** Nanoseconds until the wall clock shows the timer's moment; 0 if it does. */
    private static long untilMoment(FilterKnote knote) {
        long moment = nanos(knote.savedData(), knote.savedFflags(), Long.MAX_VALUE);
        Instant now = Instant.now();
        return Math.clamp(moment - (now.getEpochSecond() * NANOS + now.getNano()), 0, NEVER_NANOS);
    }

    private static long nanos(long time, int fflags, long most) {
        long unit = switch (fflags & UNITS) {
            case NOTE_SECONDS -> NANOS;
            case NOTE_USECONDS -> 1_000;
            case NOTE_NSECONDS -> 1;
            default -> 1_000_000;
        };
        return time > most / unit ? most : time * unit;
    }
}
