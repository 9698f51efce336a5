package dev.knote;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_FORCEONESHOT;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.EV_SYSFLAGS;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.poll.Poller;

/** Makes changes: {@code kqueue_register}. */
final class Changes {
    private final EventQueue queue;
    private final KnoteTable table;
    private final ReadyList ready;
    private final Poller poller;
    private final Office office;
    private final Filters filters;
    private final int[] fdFilters;

    Changes(EventQueue queue, Filters filters) {
        this.queue = queue;
        this.table = queue.table;
        this.ready = queue.ready;
        this.poller = queue.poller;
        this.office = queue.office;
        this.filters = filters;
        this.fdFilters = filters.ofFds();
    }

    /** @param room how many errors and receipts the eventlist takes */
    int apply(Call call, KeventList changes, int nchanges, KeventList events, int room) {
        int errors = 0;
        Kevent change = call.change;
        for (int i = 0; i < nchanges; i++) {
            changes.read(i, change);
            if (change.filter == 0) {
                continue;
            }
            if (call.wakes > 0 && (!change.has(EV_ANON) || call.wakes == call.wakeAddresses.length)) {
                errors = flushWakes(call, changes, events, room, errors);
                changes.read(i, change);
            }
            int wakes = call.wakes;
            KeventException failure = tryChange(call, change);
            if (call.wakes > wakes) {
                call.wakeEntries[wakes] = i;
                if (change.has(EV_RECEIPT) && errors + call.wakes > room) {
                    errors = flushWakes(call, changes, events, room, errors);
                    if (errors < 0) {
                        return ~errors;
                    }
                }
                continue; // answered when it has been done
            }
            if ((failure != null || change.has(EV_RECEIPT)) && call.wakes > 0) {
                errors = flushWakes(call, changes, events, room, errors);
                changes.read(i, change);
            }
            if (failure != null || change.has(EV_RECEIPT)) {
                if (errors >= room) {
                    return refuse(call, failure, errors);
                }
                answer(change, failure == null ? 0 : failure.errno(), events, errors++);
            }
        }
        return call.wakes > 0 ? flushWakes(call, changes, events, room, errors) : errors;
    }

    private KeventException tryChange(Call call, Kevent change) {
        try {
            if (office.isForeign() && !change.has(EV_ANON)) {
                office.post(change, null);
            } else {
                change(call, change);
            }
            return null;
        } catch (KeventException e) {
            return e;
        }
    }

    /** There is no room for an answer: an error is the call's own, a receipt ends it. */
    private int refuse(Call call, KeventException failure, int errors) {
        call.submitWords(queue);
        if (failure != null) {
            throw failure;
        }
        return errors;
    }

    private static void answer(Kevent change, int errno, KeventList events, int at) {
        change.flags = EV_ERROR;
        change.data = errno;
        events.write(at, change);
    }

    /**
     * Does the wakes that stand in a row in the changelist, in one entry into the kernel, and answers them. Returns
     * {@code ~errors} if there was no room for a receipt, which only the last of them can lack.
     */
    private int flushWakes(Call call, KeventList changes, KeventList events, int room, int errorsBefore) {
        int errors = errorsBefore;
        int n = call.wakes;
        call.wakes = 0;
        call.submitWords(queue); // words added in front of a wake are to be waited for by then
        if (office.isForeign()) { // the owner's poller is not for others
            for (int k = 0; k < n; k++) {
                call.wakeCounts[k] = Futex.wake(call.wakeAddresses[k], call.wakeCounts[k]);
            }
        } else {
            poller.wake(call.wakeAddresses, call.wakeCounts, n);
        }
        for (int k = 0; k < n; k++) {
            int result = call.wakeCounts[k];
            changes.read(call.wakeEntries[k], call.event);
            if (result < 0 || call.event.has(EV_RECEIPT)) {
                if (errors >= room) {
                    return ~refuse(call, result < 0 ? Wakes.failure(call.event.ident, -result) : null,
                            errors);
                }
                answer(call.event, Math.max(0, -result), events, errors++);
            }
        }
        return errors;
    }

    /** Makes one change; returns the knote that it made or modified, null for other changes. */
    KnoteImpl change(Call call, Kevent change) {
        change.flags &= ~EV_SYSFLAGS;
        Filter filter = filters.get(change.filter);
        if (filter == null) {
            throw Refusals.refusal(Errno.EINVAL, change.ident, "filter " + change.filter,
                    "there is no such filter");
        }
        checkFlags(change, filter);
        if (change.has(EV_ANON)) {
            queue.activation.activate(call); // a private wake goes on the list at once: behind what came before it
            filter.anon(change, call.memory(queue));
            return null;
        }
        for (;;) {
            KnoteImpl knote = table.take(change.ident, change.filter);
            if (queue.isClosed()) {
                if (knote != null) {
                    knote.giveBack();
                }
                throw Refusals.closed();
            }
            if (knote == null) {
                KnoteImpl made = create(call, filter, change);
                if (made != null) {
                    return made;
                }
            } else if (change.has(EV_DELETE)) {
                delete(knote, change);
                return null;
            } else if (knote.lostFd() || change.has(EV_ADD) && knote.lostWord()) {
                drop(knote);
            } else {
                return modify(call, knote, change);
            }
        }
    }

