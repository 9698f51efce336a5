package dev.knote.sync;

import dev.knote.sync.SharedMutex.Outcome;
import dev.knote.words.Words;

/** A mutex in a set, with how often the set has taken it: its thread may take it again. */
final class MutexMember extends Waitable {
    /** The least time of a sleep after which {@link SharedMutex#tryLock()} looks whether the owner has died. */
    static final long LOOK_AGAIN_NANOS = MutexLine.LOOK_NANOS + 10_000_000;

    private final SharedMutex mutex;
    private int depth;
    /** The thread had it before the set took it, and shall have it after. */
    private boolean borrowed;
    /** A wake may have been counted for this. */
    private boolean asked;
    private boolean abandoned;

    MutexMember(SharedMutex mutex) {
        super(mutex.word());
        this.mutex = mutex;
    }

    @Override
    boolean isAvailable() {
        if ((Words.get(word) & MutexThread.TID_MASK) == 0 || mutex.isOwner()) {
            return true;
        }
        if (mutex.tryLock() == Outcome.BUSY) {
            return false;
        }
        mutex.giveBack();
        return true;
    }

    @Override
    boolean take() {
        if (mutex.isOwner()) {
            borrowed |= depth == 0;
            depth++;
            return true;
        }
        Outcome outcome = asked ? mutex.tryLockWoken() : mutex.tryLock();
        if (outcome == Outcome.BUSY) {
            return false;
        }
        asked = false;
        borrowed = false;
        depth = 1;
        abandoned = outcome == Outcome.OWNER_DIED;
        return true;
    }

    @Override
    void giveBack() {
        if (--depth == 0 && !borrowed) {
            mutex.giveBack();
        }
    }

    void unlock() {
        if (depth <= 1 && !borrowed) {
            mutex.unlock();
        }
        depth = Math.max(0, depth - 1);
    }

    @Override
    long prepare(boolean kept) {
        if (mutex.isOwner()) {
            return AVAILABLE;
        }
        int value = mutex.sleepValue();
        if (value == 0) {
            return AVAILABLE;
        }
        asked = true;
        return value & 0xffffffffL;
    }

    @Override
    boolean keep() {
        return false;
    }

    @Override
    void leave() {}

    @Override
    void passOn() {
        if (asked) {
            asked = false;
            mutex.passOn();
        }
    }

    @Override
    boolean isConsumed() {
        return true;
    }

    @Override
    int rank() {
        return 0;
    }

    @Override
    boolean wasAbandoned() {
        return abandoned;
    }
}
