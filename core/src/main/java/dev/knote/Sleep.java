package dev.knote;

import dev.knote.poll.PollException;
import dev.knote.poll.Poller;
import java.util.concurrent.locks.LockSupport;

/** How a thread sleeps in a queue until there is reason to look for events. */
final class Sleep {
    private static final long CHECK_WORDS_NANOS = 250_000_000;

    private final EventQueue queue;
    private final ReadyList ready;
    private final Sleepers sleepers;
    private final TimerHeap timers;
    private final Poller poller;
    private final KnoteTable table;
    private final Office office;
    private final Spin spin;
    private volatile long wordsCheckedAt;

    Sleep(EventQueue queue, Spin spin) {
        this.queue = queue;
        this.ready = queue.ready;
        this.sleepers = ready.sleepers();
        this.timers = queue.timers;
        this.poller = queue.poller;
        this.table = queue.table;
        this.office = queue.office;
        this.spin = spin;
    }

    void wokenFromHere() {
        spin.wokenFromHere();
    }

    /** Sleeps until there is reason to look again. False after a wakeup. */
    boolean until(Call call, long nanos) {
        if (queue.isClosed()) {
            throw Refusals.closed();
        }
        if (spin.worthwhile() && spinUntilSomething(call, nanos)) {
            return true;
        }
        if (queue.beacon != null) {
            queue.beacon.update(); // deadlines that were moved, and are no events yet
        }
        spin.fallsAsleep();
        boolean goesOn = queue.shared ? sleepShared(call, nanos) : sleepOwned(call, nanos);
        spin.woke();
        return goesOn;
    }

    private boolean sleepOwned(Call call, long nanos) {
        if (!office.mailbox.beginSleep()) {
            return true;
        }
        if (office.takeWakeup()) {
            office.mailbox.endSleep();
            return false;
        }
        try {
            call.giveWords(queue); // not before: only polling brings them into effect
            long limit = limitForWords(nanos); // puts words whose memory is gone on the list
            boolean empty = ready.looksEmpty() && !queue.isClosed();
            pollAsLeader(empty ? timers.beginSleep(limit) : 0);
        } finally {
            office.mailbox.endSleep();
        }
        timers.expire(queue);
        return true;
    }

    private boolean sleepShared(Call call, long most) {
        call.submitWords(queue);
        long nanos = limitForWords(most);
        Waiter me = call.waiter;
        if (!sleepers.enter(me)) {
            return !sleepers.takeWakeup();
        }
        if (sleepers.isLeader(me)) {
            try {
                pollAsLeader(queue.isClosed() ? 0 : timers.beginSleep(nanos));
                timers.endSleep();
                timers.expire(queue);
            } finally {
                sleepers.endLead();
            }
        } else {
            follow(me, nanos);
        }
        return !me.dismissed;
    }

    private void pollAsLeader(long nanos) {
        queue.interrupts.enter();
        try {
            poll(nanos);
        } finally {
            queue.interrupts.leave();
        }
    }

    private void poll(long nanos) {
        try {
            poller.poll(nanos);
        } catch (PollException e) {
            throw queue.isClosed() ? Refusals.closed()
                    : new KeventException(e.errno(), "kevent: " + e.getMessage());
        }
    }

    private void follow(Waiter me, long nanos) {
        long deadline = nanos < 0 ? 0 : System.nanoTime() + nanos;
        while (!me.signalled && !queue.isClosed() && !Thread.currentThread().isInterrupted()) {
            if (nanos < 0) {
                LockSupport.park(this);
                continue;
            }
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            LockSupport.parkNanos(this, left);
        }
        sleepers.endFollow(me);
    }

    /** Looks without waiting at what the poller has, unless somebody is doing that. False if there is nothing to look at. */
    boolean harvest(Call call) {
        if (poller.isIdle() || poller.hasEdges()) { // those come first, and are no more than one look has found
            return false;
        }
        if (!queue.shared) {
            poll(0);
        } else if (sleepers.tryLead(call.waiter)) {
            try {
                poll(0);
            } finally {
                sleepers.endLead();
            }
        }
        return true;
    }

    /** For a queue that watches this one. */
    void harvest() {
        queue.presence.enter();
        Call call = Call.begin();
        try {
            if (!queue.isClosed()) {
                boolean ignored = harvest(call);
                timers.expire(queue);
                queue.activation.wake(sleepers.leave()); // who came while this thread had the lead waits for it
            }
        } finally {
            queue.leave(call);
        }
    }

    private boolean spinUntilSomething(Call call, long nanos) {
        spin.begin(nanos);
        boolean found = false;
        boolean wakeup = false;
        do {
            found = looked(call);
            wakeup = queue.isClosed()
                    || (queue.shared ? sleepers.isWakeupPending() : office.isWakeupRequested());
        } while (!found && !wakeup && spin.goesOn());
        spin.end(found || wakeup);
        return found;
    }

    /** fds cost a system call to look at: often as long as it was they who ended the spinning, else now and then. */
    private boolean looked(Call call) {
        if (!ready.looksEmpty() || !office.mailbox.isEmpty() || peekWords(call)
                || poller.hasCompletions() && harvested(call)) {
            spin.fdsPay(false);
            return true;
        }
        if (spin.isTimeForFds() && poller.hasSilentFds() && harvested(call)) {
            spin.fdsPay(true);
            return true;
        }
        return false;
    }

    /** That there are completions may be a flag left over by the kernel: no reason to stop looking. */
    private boolean harvested(Call call) {
        boolean ignored = harvest(call);
        return !ready.looksEmpty() || poller.hasEdges();
    }

    private static boolean peekWords(Call call) {
        for (int i = 0; i < call.deferredCount; i++) {
            if (call.deferred[i].endIfDiffers()) {
                return true;
            }
        }
        return false;
    }

    /** Memory can go while nobody wakes its words any more: while some are watched, they are looked at now and then. */
    private long limitForWords(long nanos) {
        if (!queue.watchesWords) {
            return nanos;
        }
        if (!queue.shared && poller.remind(CHECK_WORDS_NANOS)) {
            if (poller.takeReminder()) {
                checkWords();
            }
            return nanos;
        }
        long now = System.nanoTime();
        if (now - wordsCheckedAt >= CHECK_WORDS_NANOS) {
            wordsCheckedAt = now;
            checkWords();
        }
        return nanos < 0 ? CHECK_WORDS_NANOS : Math.min(nanos, CHECK_WORDS_NANOS);
    }

    private void checkWords() {
        for (KnoteImpl knote : table.all()) {
            if (knote.wait != null && knote.wait.isWaiting()) {
                knote.wait.checkMemory();
            }
        }
    }
}