    /** As {@link #change}, of the knote itself: what would make one fails. */
    void change(Call call, Kevent change, KnoteImpl knote) {
        if (!knote.take()) {
            throw Refusals.missing(change, knote.filter);
        }
        if (queue.isClosed()) {
            knote.giveBack();
            throw Refusals.closed();
        }
        if (change.has(EV_DELETE)) {
            delete(knote, change);
        } else if (knote.lostFd()) {
            drop(knote);
            throw Refusals.missing(change, knote.filter);
        } else {
            modify(call, knote, change);
        }
    }

    private void delete(KnoteImpl knote, Kevent change) {
        if (!drop(knote)) {
            throw Refusals.missing(change, knote.filter);
        }
    }

    static void checkFlags(Kevent change, Filter filter) {
        if (change.has(EV_ENABLE) && change.has(EV_DISABLE)) {
            throw Refusals.refusal(Errno.EINVAL, change.ident, filter.name(),
                    "EV_ENABLE and EV_DISABLE exclude each other");
        }
        if (change.has(EV_KEEPUDATA) && change.has(EV_ADD)) {
            throw Refusals.refusal(Errno.EINVAL, change.ident, filter.name(),
                    "EV_KEEPUDATA does not go with EV_ADD");
        }
    }

    /** A new knote; null if another thread was faster. */
    private KnoteImpl create(Call call, Filter filter, Kevent change) {
        if (!change.has(EV_ADD)) {
            throw Refusals.missing(change, filter);
        }
        KnoteImpl knote = new KnoteImpl(queue, filter, change);
        if (!table.insert(knote)) {
            return null;
        }
        attach(knote, change);
        boolean asked = false;
        try {
            // The poller tells of an fd that is ready already; asking would cost a system call.
            if (!knote.watchesIdent()) {
                boolean ignored = ask(call, knote);
            }
            asked = true;
        } finally {
            if (!asked) {
                drop(knote);
            }
        }
        knote.giveBack();
        return knote;
    }

    private void attach(KnoteImpl knote, Kevent change) {
        boolean attached = false;
        try {
            knote.filter.attach(knote, change);
            if (change.word != null) {
                queue.memory.give(change.word);
            }
            attached = true;
        } finally {
            if (!attached) {
                table.remove(knote);
                ready.kill(knote);
                knote.release();
                table.free(knote);
            }
        }
    }

    private KnoteImpl modify(Call call, KnoteImpl knote, Kevent change) {
        try {
            if (knote.word != null && change.has(EV_ADD)) {
                knote.extendWord(change.word);
            }
            Orders.touch(knote, change);
            if (knote.wait != null) {
                knote.wait.share(call);
            }
            if (!change.has(EV_KEEPUDATA) && knote.udata != change.udata) {
                knote.udata = change.udata;
            }
            if (change.has(EV_DISABLE)) {
                queue.activation.activate(call); // enabled again later in this call, it is behind what comes in between
                ready.disable(knote);
            } else if (change.has(EV_ADD | EV_ENABLE)) {
                ready.enable(knote);
            }
            if (ask(call, knote) && (knote.flags & EV_CLEAR) != 0 && knote.hasEdges()) {
                queue.firstLook.need();
            }
            if (change.has(EV_FORCEONESHOT)) {
                queue.activation.activate(call); // what is forced goes on the list at once
                force(knote);
            }
        } finally {
            if (knote.gone) {
                drop(knote);
            } else {
                knote.giveBack();
            }
        }
        return knote;
    }

    private static boolean ask(Call call, KnoteImpl knote) {
        boolean active = !knote.isDisabled() && (knote.filter.event(knote) || knote.isForced());
        if (active) {
            call.activate(knote);
        }
        return active;
    }

    private void force(KnoteImpl knote) {
        knote.flags |= EV_ONESHOT;
        queue.activation.wake(ready.force(knote));
        queue.nesting.tellWatchers();
    }

    /** Removes a knote that is taken. False if its fd had been closed before, so that it was as good as gone. */
    boolean drop(KnoteImpl knote) {
        table.remove(knote);
        ready.kill(knote);
        knote.gone = false;
        try {
            knote.filter.detach(knote);
        } finally {
            knote.gone |= !knote.release();
            table.free(knote);
        }
        return !knote.gone;
    }

    /** What {@link Kqueue#close} does to the knotes of an fd. A single owner finds out for himself. */
    void forgetFd(int fd) {
        if (office.isForeign()) {
            return;
        }
        queue.presence.enter();
        try {
            for (int filter : fdFilters) {
                KnoteImpl knote = queue.isClosed() ? null : table.take(fd, filter);
                if (knote != null) {
                    drop(knote);
                }
            }
        } finally {
            queue.depart();
        }
    }

    /** Removes every knote. */
    void clear() {
        if (table.isEmpty()) {
            return;
        }
        RuntimeException broken = null;
        for (KnoteImpl listed : table.all()) {
            KnoteImpl knote = table.take(listed.ident, listed.filterNumber);
            try {
                if (knote != null) {
                    drop(knote);
                }
            } catch (RuntimeException e) {
                broken = e;
            }
        }
        if (broken != null) {
            throw broken;
        }
    }
}
