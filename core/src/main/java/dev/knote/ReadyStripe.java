package dev.knote;

/**
 * A part of {@link ReadyList}: knotes in the order in which they were put on it. They stand in a ring, each knows its
 * place, and one that is taken from among the others leaves a hole. All but {@link #looksEmpty} and {@link #size} is used
 * under its lock.
 *
 * <p>The ring has the knotes' numbers, see {@link KnoteTable}: no reference is stored to put one on the list, nor to
 * take it off. A knote is off it before its number is freed.
 */
final class ReadyStripe extends Padded {
    private static final int SMALLEST = 16;
    /** Of the ring, in front and behind, where nothing stands: other threads' lists may lie there. */
    private static final int MARGIN = 16;

    final SpinLock lock;
    /** Which of the list's stripes it is. */
    final int index;
    private final KnoteTable table;
    /** Between its margins a power of two long; 0 is a hole. */
    private int[] ring = new int[SMALLEST + 2 * MARGIN];
    /** Places count on for ever, and wrap around; the first that is in use, if any is. */
    private int head;
    /** The next to be used. */
    private int tail;
    private int size;

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
    int pop(long scan, int[] into, int most) {
        int n = 0;
        lock.lock();
        int[] places = ring;
        int end = tail;
        for (int at = head; at != end && n < most; at++) {
            int number = places[place(places, at)];
            KnoteImpl knote = table.get(number);
            if (knote != null && knote.scan != scan) {
                places[place(places, at)] = 0;
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
        if (at - head == length(ring)) {
            at = makeRoom();
        }
        knote.status |= ReadyList.QUEUED;
        knote.place = at;
        ring[place(ring, at)] = knote.number;
        tail = at + 1;
        size++;
    }

    /** Takes the knote off, if it is on the list. */
    void remove(KnoteImpl knote) {
        if ((knote.status & ReadyList.QUEUED) != 0) {
            ring[place(ring, knote.place)] = 0;
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
        for (int[] places = ring; places[place(places, at)] == 0;) {
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
        int length = length(old);
        int[] places = size > length / 2 ? new int[2 * length + 2 * MARGIN] : old;
        int to = head;
        for (int from = head; from != tail; from++) {
            int number = old[place(old, from)];
            old[place(old, from)] = 0;
            if (number != 0) {
                table.get(number).place = to;
                places[place(places, to++)] = number;
            }
        }
        ring = places;
        tail = to;
        return to;
    }

    private static int length(int[] ring) {
        return ring.length - 2 * MARGIN;
    }

    private static int place(int[] ring, int at) {
        return MARGIN + (at & length(ring) - 1);
    }
}
