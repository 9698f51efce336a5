package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What other threads ask of the single owner of a queue: put in by anybody, taken out by the owner, in the order in
 * which it was put in. Lock-free. It also knows whether the owner sleeps, so that only the first to post to a
 * sleeping owner has to wake him, and none to an awake one.
 */
final class Mailbox {
    private static final VarHandle HEAD;
    private static final VarHandle SLEEPING;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(Mailbox.class, "head", Mail.class);
            SLEEPING = MethodHandles.lookup().findVarHandle(Mailbox.class, "sleeping", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // by HEAD
    private Mail head;

    @SuppressWarnings("unused") // by SLEEPING
    private int sleeping;

    /** Puts mail in that is not in; true if the owner has to be woken, by this caller. */
    boolean put(Mail mail) {
        Mail first;
        do {
            first = (Mail) HEAD.getVolatile(this);
            mail.nextMail = first;
        } while (!HEAD.compareAndSet(this, first, mail));
        return wakes();
    }

    /** Whether the owner sleeps and has not been woken; if so it is for this caller to do it. */
    boolean wakes() {
        return (int) SLEEPING.getVolatile(this) == 1 && SLEEPING.compareAndSet(this, 1, 0);
    }

    boolean isEmpty() {
        return (Mail) HEAD.getVolatile(this) == null;
    }

    /** Takes all that is in: the oldest, linked by {@link Mail#nextMail}. */
    Mail takeAll() {
        if (isEmpty()) {
            return null;
        }
        Mail newest = (Mail) HEAD.getAndSet(this, null);
        Mail oldest = null;
        while (newest != null) {
            Mail next = newest.nextMail;
            newest.nextMail = oldest;
            oldest = newest;
            newest = next;
        }
        return oldest;
    }

    /** The owner is going to sleep; false if there is mail, or was a wakeup. */
    boolean beginSleep() {
        SLEEPING.setVolatile(this, 1);
        if (isEmpty()) {
            return true;
        }
        endSleep();
        return false;
    }

    void endSleep() {
        SLEEPING.setVolatile(this, 0);
    }
}
