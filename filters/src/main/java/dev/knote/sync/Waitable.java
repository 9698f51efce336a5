package dev.knote.sync;

import java.lang.foreign.MemorySegment;

/** A word as a {@link WaitSet} sees it. Whoever makes it available changes it, and wakes who sleeps on it. */
abstract class Waitable {
    /** Of {@link #prepare}: there is no need to sleep. No word's value, which has 32 bits. */
    static final long AVAILABLE = -1;

    final MemorySegment word;

    Waitable(MemorySegment word) {
        this.word = word;
    }

    /** Whether {@link #take} would succeed now. */
    abstract boolean isAvailable();

    /** Takes it if it is available; what can't be consumed is then just available. */
    abstract boolean take();

    /** Undoes a take. */
    abstract void giveBack();

    /**
     * Says in the word that somebody is about to sleep on it.
     *
     * @param kept whether it is {@link #keep kept}
     * @return the value to sleep on, as an unsigned number, or {@link #AVAILABLE}
     */
    abstract long prepare(boolean kept);

    /** Asks to leave a wait armed while nobody is asleep; false if another does, so that a wake may be lost on it. */
    abstract boolean keep();

    /** Ends {@link #keep}. */
    abstract void leave();

    /** If it is available, and wakes are for one: wakes another, since the caller was woken and does not take it. */
    abstract void passOn();

    /** Whether a take changes it; then a wake is for one, and may be lost with a process. */
    abstract boolean isConsumed();

    /** All are taken in the order of this, then of addresses; what is looked at only comes last. */
    abstract int rank();

    /** Whether the last take found that the owner had died. */
    boolean wasAbandoned() {
        return false;
    }
}
