package dev.knote;

import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;

import dev.knote.linux.Errno;
import java.util.ArrayDeque;

/**
 * The single owner of a queue, and what others ask of him. A queue for several threads has nobody here, and no mail.
 */
final class Office {
    static final int ORDER_ACTIVATE = 1;
    static final int ORDER_TRIGGER = 2;

    final Mailbox mailbox = new Mailbox();
    private final EventQueue queue;
    private final boolean shared;
    private final ArrayDeque<Kevent> failedPosts = new ArrayDeque<>();
    private volatile Thread owner;
    private volatile boolean wakeupRequested;

    Office(EventQueue queue, boolean shared) {
        this.queue = queue;
        this.shared = shared;
    }

    /** Who uses the queue first owns it. */
    void claim() {
        if (owner == null) {
            synchronized (this) {
                if (owner == null) {
                    owner = Thread.currentThread();
                }
            }
        }
    }

    /** Another thread owns the queue from now on; {@code bound} says that this is impossible. */
    void takeOver(boolean bound) {
        Thread me = Thread.currentThread();
        synchronized (this) {
            if (owner != me && bound) {
                throw new KeventException(
                        Errno.EBUSY,
                        "takeOver: words wait in a ring that obeys thread " + owner.getName() + " alone");
            }
            owner = me;
        }
    }

    void requestWakeup() {
        wakeupRequested = true;
        if (mailbox.wakes()) {
            queue.activation.wakePoller();
        }
    }

    /** Whether a wakeup waits for its answer. */
    boolean isWakeupRequested() {
        return wakeupRequested;
    }

    /** Whether a wakeup was requested; it is answered by this. */
    boolean takeWakeup() {
        boolean requested = wakeupRequested;
        if (requested) { // or else one that comes now would be forgotten, and not answered
            wakeupRequested = false;
        }
        return requested;
    }

    /** A call returns: that answers a wakeup. */
    void forgetWakeup() {
        if (wakeupRequested) {
            wakeupRequested = false;
        }
    }

    boolean isForeign() {
        return !shared && owner != Thread.currentThread();
    }

    void checkOwner() {
        if (isForeign()) {
            throw new KeventException(
                    Errno.EPERM,
                    "kevent: the queue belongs to thread " + owner.getName() + ", which alone may wait");
        }
    }

    void post(Kevent change, KnoteImpl knote) {
        if (mailbox.put(new Post(change, knote))) {
            queue.activation.wakePoller();
        }
        queue.nesting.tellWatchers();
    }

    void order(KnoteImpl knote, int order) {
        if (knote.order(order)) {
            if (mailbox.put(knote)) {
                queue.activation.wakePoller();
            }
            queue.nesting.tellWatchers();
        }
    }

    /** Whether the owner has something to do, or to hear. */
    boolean hasMail() {
        return !mailbox.isEmpty() || !failedPosts.isEmpty();
    }

    /** What another thread asked for, and could not be done, is an event of the owner's. */
    int takeFailed(KeventList events, int from, int max) {
        int n = from;
        while (n < max && !failedPosts.isEmpty()) {
            events.write(n++, failedPosts.removeFirst());
        }
        return n;
    }

    void read(Call call) {
        if (shared) {
            return;
        }
        RuntimeException broken = null;
        Mail mail = mailbox.takeAll();
        while (mail != null) {
            Mail next = mail.nextMail;
            mail.nextMail = null;
            try {
                if (mail instanceof Post post) {
                    applyPost(call, post);
                } else {
                    KnoteImpl knote = (KnoteImpl) mail;
                    obey(knote, knote.takeOrders());
                }
            } catch (RuntimeException e) {
                broken = e; // what is behind it is still done
            }
            mail = next;
        }
        if (broken != null) {
            throw broken;
        }
    }

    private void applyPost(Call call, Post post) {
        try {
            if (post.knote == null) {
                queue.changes.change(call, post.change());
            } else if (!post.knote.isDead()) {
                queue.changes.change(call, post.change(), post.knote);
            } else if (!post.change().has(EV_DELETE)) {
                throw Refusals.missing(post.change(), post.knote.filter);
            }
        } catch (KeventException e) {
            failed(post.change(), e);
        }
    }

    private void failed(Kevent change, KeventException why) {
        change.flags = EV_ERROR;
        change.data = why.errno();
        failedPosts.add(change);
    }

    private void obey(KnoteImpl knote, int orders) {
        if ((orders & ORDER_ACTIVATE) != 0) {
            queue.activation.activate(knote);
        }
        if ((orders & ORDER_TRIGGER) != 0 && !knote.isDead()) {
            try {
                queue.orders.trigger(knote);
            } catch (KeventException e) {
                Kevent trigger = new Kevent();
                trigger.fill(knote.ident, knote.filterNumber, 0, Kqueue.NOTE_TRIGGER);
                trigger.udata = knote.udata;
                failed(trigger, e);
            }
        }
    }
}
