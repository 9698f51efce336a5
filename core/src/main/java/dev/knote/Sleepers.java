package dev.knote;

/**
 * The threads that wait for an event. At most one, the leader, sleeps in the poller; the others sleep in
 * {@link Waiter}s and take the lead when it leaves. Where a method returns a Waiter, the caller wakes it.
 *
 * <p>No wakeup is lost: a thread that goes to sleep sets {@link #asleep} and then locks each stripe of the list to look
 * whether it is empty; a thread that has put a knote on a stripe has had that stripe's lock before it looks at
 * {@link #asleep}. One of the two comes second, and sees what the other did.
 */
final class Sleepers {
    private final SpinLock lock;
    private final ReadyList ready;
    private Waiter followers;
    private Waiter leader;
    private boolean leaderSignalled;
    /** Written under the lock; who spins looks without. */
    private volatile boolean wakeupPending;

    /** Whether there is somebody to be picked; written under the lock. */
    private volatile boolean asleep;

    Sleepers(boolean shared, ReadyList ready) {
        lock = new SpinLock(shared);
        this.ready = ready;
    }

    /** Somebody wants to sleep: false if there is a reason not to; else he is the leader or a follower now. */
    boolean enter(Waiter waiter) {
        lock.lock();
        boolean sleep = !wakeupPending && ready.looksEmpty();
        if (sleep) {
            asleep = true; // before the stripes are looked at; who sees it waits for this lock
            sleep = ready.isEmpty();
        }
        if (sleep) {
            list(waiter);
        } else {
            noteAsleep();
        }
        lock.unlock();
        return sleep;
    }

    private void list(Waiter waiter) {
        waiter.signalled = false;
        waiter.dismissed = false;
        if (leader == null) {
            leader = waiter;
            leaderSignalled = false;
        } else {
            waiter.next = followers;
            followers = waiter;
        }
    }

    /** Whether somebody sleeps, or is deciding whether to. */
    boolean isAnybodyAsleep() {
        return asleep;
    }

    boolean isLeader(Waiter waiter) {
        return leader == waiter;
    }

    void endLead() {
        lock.lock();
        leader = null;
        noteAsleep();
        lock.unlock();
    }

    /** A follower woke up by himself: takes him off the list, if nobody has. */
    void endFollow(Waiter waiter) {
        lock.lock();
        if (!waiter.signalled) {
            Waiter before = null;
            Waiter at = followers;
            while (at != waiter) {
                before = at;
                at = at.next;
            }
            if (before == null) {
                followers = waiter.next;
            } else {
                before.next = waiter.next;
            }
            waiter.next = null;
            noteAsleep();
        }
        lock.unlock();
    }

    /** A thread leaves the queue: who takes the lead, or what it leaves on the list? */
    Waiter leave() {
        if (!asleep) {
            return null;
        }
        boolean left = !ready.looksEmpty();
        lock.lock();
        Waiter woken = followers != null && leader == null || left ? pickOne() : null;
        lock.unlock();
        return woken;
    }

    /** Whoever tries to lead without sleeping: false if somebody leads. */
    boolean tryLead(Waiter waiter) {
        if (leader != null) {
            return false;
        }
        lock.lock();
        boolean lead = leader == null;
        if (lead) {
            leader = waiter;
            leaderSignalled = true; // he does not sleep
        }
        lock.unlock();
        return lead;
    }

    /** The next to wait, or one who waits, is to return. */
    Waiter requestWakeup() {
        lock.lock();
        Waiter woken = pickOne();
        if (woken == null) {
            wakeupPending = true;
        } else {
            woken.dismissed = true;
        }
        lock.unlock();
        return woken;
    }

    /** Whether a wakeup waits for its answer, which nobody who sleeps has given. */
    boolean isWakeupPending() {
        return wakeupPending;
    }

    /** Whether a wakeup was requested; it is answered by this. */
    boolean takeWakeup() {
        if (!wakeupPending) {
            return false;
        }
        lock.lock();
        boolean pending = wakeupPending;
        wakeupPending = false;
        lock.unlock();
        return pending;
    }

    /** A call returns: that answers a wakeup. */
    void forgetWakeup() {
        if (wakeupPending) {
            boolean ignored = takeWakeup();
        }
    }

    /** One of those who wait, or null when all have been taken. */
    Waiter takeAny() {
        lock.lock();
        Waiter waiter = pickOne();
        lock.unlock();
        return waiter;
    }

    /** Who is to be woken for a knote that was put on the list, or null. */
    Waiter pick() {
        if (!asleep || isLedByMe()) {
            return null;
        }
        return takeAny();
    }

    /** As {@link #pick()}, for several knotes: how many are to be woken. */
    int pick(Waiter[] woken, int most) {
        if (!asleep || isLedByMe()) {
            return 0;
        }
        int n = 0;
        lock.lock();
        for (Waiter waiter; n < most && (waiter = pickOne()) != null;) {
            woken[n++] = waiter;
        }
        lock.unlock();
        return n;
    }

    private Waiter pickOne() {
        if (isLedByMe()) {
            return null;
        }
        Waiter picked = null;
        if (followers != null) {
            picked = followers;
            followers = picked.next;
            picked.next = null;
            picked.signalled = true;
        } else if (leader != null && !leaderSignalled) {
            leaderSignalled = true;
            picked = leader;
        }
        noteAsleep();
        return picked;
    }

    /** The caller is polling: what he leaves on the list wakes others as he leaves. Only he can change that. */
    private boolean isLedByMe() {
        Waiter leads = leader;
        return leads != null && leads.thread == Thread.currentThread();
    }

    private void noteAsleep() {
        boolean now = followers != null || leader != null && !leaderSignalled;
        if (asleep != now) {
            asleep = now;
        }
    }
}
