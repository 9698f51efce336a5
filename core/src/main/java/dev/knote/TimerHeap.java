package dev.knote;

import java.util.Arrays;

/**
 * The deadlines of a queue: a heap of four children a node, no object and no kernel's help a timer. It knows knotes by
 * their numbers, so that moving them touches none, and none of the collector's marks.
 */
final class TimerHeap {
    private static final int ARITY_BITS = 2;
    private static final long NONE = Long.MAX_VALUE;

    private final SpinLock lock;
    private final KnoteTable table;
    private long[] when = new long[16];
    private int[] who = new int[16];
    /** Where in the heap a knote's number is, and 1 more; 0 if it is not there. */
    private int[] places = new int[64];

    private int size;
    private long sleeperWakesAt = Long.MIN_VALUE;

    /** A clock value that {@link #when} is relative to, so that values compare without overflow. */
    private final long origin = System.nanoTime();

    TimerHeap(boolean shared, KnoteTable table) {
        lock = new SpinLock(shared);
        this.table = table;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Sets the knote's deadline; true if somebody sleeps who has to be woken for it. */
    boolean set(KnoteImpl knote, long nanoTime) {
        long due = nanoTime - origin;
        lock.lock();
        int number = knote.number;
        if (!has(number)) {
            makeRoom(number);
            up(size++, due, number);
        } else {
            move(places[number] - 1, due, number);
        }
        boolean wake = due < sleeperWakesAt;
        if (wake) {
            sleeperWakesAt = due;
        }
        lock.unlock();
        return wake;
    }

    void remove(KnoteImpl knote) {
        int number = knote.number;
        if (!has(number)) {
            return; // only its own filter sets it, and does not run now
        }
        lock.lock();
        if (has(number)) {
            removeAt(places[number] - 1);
        }
        lock.unlock();
    }

    private boolean has(int number) {
        int[] now = places;
        return number < now.length && now[number] != 0;
    }

    private void makeRoom(int number) {
        if (size == when.length) {
            when = Arrays.copyOf(when, 2 * size);
            who = Arrays.copyOf(who, 2 * size);
        }
        if (number >= places.length) {
            places = Arrays.copyOf(places, 2 * Integer.highestOneBit(number));
        }
    }

    /** Activates the knotes whose deadline has passed. */
    void expire(EventQueue queue) {
        if (size == 0) {
            return;
        }
        long now = System.nanoTime() - origin;
        while (true) {
            lock.lock();
            KnoteImpl due = size > 0 && when[0] <= now ? table.get(who[0]) : null;
            if (due != null) {
                removeAt(0);
            }
            lock.unlock();
            if (due == null) {
                return;
            }
            queue.activation.activate(due);
        }
    }

    /** The earliest deadline as a {@link System#nanoTime()}, or, if there is none, null's stand-in Long.MAX_VALUE. */
    long earliest() {
        lock.lock();
        long first = size > 0 ? when[0] + origin : NONE;
        lock.unlock();
        return first;
    }

    /** As {@link #earliest}, of knotes that are not disabled. */
    long earliestEnabled() {
        lock.lock();
        long first = earliestEnabled(0);
        lock.unlock();
        return first == NONE ? NONE : first + origin;
    }

    /** Below a place, and at it: looks no further down than there are disabled ones above. */
    private long earliestEnabled(int at) {
        if (at >= size) {
            return NONE;
        }
        if (!table.get(who[at]).isDisabled()) {
            return when[at];
        }
        long first = NONE;
        for (int i = 0, child = (at << ARITY_BITS) + 1; i < 1 << ARITY_BITS; i++) {
            first = Math.min(first, earliestEnabled(child + i));
        }
        return first;
    }

    /**
     * Somebody is going to sleep, for at most {@code nanos}, negative for ever.
     *
     * @return for how long, with regard to the deadlines: 0 or more, or negative for ever
     */
    long beginSleep(long nanos) {
        lock.lock();
        long sleep = nanos;
        if (size == 0 && nanos < 0) {
            sleeperWakesAt = NONE;
        } else {
            long now = System.nanoTime() - origin;
            if (size > 0) {
                long untilFirst = Math.max(0, when[0] - now);
                sleep = nanos < 0 ? untilFirst : Math.min(nanos, untilFirst);
            }
            sleeperWakesAt = now + sleep;
        }
        lock.unlock();
        return sleep;
    }

    void endSleep() {
        lock.lock();
        sleeperWakesAt = Long.MIN_VALUE;
        lock.unlock();
    }

    private void removeAt(int at) {
        places[who[at]] = 0;
        int last = --size;
        if (at != last) {
            move(at, when[last], who[last]);
        }
    }

    /** Puts a knote in a place that is free, or its own, or where it belongs from there. */
    private void move(int at, long due, int number) {
        if (at > 0 && when[at - 1 >> ARITY_BITS] > due) {
            up(at, due, number);
        } else {
            down(at, due, number);
        }
    }

    private void up(int from, long due, int number) {
        int at = from;
        while (at > 0) {
            int parent = at - 1 >> ARITY_BITS;
            if (when[parent] <= due) {
                break;
            }
            place(at, when[parent], who[parent]);
            at = parent;
        }
        place(at, due, number);
    }

    private void down(int from, long due, int number) {
        int at = from;
        for (int child; (child = (at << ARITY_BITS) + 1) < size;) {
            int end = Math.min(child + (1 << ARITY_BITS), size);
            int least = child;
            for (int i = child + 1; i < end; i++) {
                if (when[i] < when[least]) {
                    least = i;
                }
            }
            if (when[least] >= due) {
                break;
            }
            place(at, when[least], who[least]);
            at = least;
        }
        place(at, due, number);
    }

    private void place(int at, long due, int number) {
        when[at] = due;
        who[at] = number;
        places[number] = at + 1;
    }
}
