package dev.knote;

/**
 * A part of {@link ReadyList}: knotes in the order in which they were put on it. All but {@link #looksEmpty} and
 * {@link #size} is used under its lock.
 */
final class ReadyStripe {
    final SpinLock lock;
    private KnoteImpl head;
    private KnoteImpl tail;
    private int size;
    private boolean served;

    /** Keeps the stripes off each other's cache lines. */
    @SuppressWarnings("unused")
    private long pad1, pad2, pad3, pad4, pad5, pad6, pad7, pad8, pad9, pad10, pad11, pad12, pad13, pad14;

    ReadyStripe(boolean shared) {
        lock = new SpinLock(shared);
    }

    /** As of a moment ago; exact only under the lock. */
    boolean looksEmpty() {
        return head == null;
    }

    int size() {
        return size;
    }

    /** Whether a thread that puts its own knotes here has taken from it, since {@link #askWhetherServed}. */
    boolean isServed() {
        return served;
    }

    /** Whether it is served; if it is not served again until this is asked again, the answer will be no. */
    boolean askWhetherServed() {
        boolean was = served;
        if (was) {
            served = false;
        }
        return was;
    }

    /** Takes the first knotes off that the scan {@code scan} has not seen yet: at most {@code most}. */
    int pop(long scan, KnoteImpl[] into, int most, boolean byItsOwn) {
        int n = 0;
        lock.lock();
        if (byItsOwn && !served) {
            served = true;
        }
        KnoteImpl knote = head;
        for (KnoteImpl next; knote != null && n < most && knote.scan != scan; knote = next) {
            next = knote.readyNext;
            take(knote, scan);
            into[n++] = knote;
        }
        if (n > 0) {
            behead(knote, n);
        }
        for (KnoteImpl next; knote != null && n < most; knote = next) { // behind knotes that the scan has seen
            next = knote.readyNext;
            if (knote.scan != scan) {
                unlink(knote);
                knote.scan = scan;
                into[n++] = knote;
            }
        }
        lock.unlock();
        return n;
    }

    private static void take(KnoteImpl knote, long scan) {
        knote.status &= ~ReadyList.QUEUED;
        knote.scan = scan;
        knote.readyPrevious = null;
        knote.readyNext = null;
    }

    /** The first {@code n} have been taken: stores of references are few, since each one marks a card of the heap. */
    private void behead(KnoteImpl first, int n) {
        head = first;
        if (first == null) {
            tail = null;
        } else {
            first.readyPrevious = null;
        }
        size -= n;
    }

    /** Whether the knote, which belongs here, may be put on the list: if it is wanted and not on it. */
    static boolean isWanted(KnoteImpl knote) {
        return (knote.status & (ReadyList.DEAD | ReadyList.QUEUED | ReadyList.DISABLED)) == 0;
    }

    void append(KnoteImpl knote) {
        knote.status |= ReadyList.QUEUED;
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

    /** Takes the knote off, if it is on the list. */
    void remove(KnoteImpl knote) {
        if ((knote.status & ReadyList.QUEUED) != 0) {
            unlink(knote);
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
        knote.status &= ~ReadyList.QUEUED;
        size--;
    }
}
