package dev.knote.sync;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.words.Words;
import java.util.BitSet;

/**
 * Waits for many words by a queue, where they stay armed from wait to wait, so that a wait costs the same however many
 * they are. An object that wakes for one is left armed by one set in the world, its keeper; another set arms it while it
 * sleeps, and no longer.
 */
final class QueueWait implements AutoCloseable {
    private final Waitable[] members;
    private final Integer[] names;
    private final EventQueue queue = EventQueue.open(Options.defaults().singleOwner());
    private final EventHandler handler = this::fired;
    private final KeventList changes;
    /** Whether an event is there when the wake returns; where a thread has to bring it, a lower one may come later. */
    private final boolean prompt = queue.pollerName().equals("io_uring");
    /** Which may be available; the others were not when they were looked at, and have been armed since. */
    private final BitSet candidates = new BitSet();
    private final BitSet kept = new BitSet();
    /** Those kept whose knote is there. */
    private final BitSet armed = new BitSet();
    /** Those not kept whose knote is there, until the sleep is over. */
    private final BitSet brief = new BitSet();
    private KeventException failure;

    QueueWait(Waitable[] members) {
        this.members = members;
        names = new Integer[members.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = i;
        }
        changes = KeventList.allocate(members.length);
        candidates.set(0, members.length);
    }

    /** The word's expected value is another one. */
    void lookAt(int index) {
        candidates.set(index);
    }

    /** The index of what was taken, or {@link WaitSet#TIMEOUT}. */
    int waitAny(long deadline, long mostNanos) {
        boolean interrupted = false;
        boolean slept = false;
        try {
            for (;;) {
                if (!prompt) {
                    candidates.or(armed);
                }
                int taken = takeFirst(!slept);
                if (taken >= 0 || deadline != Words.NEVER && System.nanoTime() - deadline >= 0) {
                    if (slept) {
                        passOn(taken);
                    }
                    return taken;
                }
                if (arm()) {
                    interrupted |= sleep(deadline, mostNanos);
                    disarm();
                    slept = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** @param collects whether there may be events of lower ones that nobody has asked for yet */
    private int takeFirst(boolean collects) {
        boolean collect = collects;
        for (int i = candidates.nextSetBit(0); i >= 0; i = candidates.nextSetBit(i + 1)) {
            if (collect && members[i].isAvailable()) {
                collect = false;
                collect();
                i = -1;
            } else if (members[i].take()) {
                return i;
            } else if (armed.get(i)) {
                if (members[i].prepare(true) == Waitable.AVAILABLE) {
                    i--;
                } else {
                    candidates.clear(i);
                }
            }
        }
        return WaitSet.TIMEOUT;
    }

    private void collect() {
        while (queue.pollNanos(handler, 0) > 0) {
            check();
        }
    }

    /** Gives the queue every candidate that it does not know; false if one is available by now. */
    private boolean arm() {
        int n = 0;
        for (int i = candidates.nextSetBit(0); i >= 0; i = candidates.nextSetBit(i + 1)) {
            if (!kept.get(i) && members[i].keep()) {
                kept.set(i);
            }
            long value = members[i].prepare(kept.get(i));
            if (value == Waitable.AVAILABLE) {
                return false;
            }
            int flags = kept.get(i) ? EV_ADD : EV_ADD | EV_ONESHOT;
            changes.set(n++, members[i].word, EVFILT_USERMEM, flags, NOTE_USERMEM_INT, value, names[i]);
        }
        if (n > 0) {
            queue.kevent(changes, n, null, 0, null);
            for (int i = candidates.nextSetBit(0); i >= 0; i = candidates.nextSetBit(i + 1)) {
                (kept.get(i) ? armed : brief).set(i);
            }
            candidates.andNot(kept);
        }
        return true;
    }

    /** Until an event, a time, or for no reason. Whether the thread was interrupted, which is then forgotten. */
    private boolean sleep(long deadline, long mostNanos) {
        long until = WaitSet.earlier(deadline, mostNanos);
        long nanos = until == Words.NEVER ? -1 : Math.max(0, until - System.nanoTime());
        int events = queue.pollNanos(handler, nanos);
        check();
        if (events == 0 && mostNanos != Words.NEVER) {
            candidates.or(armed);
        }
        return Thread.interrupted();
    }

    private void disarm() {
        if (brief.isEmpty()) {
            return;
        }
        int n = 0;
        for (int i = brief.nextSetBit(0); i >= 0; i = brief.nextSetBit(i + 1)) {
            changes.set(n++, members[i].word, EVFILT_USERMEM, EV_DELETE, 0, 0, null);
        }
        brief.clear();
        queue.kevent(changes, n, null, 0, null);
    }

    /** A wake may have been counted for those that are not kept. */
    private void passOn(int taken) {
        for (int i = candidates.nextSetBit(0); i >= 0; i = candidates.nextSetBit(i + 1)) {
            if (i != taken && !kept.get(i)) {
                members[i].passOn();
            }
        }
    }

    private void fired(Event event) {
        int index = (Integer) event.attachment();
        candidates.set(index);
        brief.clear(index);
        if (event.isError()) {
            armed.clear(index);
            failure = new KeventException((int) event.data(),
                    "waitAny: the memory at index " + index + " is gone");
        }
    }

    private void check() {
        KeventException failed = failure;
        if (failed != null) {
            failure = null;
            throw failed;
        }
    }

    @Override
    public void close() {
        queue.close();
        for (int i = kept.nextSetBit(0); i >= 0; i = kept.nextSetBit(i + 1)) {
            if (members[i].word.scope().isAlive()) {
                members[i].leave();
            }
        }
    }
}
