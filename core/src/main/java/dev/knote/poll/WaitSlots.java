package dev.knote.poll;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The waits that a ring has, by the number that stands in their user data. A slot is used again with another generation,
 * so that a completion is never taken for another wait's. Used under the ring's lock.
 */
final class WaitSlots {
    private static final int FIRST = 64;

    private WordWait[] waits = new WordWait[FIRST];
    private int[] freeSlots = new int[FIRST];
    private int free;

    WaitSlots() {
        addFree(0, FIRST);
    }

    int size() {
        return waits.length;
    }

    WordWait get(int slot) {
        return waits[slot];
    }

    /** Gives the wait a slot, and the user data by which {@link #take} finds it. */
    long put(WordWait wait) {
        if (free == 0) {
            grow();
        }
        int slot = freeSlots[--free];
        waits[slot] = wait;
        wait.slot = slot;
        wait.generation++;
        return userData(wait);
    }

    /** Puts another in the place of {@code wait}, for what is under way by its user data. */
    void replace(WordWait wait, WordWait other) {
        waits[wait.slot] = other;
    }

    /** The wait that a completion is of, which leaves its slot. */
    WordWait take(long userData) {
        int slot = (int) userData;
        WordWait wait = waits[slot];
        if (wait == null || wait.generation != (int) (userData >>> 32)) {
            throw new AssertionError("a completion of no wait: " + userData);
        }
        waits[slot] = null;
        freeSlots[free++] = slot;
        return wait;
    }

    List<WordWait> armed() {
        return Arrays.stream(waits).filter(Objects::nonNull).filter(WordWait::isArmed).toList();
    }

    static long userData(WordWait wait) {
        return (long) wait.generation << 32 | wait.slot & 0xffffffffL;
    }

    private void grow() {
        int size = waits.length;
        waits = Arrays.copyOf(waits, 2 * size);
        freeSlots = Arrays.copyOf(freeSlots, 2 * size);
        addFree(size, 2 * size);
    }

    private void addFree(int from, int to) {
        for (int slot = to; slot-- > from;) {
            freeSlots[free++] = slot;
        }
    }
}
