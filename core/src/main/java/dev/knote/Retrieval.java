package dev.knote;

import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.linux.Errno;

/** Takes events off the ready list, and waits for them: {@code kqueue_scan}. */
final class Retrieval {
    private static final int SETTLE_TRIES = 8;
    private static final int FULL_CALLS_A_LOOK = 16;

    private final EventQueue queue;
    private final KnoteTable table;
    private final ReadyList ready;
    private final Sleepers sleepers;
    private final TimerHeap timers;
    private final Office office;
    private final Changes changes;
    private final Sleep sleep;

    Retrieval(EventQueue queue) {
        this.queue = queue;
        this.table = queue.table;
        this.ready = queue.ready;
        this.sleepers = ready.sleepers();
        this.timers = queue.timers;
        this.office = queue.office;
        this.changes = queue.changes;
        this.sleep = queue.sleep;
    }

    int retrieve(Call call, KeventList events, int nevents, long nanos, boolean errno) {
        boolean completed = false;
        try {
            int n = tryRetrieve(call, events, nevents, nanos, errno);
            completed = true;
            return n;
        } finally {
            if (!completed && queue.shared) {
                queue.activation.wake(sleepers.leave()); // others may have slept while this thread led
            }
        }
    }

    private int tryRetrieve(Call call, KeventList events, int nevents, long nanos, boolean errno) {
        office.checkOwner();
        int max = Math.min(nevents, events.size());
        long deadline = nanos > 0 ? System.nanoTime() + nanos : 0;
        office.read(call);
        boolean looked = queue.firstLook.look(call);
        call.putsOff = !errno && !looked && queue.firstLook.isNeeded();
        int n = office.takeFailed(events, scan(call, events, 0, max), max);
        if (n == max && (call.scan() & FULL_CALLS_A_LOOK - 1) == 0) {
            queue.firstLook.want(); // or those who fill every call would hide what the kernel has
        }
        if (n < max && (n > 0 || nanos == 0)) {
            boolean submitted = call.deferredCount > 0;
            call.submitWords(queue);
            if (!looked && sleep.harvest(call) || submitted) {
                n = scan(call, events, n, max);
            }
        }
        while (n == 0 && nanos != 0 && !queue.poller.hasEdges()) {
            long left = nanos < 0 ? -1 : Math.max(0, deadline - System.nanoTime());
            if (left == 0) {
                break;
            }
            boolean goesOn = sleep.until(call, left);
            office.read(call);
            boolean ignored = queue.firstLook.look(call); // something posted has changed a knote
            n = scan(call, events, 0, max);
            n = office.takeFailed(events, n, max);
            if (!goesOn || n == 0 && Thread.currentThread().isInterrupted()) {
                break;
            }
        }
        finish(call, events, n);
        if (n == 0 && errno && nanos != 0 && Thread.interrupted()) {
            throw new KeventException(Errno.EINTR, "kevent: the thread was interrupted");
        }
        return n;
    }

    private void finish(Call call, KeventList events, int n) {
        call.submitWords(queue);
        if (call.rearmedCount > 0) {
            settle(call, events);
        }
        if (queue.shared) {
            sleepers.forgetWakeup();
            queue.activation.wake(sleepers.leave());
        } else {
            office.forgetWakeup();
        }
        if (queue.isClosed() && !queue.shared) {
            changes.clear(); // the ring obeys its owner alone
        }
        if (queue.isClosed() && n == 0) {
            throw Refusals.closed();
        }
    }

    /** Fills the eventlist from {@code from} on; returns the next free entry. */
    private int scan(Call call, KeventList events, int from, int max) {
        if (!timers.isEmpty()) {
            timers.expire(queue);
        }
        int n = from;
        if (queue.beacon != null) {
            queue.beacon.looks();
        }
        long scan = from == 0 ? call.nextScan() : call.scan();
        int[] popped = call.popped;
        int count;
        ready.beginScan(call, scan);
        if (call.activatedCount > 0) {
            count = queue.nesting.isWatched() ? 0 : ready.bypass(call, scan, popped, max - n);
            queue.activation.activate(call);
            n = deliver(call, popped, count, events, n);
        }
        while (n < max && (count = ready.pop(call, scan, popped, max - n, n > 0)) > 0) {
            n = deliver(call, popped, count, events, n);
        }
        return n;
    }

