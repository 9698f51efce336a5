package dev.knote.filters;

import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_FFAND;
import static dev.knote.Kqueue.NOTE_FFCOPY;
import static dev.knote.Kqueue.NOTE_FFCTRLMASK;
import static dev.knote.Kqueue.NOTE_FFLAGSMASK;
import static dev.knote.Kqueue.NOTE_FFOR;
import static dev.knote.Kqueue.NOTE_TRIGGER;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.Kqueue;

/**
 * EVFILT_USER: the program says so itself. {@link User} makes its interests.
 *
 * <p>A change with {@code NOTE_TRIGGER} makes the knote ready until it is delivered, with {@code EV_CLEAR},
 * or deleted. The event has the {@code data} of the last change and 24 bits of {@code fflags} that are the
 * user's own: each change copies, ors or ands its own to them, as its {@code NOTE_FFCOPY}, {@code NOTE_FFOR}
 * or {@code NOTE_FFAND} says; delivery leaves them. {@code EV_CLEAR} in a change of a knote that exists takes
 * the trigger back. Bits of {@code fflags} that mean nothing are ignored. Any thread may trigger; triggers
 * that come before the event is retrieved are one event.
 *
 * <p>Contract: kqueue(2), EVFILT_USER; {@code filt_user} and its family of FreeBSD.
 */
public final class UserFilter implements Filter {
    private static final long TRIGGERED = 1;

    /** A filter for one queue. */
    public UserFilter() {}

    @Override
    public int number() {
        return Kqueue.EVFILT_USER;
    }

    @Override
    public String name() {
        return "EVFILT_USER";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        knote.savedFflags(change.fflags() & NOTE_FFLAGSMASK);
        knote.state((change.fflags() & NOTE_TRIGGER) != 0 ? TRIGGERED : 0);
    }

    @Override
    public void touch(FilterKnote knote, Kevent change) {
        int saved = knote.savedFflags();
        int own = change.fflags() & NOTE_FFLAGSMASK;
        knote.savedFflags(switch (change.fflags() & NOTE_FFCTRLMASK) {
            case NOTE_FFAND -> saved & own;
            case NOTE_FFOR -> saved | own;
            case NOTE_FFCOPY -> own;
            default -> saved;
        });
        knote.savedData(change.data());
        if ((change.flags() & EV_CLEAR) != 0) {
            knote.state(0);
            knote.data(0);
            knote.fflags(0);
        } else if ((change.fflags() & NOTE_TRIGGER) != 0) {
            knote.state(TRIGGERED);
        }
    }

    @Override
    public boolean event(FilterKnote knote) {
        if (knote.state() != TRIGGERED) {
            return false;
        }
        knote.fflags(knote.savedFflags());
        knote.data(knote.savedData());
        return true;
    }

    @Override
    public void deliver(FilterKnote knote, Kevent event) {
        if ((knote.flags() & EV_CLEAR) != 0) {
            knote.state(0);
        }
        Filter.super.deliver(knote, event);
    }
}
