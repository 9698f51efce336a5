package dev.knote;

/**
 * A part of {@link ReadyList}: knotes in the order in which they were put on it. They stand in a ring, each knows its
 * place, and one that is taken from among the others leaves a hole. All but {@link #looksEmpty} and {@link #size} is used
 * under its lock.
 *
 * <p>The ring has the knotes' numbers, see {@link KnoteTable}: no reference is stored to put one on the list, nor to
 * take it off. A knote is off it before its number is freed.
 */
final class ReadyStripe extends Served {
    private static final int SMALLEST = 16;

    final SpinLock lock;
    /** Which of the list's stripes it is. */
    final int index;
    private final KnoteTable table;
    /** A power of two long; 0 is a hole. */
    private int[] ring = new int[SMALLEST];
    /** Places count on for ever, and wrap around; the first that is in use, if any is. */
    private int head;
    /** The next to be used. */
    private int tail;
    private int size;

    /** Keeps the stripes off each other's cache lines, and their state off what others look at, {@link Served}. */
    @SuppressWarnings("unused")
    private long pad1, pad2, pad3, pad4, pad5, pad6, pad7, pad8, pad9, pad10, pad11, pad12, pad13, pad14;

    ReadyStripe(boolean shared, int index, KnoteTable table) {
        lock = new SpinLock(shared);
        this.index = index;
        this.table = table;
    }

    /** As of a moment ago; exact only under the lock. */
    boolean looksEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Takes the first knotes off that the scan {@code scan} has not seen yet: at most {@code most}. */
    int pop(long scan, int[] into, int most, boolean byItsOwn) {
        int n = 0;
        lock.lock();
        if (byItsOwn) {
            serve();
        }
        int[] places = ring;
        int end = tail;
        for (int at = head; at != end && n < most; at++) {
            int number = places[at & places.length - 1];
            KnoteImpl knote = table.get(number);
            if (knote != null && knote.scan != scan) {
                places[at & places.length - 1] = 0;
                knote.status &= ~ReadyList.QUEUED;
                knote.scan = scan;
                into[n++] = number;
            }
        }
        size -= n;
        skipHoles();
        lock.unlock();
        return n;
    }

    /** Whether the knote, which belongs here, may be put on the list: if it is wanted and not on it. */
    static boolean isWanted(KnoteImpl knote) {
        return (knote.status & (ReadyList.DEAD | ReadyList.QUEUED | ReadyList.DISABLED)) == 0;
    }

    void append(KnoteImpl knote) {
        int at = tail;
        if (at - head == ring.length) {
            at = makeRoom();
        }
        knote.status |= ReadyList.QUEUED;
        knote.place = at;
        ring[at & ring.length - 1] = knote.number;
        tail = at + 1;
        size++;
    }

    /** Takes the knote off, if it is on the list. */
    void remove(KnoteImpl knote) {
        if ((knote.status & ReadyList.QUEUED) != 0) {
            ring[knote.place & ring.length - 1] = 0;
            knote.status &= ~ReadyList.QUEUED;
            size--;
            skipHoles();
        }
    }

    private void skipHoles() {
        if (size == 0) {
            head = tail;
            return;
        }
        int at = head;
        for (int[] places = ring; places[at & places.length - 1] == 0;) {
            at++;
        }
        head = at;
    }

    /**
     * Closes the holes, and doubles the ring if they were few: so each knote is moved a bounded number of times. Returns
     * the next place to be used.
     */
    private int makeRoom() {
        int[] old = ring;
        int[] places = size > old.length / 2 ? new int[2 * old.length] : old;
        int to = head;
        for (int from = head; from != tail; from++) {
            int number = old[from & old.length - 1];
            old[from & old.length - 1] = 0;
            if (number != 0) {
                table.get(number).place = to;
                places[to++ & places.length - 1] = number;
            }
        }
        ring = places;
        tail = to;
        return to;
    }
}

/** Whether a stripe is served by its own threads: on a line of its own, as others look at it and it seldom changes. */
abstract class Served {
    private boolean served;

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

    /** Somebody whose stripe it is takes from it. */
    void serve() {
        if (!served) {
            served = true;
        }
    }
}
