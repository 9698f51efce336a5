package dev.knote.explore;

import java.util.Arrays;

/** The decisions of a run, and the next run that differs in the last decision that can. */
final class Path {
    private int[] taken = new int[64];
    private int[] of = new int[64];
    private int length;
    private int at;

    void restart() {
        at = 0;
    }

    int decide(int alternatives) {
        if (at == length) {
            if (length == taken.length) {
                taken = Arrays.copyOf(taken, 2 * length);
                of = Arrays.copyOf(of, 2 * length);
            }
            taken[length] = 0;
            of[length++] = alternatives;
        } else if (of[at] != alternatives) {
            throw new IllegalStateException(
                    "a run is not repeated: decision " + at + " had " + of[at] + " ways, and has "
                            + alternatives);
        }
        return taken[at++];
    }

    /** False if there is no other run. */
    boolean next() {
        while (length > 0 && taken[length - 1] + 1 == of[length - 1]) {
            length--;
        }
        if (length == 0) {
            return false;
        }
        taken[length - 1]++;
        return true;
    }
}
