package dev.knote;

import dev.knote.linux.Membarrier;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts the threads inside a queue, so that its fds are closed when nobody can use them any more: a number that is
 * used after its close names somebody else's file. Spread, so that threads do not meet on one counter.
 *
 * <p>Who enters counts himself and then looks whether the queue is closed; who closes says so and then looks at the
 * counts. One of the two has to see what the other did, which takes a fence between each one's store and load. The one
 * who closes makes both: {@link #settle} is membarrier(2). So the first thread of each stripe, whose it is as long as it lives,
 * counts in a field of its own by plain stores, and the compiler alone has to be kept from turning them round. Others,
 * and all where membarrier(2) is not to be had, count by atomic additions.
 */
final class Presence {
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int STRIPES = 16;
    /** Longs a stripe: two cache lines, since they are fetched in pairs. */
    private static final int SPACING = 16;
    /** Where in a stripe its thread's id is, or 0; that thread's own count; the count of all others. */
    private static final int OWNER = 0;
    private static final int OWN = 1;
    private static final int OTHERS = 2;

    /** The first stripe keeps off the array's length, which each access reads. */
    private final long[] slots = new long[(1 + STRIPES) * SPACING];
    /** The threads whose the stripes are: one that has ended leaves its stripe to another. */
    private final Thread[] owners = new Thread[STRIPES];
    private final boolean fenceless;

    Presence() {
        this(Membarrier.IS_THERE);
    }

    /** @param fenceless whether {@link #settle} makes the fences of those who enter */
    Presence(boolean fenceless) {
        this.fenceless = fenceless;
    }

    void enter() {
        Thread thread = Thread.currentThread();
        long me = thread.threadId();
        int at = stripe(me);
        if (slots[at + OWNER] == me || fenceless && claim(at, thread)) {
            slots[at + OWN]++;
            VarHandle.releaseFence(); // no instruction, but an order for the compiler
        } else {
            SLOT.getAndAdd(slots, at + OTHERS, 1L);
        }
    }

    void leave() {
        long me = Thread.currentThread().threadId();
        int at = stripe(me);
        if (slots[at + OWNER] == me) {
            SLOT.setRelease(slots, at + OWN, slots[at + OWN] - 1);
        } else {
            SLOT.getAndAdd(slots, at + OTHERS, -1L);
        }
    }

    /** A stripe is its thread's as long as that lives, and not given to one who is inside: all leave as they entered. */
    private boolean claim(int at, Thread me) {
        if ((long) SLOT.getOpaque(slots, at + OTHERS) != 0) {
            return false;
        }
        int stripe = at / SPACING - 1;
        long before = slots[at + OWNER];
        Thread owner = owners[stripe];
        if (before != 0 && (owner == null || owner.threadId() != before || owner.isAlive())) {
            return false;
        }
        if (!SLOT.compareAndSet(slots, at + OWNER, before, me.threadId())) {
            return false;
        }
        owners[stripe] = me;
        return true;
    }

    /** After this, {@link #isAnybody} sees all who have not seen what the caller stored before. */
    void settle() {
        if (fenceless) {
            Membarrier.fenceAll();
        }
    }

    boolean isAnybody() {
        for (int at = SPACING; at < slots.length; at += SPACING) {
            if ((long) SLOT.getVolatile(slots, at + OWN) != 0
                    || (long) SLOT.getVolatile(slots, at + OTHERS) != 0) {
                return true;
            }
        }
        return false;
    }

    private static int stripe(long threadId) {
        return ((int) threadId & STRIPES - 1) * SPACING + SPACING;
    }
}
