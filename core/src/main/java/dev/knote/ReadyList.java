package dev.knote;

/**
 * The knotes that may have an event, in the order in which they became so, and the threads that wait for one. One lock
 * guards both, so that nobody goes to sleep beside an event; it is held for a list insertion and never while
 * anything else runs.
 *
 * <p>At most one of the waiting threads, the leader, sleeps in the poller; the others sleep in {@link Waiter}s and take
 * the lead when it leaves. Where a method returns a Waiter, the caller wakes it, after the lock.
 */
final class ReadyList {
    /** Status bits of a knote: it may have an event. */
    static final int ACTIVE = 1;
    /** It is on the list. */
    static final int QUEUED = 2;
    /** The user does not want events of it. */
    static final int DISABLED = 4;
    /** It has been removed from the queue. */
    static final int DEAD = 8;
    /** EV_FORCEONESHOT: its event is not asked for. */
    static final int FORCED = 16;

    private final SpinLock lock;
    private KnoteImpl head;
    private KnoteImpl tail;
    private int size;
    private Waiter followers;
    private Waiter leader;
    private boolean leaderSignalled;
    private boolean wakeupPending;

    ReadyList(boolean shared) {
        lock = new SpinLock(shared);
    }

    /** As of a moment ago; exact only under the lock. */
    boolean looksEmpty() {
        return head == null;
    }

    int size() {
        return size;
    }

    /** The knote may have an event. Returns who is to be woken for it, or null. */
    Waiter activate(KnoteImpl knote) {
        lock.lock();
        Waiter woken = insert(knote) ? pickSleeper() : null;
        lock.unlock();
        return woken;
    }

    /** As {@link #activate}, for the first {@code n}; returns how many are to be woken, in {@code woken}. */
    int activate(KnoteImpl[] knotes, int n, Waiter[] woken) {
        int count = 0;
        lock.lock();
        for (int i = 0; i < n; i++) {
            Waiter waiter = insert(knotes[i]) ? pickSleeper() : null;
            if (waiter != null) {
                woken[count++] = waiter;
            }
        }
        lock.unlock();
        return count;
    }

    /** Whether the knote was put on the list. */
    private boolean insert(KnoteImpl knote) {
        int status = knote.status;
        boolean absent = (status & (DEAD | QUEUED | DISABLED)) == 0;
        knote.status = absent ? status | ACTIVE | QUEUED : status | ACTIVE;
        if (absent) {
            append(knote);
        }
        return absent;
    }

    /** EV_FORCEONESHOT. */
    Waiter force(KnoteImpl knote) {
        lock.lock();
        knote.status |= FORCED;
        lock.unlock();
        return activate(knote);
    }

    /**
     * Takes the first knotes that the scan {@code scan} has not seen yet off the list: at most {@code most}. They are
     * not taken for the caller yet, who has to ask each whether it is still alive and enabled then.
     *
     * @return how many there are in {@code into}
     */
    int pop(long scan, KnoteImpl[] into, int most) {
        if (head == null) {
            return 0;
        }
        int n = 0;
        lock.lock();
        for (KnoteImpl knote = head, next; knote != null && n < most; knote = next) {
            next = knote.readyNext;
            if (knote.scan != scan) {
                unlink(knote);
                knote.status &= ~(QUEUED | ACTIVE);
                knote.scan = scan;
                into[n++] = knote;
            }
        }
        lock.unlock();
        return n;
    }

    /** Whether the knote, which the caller has taken, was to be delivered without being asked; it is no longer. */
    boolean takeForce(KnoteImpl knote) {
        if ((knote.status & FORCED) == 0) {
            return false;
        }
        lock.lock();
        knote.status &= ~FORCED;
        lock.unlock();
        return true;
    }

    /** Puts a level-triggered knote back behind the others. Nobody is woken, see {@link #afterWait}. */
    void requeue(KnoteImpl knote) {
        lock.lock();
        if ((knote.status & (DEAD | DISABLED | QUEUED)) == 0) {
            append(knote);
            knote.status |= QUEUED;
        }
        knote.status |= ACTIVE;
        lock.unlock();
    }

    void enable(KnoteImpl knote) {
        lock.lock();
        knote.status &= ~DISABLED;
        lock.unlock();
    }

    void disable(KnoteImpl knote) {
        lock.lock();
        dequeue(knote);
        knote.status |= DISABLED;
        lock.unlock();
    }

    void kill(KnoteImpl knote) {
        lock.lock();
        dequeue(knote);
        knote.status = DEAD;
        lock.unlock();
    }

    /** Somebody wants to sleep: false if there is a reason not to; else he is the leader or a follower now. */
    boolean beginWait(Waiter waiter) {
        lock.lock();
        boolean sleep = head == null && !wakeupPending;
        if (sleep) {
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
        lock.unlock();
        return sleep;
    }

    boolean isLeader(Waiter waiter) {
        return leader == waiter;
    }

    void endLead() {
        lock.lock();
        leader = null;
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
        }
        lock.unlock();
    }

    /** A thread leaves the queue: who takes the lead, or what it leaves on the list? */
    Waiter afterWait() {
        if (followers == null && leader == null) {
            return null;
        }
        lock.lock();
        Waiter woken = followers != null && leader == null || head != null ? pickSleeper() : null;
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
        Waiter woken = pickSleeper();
        if (woken == null) {
            wakeupPending = true;
        } else {
            woken.dismissed = true;
        }
        lock.unlock();
        return woken;
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
    Waiter takeAnyWaiter() {
        lock.lock();
        Waiter waiter = pickSleeper();
        lock.unlock();
        return waiter;
    }

    private Waiter pickSleeper() {
        if (leader != null && leader.thread == Thread.currentThread()) {
            return null; // he is polling: what he leaves on the list wakes others as he leaves
        }
        Waiter follower = followers;
        if (follower != null) {
            followers = follower.next;
            follower.next = null;
            follower.signalled = true;
            return follower;
        }
        if (leader != null && !leaderSignalled) {
            leaderSignalled = true;
            return leader;
        }
        return null;
    }

    private void append(KnoteImpl knote) {
        knote.readyPrevious = tail;
        knote.readyNext = null;
        if (tail == null) {
            head = knote;
        } else {
            tail.readyNext = knote;
        }
        tail = knote;
        size++;
    }

    private void dequeue(KnoteImpl knote) {
        if ((knote.status & QUEUED) != 0) {
            unlink(knote);
            knote.status &= ~QUEUED;
        }
    }

    private void unlink(KnoteImpl knote) {
        KnoteImpl before = knote.readyPrevious;
        KnoteImpl after = knote.readyNext;
        if (before == null) {
            head = after;
        } else {
            before.readyNext = after;
        }
        if (after == null) {
            tail = before;
        } else {
            after.readyPrevious = before;
        }
        knote.readyPrevious = null;
        knote.readyNext = null;
        size--;
    }
}
