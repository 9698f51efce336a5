package dev.knote;

import java.util.concurrent.locks.LockSupport;

/** Puts knotes that may have an event on a queue's list, and wakes who is to hear of it. */
final class Activation {
    private final EventQueue queue;
    private final ReadyList ready;

    Activation(EventQueue queue) {
        this.queue = queue;
        this.ready = queue.ready;
    }

    void activate(KnoteImpl knote) {
        if (queue.office.isForeign()) {
            queue.office.order(knote, Office.ORDER_ACTIVATE);
            return;
        }
        wake(ready.activate(knote));
        queue.nesting.tellWatchers();
    }

    /** Puts what a call has found to have an event on the list. */
    void activate(Call call) {
        int n = call.activatedCount;
        if (n == 0) {
            return;
        }
        call.activatedCount = 0;
        int woken = ready.activate(call.activated, n, call.woken);
        for (int i = 0; i < woken; i++) {
            wake(call.woken[i]);
            call.woken[i] = null;
        }
        queue.nesting.tellWatchers();
    }

    void deadline(KnoteImpl knote, long nanoTime) {
        if (queue.timers.set(knote, nanoTime) && queue.shared) {
            wakePoller();
        }
        queue.nesting.tellWatchers(); // they look for the earliest deadline themselves, on a thread that may
    }

    void wake(Waiter waiter) {
        if (waiter == null) {
            return;
        }
        if (queue.sleepers.isLeader(waiter)) {
            wakePoller();
        } else {
            queue.sleep.wokenFromHere();
            LockSupport.unpark(waiter.thread);
        }
    }

    /** Any thread, at any time: the fd that this writes to is closed when nobody is present. */
    void wakePoller() {
        queue.presence.enter();
        if (!queue.isClosed()) {
            queue.sleep.wokenFromHere();
            queue.poller.wakeup();
        }
        queue.presence.leave();
    }
}
