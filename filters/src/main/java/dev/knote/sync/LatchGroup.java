package dev.knote.sync;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.NOTE_TRIGGER;

import dev.knote.Kqueue;
import dev.knote.KeventList;
import java.util.List;
import java.util.Objects;

/**
 * Latches that are set together, with one call for all of their owners that sleep, and none if no one does. One thread
 * at a time.
 */
public final class LatchGroup {
    private final Latch[] latches;
    private final KeventList wakes;

    /** Those latches, in this order; IllegalArgumentException if there is none. */
    public LatchGroup(List<Latch> latches) {
        Objects.requireNonNull(latches, "LatchGroup: latches is null");
        this.latches = latches.toArray(new Latch[0]);
        if (this.latches.length == 0) {
            throw new IllegalArgumentException("LatchGroup: latches is empty: expected one or more");
        }
        for (int i = 0; i < this.latches.length; i++) {
            Objects.requireNonNull(this.latches[i], "LatchGroup: one of latches is null");
        }
        wakes = KeventList.allocate(this.latches.length);
    }

    /**
     * Sets all of them, then wakes.
     *
     * @return how many had to be woken
     */
    public int set() {
        int n = 0;
        for (Latch latch : latches) {
            if (latch.setOnly()) {
                wakes.set(n++, latch.word(), EVFILT_USERMEM, Kqueue.EV_ANON, NOTE_TRIGGER, Integer.MAX_VALUE,
                        null);
            }
        }
        if (n > 0) {
            Kqueue.kevent(Kqueue.KQUEUE_FD_ANON, wakes, n, null, 0, null);
        }
        return n;
    }
}