    private int deliver(Call call, int[] popped, int count, KeventList events, int from) {
        int n = from;
        int i = 0;
        try {
            while (i < count) {
                KnoteImpl knote = table.get(popped[i++]);
                if (isStillOurs(call, knote) && take(knote)) {
                    n = deliver(call, knote, events, n);
                }
            }
        } finally {
            while (i < count) { // a filter has thrown: the others are still active
                KnoteImpl knote = table.get(popped[i++]);
                if (isStillOurs(call, knote)) {
                    queue.activation.activate(knote);
                }
            }
        }
        return n;
    }

    /** Whether it is the knote that this scan took off the list: that may have gone since, and its number be another's. */
    private static boolean isStillOurs(Call call, KnoteImpl knote) {
        return knote != null && knote.scan == call.scan();
    }

    /** Takes a knote that was on the list; false if it has been removed or disabled since. */
    private static boolean take(KnoteImpl knote) {
        if (!knote.take()) {
            return false;
        }
        if (knote.isDisabled()) {
            knote.giveBack();
            return false;
        }
        return true;
    }

    private int deliver(Call call, KnoteImpl knote, KeventList events, int at) {
        if (call.putsOff && (knote.flags & EV_CLEAR) != 0 && knote.hasEdges()) {
            ready.requeue(knote);
            knote.giveBack();
            return at;
        }
        boolean drop = false;
        int next = at;
        try {
            boolean fires = ready.takeForce(knote) || knote.filter.event(knote);
            drop = knote.gone;
            if (fires && !drop) {
                int rearmed = call.deferredCount;
                fillEvent(knote, call.event);
                knote.filter.deliver(knote, call.event);
                events.write(at, call.event);
                next++;
                if (call.deferredCount > rearmed) {
                    call.rearmed(knote, at);
                }
                drop = (knote.flags & EV_ONESHOT) != 0;
                afterDelivery(knote, drop);
            }
        } catch (RuntimeException | Error broken) {
            if (at == 0) {
                throw broken;
            }
            ready.requeue(knote); // the events before it are returned first
        } finally {
            if (drop) {
                changes.drop(knote);
            } else {
                knote.giveBack();
            }
        }
        return next;
    }

    private void afterDelivery(KnoteImpl knote, boolean dropped) {
        if ((knote.flags & EV_DISPATCH) != 0) {
            ready.disable(knote);
        } else if (!dropped && (knote.flags & EV_CLEAR) == 0) {
            ready.requeue(knote);
            queue.firstLook.want();
        }
    }

    private static void fillEvent(KnoteImpl knote, Kevent event) {
        event.ident = knote.ident;
        event.filter = knote.filterNumber;
        event.flags = knote.flags | knote.eventFlags;
        event.fflags = knote.fflags;
        event.data = knote.data;
        event.refersTo(knote.udata, knote.word);
        knote.ext(event);
        if (knote.error != 0) {
            event.flags |= EV_ERROR;
            event.data = knote.error;
        }
    }

    /** Words that changed between being read for their event and being armed again: the event gets the newer value. */
    private void settle(Call call, KeventList events) {
        for (int tries = 0; call.rearmedCount > 0 && tries < SETTLE_TRIES; tries++) {
            int count = call.rearmedCount;
            call.rearmedCount = 0;
            for (int i = 0; i < count; i++) {
                KnoteImpl knote = call.rearmed[i];
                call.rearmed[i] = null;
                if (knote.wait.bits() == FilterKnote.WORD_DIFFERS) {
                    settle(call, knote, events, call.rearmedAt[i]);
                }
            }
            call.submitWords(queue);
        }
        call.rearmedCount = 0;
    }

    private void settle(Call call, KnoteImpl listed, KeventList events, int at) {
        KnoteImpl knote = table.take(listed.ident, listed.filterNumber);
        if (knote == null) {
            return;
        }
        try {
            if (knote == listed && knote.wait.bits() == FilterKnote.WORD_DIFFERS) {
                events.read(at, call.event);
                knote.filter.settle(knote, call.event);
                events.write(at, call.event);
                call.rearmed(knote, at);
            }
        } finally {
            knote.giveBack();
        }
    }
}
