package dev.knote.kfutex;

import dev.knote.Event;
import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.Knote;
import dev.knote.linux.Errno;

/**
 * A knote bound to words by {@link Kfutex#bind}. It lasts until {@link #unbind}, its EV_ONESHOT event, an event with
 * EV_ERROR that is its last, the loss of its word's memory, the close of its fd, another binding of the same ident and
 * filter, or {@link Kfutex#close}. Any thread may use it.
 */
public final class Binding {
    private final Kfutex owner;
    private final Rule[] rules;
    final Interest interest;
    Knote knote;
    private boolean ended;
    private int errno;
    private long fired;
    private long woken;

    Binding(Kfutex owner, Interest interest, Rule[] rules) {
        this.owner = owner;
        this.interest = interest;
        this.rules = rules;
    }

    /** Whether events are still applied, as far as is known: the close of an fd may be noticed late. */
    public synchronized boolean isBound() {
        return !ended && knote.isValid();
    }

    /** Why the binding ended: the errno of an event with EV_ERROR, EFAULT if a word's memory is gone, else 0. */
    public synchronized int errno() {
        return errno;
    }

    /** How many events there have been. */
    public synchronized long fired() {
        return fired;
    }

    /** How many waiters were woken. */
    public synchronized long woken() {
        return woken;
    }

    /** Fires an EVFILT_USER knote, or what else takes NOTE_TRIGGER. ENOENT if the binding has ended. */
    public void trigger() {
        current().trigger();
    }

    /** Enables a knote that EV_DISPATCH has disabled; ENOENT if the binding has ended. */
    public void enable() {
        current().enable();
    }

    /** Ends it. When this returns, no event of the knote changes a word or wakes any more. */
    public void unbind() {
        owner.unbind(this);
    }

    private synchronized Knote current() {
        if (ended) {
            throw new KeventException(Errno.ENOENT, "Binding: it has ended: expected one that is bound");
        }
        return knote;
    }

    /** No event is applied after this returns. */
    synchronized void end() {
        ended = true;
    }

    synchronized boolean hasEnded() {
        return ended;
    }

    /** What became of an event. */
    enum Outcome {
        /** The binding has ended. */
        NOT_APPLIED,
        /** As it should. */
        APPLIED,
        /** The knote is no more, or a word's memory. */
        LAST
    }

    synchronized Outcome apply(Event event) {
        if (ended) {
            return Outcome.NOT_APPLIED;
        }
        if (event.isError()) {
            errno = (int) event.data();
        }
        boolean intact = true;
        for (Rule rule : rules) {
            try {
                woken += rule.apply(event.isEof(), event.isError(), event.data());
            } catch (IllegalStateException | InternalError | KeventException gone) {
                errno = Errno.EFAULT;
                intact = false;
            }
        }
        fired++;
        return intact && knote.isValid() ? Outcome.APPLIED : Outcome.LAST;
    }
}
