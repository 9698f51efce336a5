package dev.knote;

import java.lang.invoke.VarHandle;

/**
 * Waits for words by the process's own key: a hash of first-in-first-out lists in the heap, as the kernel's futex hash
 * is one. A wake that finds an awake waiter, or none, makes no system call.
 */
final class PrivateWords {
    private static final int BUCKETS = 4096;
    private static final Bucket[] TABLE = new Bucket[BUCKETS];

    static {
        for (int i = 0; i < BUCKETS; i++) {
            TABLE[i] = new Bucket();
        }
    }

    private PrivateWords() {}

    private static final class Bucket {
        final SpinLock lock = new SpinLock(true);
        KnoteWord first;
        KnoteWord last;
    }

    static void park(KnoteWord wait) {
        Bucket bucket = bucket(wait.address());
        bucket.lock.lock();
        wait.previousParked = bucket.last;
        wait.nextParked = null;
        if (bucket.last == null) {
            bucket.first = wait;
        } else {
            bucket.last.nextParked = wait;
        }
        bucket.last = wait;
        wait.parked = true;
        bucket.lock.unlock();
        VarHandle.fullFence(); // before the caller reads the word: pairs with the fence in wake
    }

    /** Takes the wait out; false if a wake has taken it before, or it was not in. */
    static boolean leave(KnoteWord wait) {
        Bucket bucket = bucket(wait.address());
        bucket.lock.lock();
        boolean parked = wait.parked;
        if (parked) {
            unlink(bucket, wait);
        }
        bucket.lock.unlock();
        return parked;
    }

    /**
     * Wakes up to {@code count} waits of the word, the longest waiting first. Those found are taken out before any of
     * them is told, so that one that waits again is not woken twice.
     */
    static void wake(long address, int count) {
        Bucket bucket = bucket(address);
        VarHandle.fullFence(); // after the caller's store to the word
        if (bucket.first == null) {
            return;
        }
        bucket.lock.lock();
        KnoteWord chosen = null;
        KnoteWord lastChosen = null;
        int left = count;
        for (KnoteWord wait = bucket.first, next; wait != null && left > 0; wait = next) {
            next = wait.nextParked;
            if (wait.address() == address) {
                unlink(bucket, wait);
                left--;
                if (chosen == null) {
                    chosen = wait;
                } else {
                    lastChosen.nextParked = wait;
                }
                lastChosen = wait;
            }
        }
        while (chosen != null) {
            KnoteWord next = chosen.nextParked;
            chosen.nextParked = null;
            chosen.ended(0);
            chosen = next;
        }
        bucket.lock.unlock();
    }

    private static void unlink(Bucket bucket, KnoteWord wait) {
        KnoteWord before = wait.previousParked;
        KnoteWord after = wait.nextParked;
        if (before == null) {
            bucket.first = after;
        } else {
            before.nextParked = after;
        }
        if (after == null) {
            bucket.last = before;
        } else {
            after.previousParked = before;
        }
        wait.previousParked = null;
        wait.nextParked = null;
        wait.parked = false;
    }

    private static Bucket bucket(long address) {
        return TABLE[(int) ((address * 0x9e3779b97f4a7c15L) >>> 52)];
    }
}
