package dev.knote;

import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.NOTE_TRIGGER;

import dev.knote.linux.Errno;

/** What is asked of a queue by way of a {@link Knote}: changes of that one, and of no other of its ident. */
final class Orders {
    /**
     * A flag beyond those of a struct kevent: the change leaves the knote's fflags and data as they are when it is made,
     * which may be later than it was asked for.
     */
    private static final int AS_IT_IS = 1 << 16;

    private final EventQueue queue;

    Orders(EventQueue queue) {
        this.queue = queue;
    }

    void enable(KnoteImpl knote) {
        order(knote, EV_ENABLE | EV_KEEPUDATA | AS_IT_IS, 0, 0);
    }

    void disable(KnoteImpl knote) {
        order(knote, EV_DISABLE | EV_KEEPUDATA | AS_IT_IS, 0, 0);
    }

    void trigger(KnoteImpl knote) {
        if (queue.office.isForeign()) {
            queue.office.order(knote, Office.ORDER_TRIGGER);
        } else {
            order(knote, EV_KEEPUDATA | AS_IT_IS, NOTE_TRIGGER, 0);
        }
    }

    void update(KnoteImpl knote, int fflags, long data) {
        order(knote, EV_KEEPUDATA, fflags, data);
    }

    void cancel(KnoteImpl knote) {
        if (knote.isDead()) {
            return;
        }
        try {
            order(knote, EV_DELETE, 0, 0);
        } catch (KeventException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }

    private void order(KnoteImpl knote, int flags, int fflags, long data) {
        Call call = queue.enter();
        try {
            Kevent change = call.change;
            change.fill(knote.ident, knote.filterNumber, flags, fflags);
            change.data = data;
            change.udata = null;
            change.word = null;
            if (queue.office.isForeign()) {
                queue.office.post(change, knote);
                return;
            }
            queue.changes.change(call, change, knote);
            call.submitWords(queue);
        } finally {
            queue.leave(call);
        }
    }

    /** Gives a change to the filter of its knote, which the caller has taken. */
    static void touch(KnoteImpl knote, Kevent change) {
        if (!change.has(AS_IT_IS)) {
            knote.filter.touch(knote, change);
            return;
        }
        change.flags &= ~AS_IT_IS;
        int own = knote.savedFflags;
        if (change.fflags == 0) {
            change.fflags = own;
        }
        change.data = knote.savedData;
        knote.filter.touch(knote, change);
        if (knote.savedFflags == change.fflags) { // a trigger, to a filter that does not know of any
            knote.savedFflags = own;
        }
    }
}
