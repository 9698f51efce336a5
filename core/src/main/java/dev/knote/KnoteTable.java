package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The knotes of a queue, by (ident, filter) and by number. In stripes with a lock each; a knote found by its ident is
 * handed out <em>taken</em>, see {@link KnoteImpl#tryTake}.
 *
 * <p>A look-up goes without the lock at first. What it finds and can take is right, since a removed knote can't be
 * taken; that there is no knote, which may be because the table changes meanwhile, is known only under the lock.
 *
 * <p><b>Numbers.</b> A knote has its number, which is not 0, from {@link #insert} to {@link #free}; then another may
 * get it. Lists and heaps of knotes are lists of numbers: a store of a reference costs collectors a mark in memory that
 * threads share, and G1 a fence, where a store of a number costs nothing.
 */
final class KnoteTable {
    private static final int STRIPE_BITS = 6;
    private static final int SMALLEST = 4;
    private static final int BLOCK_BITS = 12;
    private static final int IN_BLOCK = (1 << BLOCK_BITS) - 1;
    private static final int BLOCKS_BITS = 8;
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;
    private static final VarHandle KNOTES = MethodHandles.arrayElementVarHandle(KnoteImpl[].class);
    private static final VarHandle BUCKETS = MethodHandles.arrayElementVarHandle(int[].class);

    private final Stripe[] stripes;
    private final int stripeBits;

    KnoteTable(boolean shared) {
        stripeBits = shared ? STRIPE_BITS : 0;
        stripes = new Stripe[1 << stripeBits];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new Stripe(shared, i);
        }
    }

    private static final class Stripe {
        final SpinLock lock;
        final int index;
        volatile Slots slots = new Slots(SMALLEST);
        /** Those of the slots: one step less on the way. */
        volatile KnoteImpl[] knotes = slots.knotes;
        /** How many can be found by their ident. */
        int size;
        /** The slots from here on have never been used. */
        int fresh = 1;
        /** The first of those that are free again, which are linked; 0 if there is none. */
        int free;
        int generation;

        Stripe(boolean shared, int index) {
            lock = new SpinLock(shared);
            this.index = index;
        }
    }

    /** A hash table whose chains are made of the slots' numbers. Slot 0 is none. When it is full, a larger one follows. */
    private static final class Slots {
        /** Instead of what follows a slot that is in no chain: so that who walks there without the lock stops. */
        private static final int NOWHERE = -1;

        final KnoteImpl[] knotes;
        /** The hash of the knote in slot s is at 2s; what follows it in its chain, or among the free ones, at 2s + 1. */
        final int[] links;
        final int[] buckets;

        Slots(int length) {
            knotes = new KnoteImpl[length];
            links = new int[2 * length];
            buckets = new int[length];
        }

        int hash(int slot) {
            return links[2 * slot];
        }

        int next(int slot) {
            return links[2 * slot + 1];
        }

        void next(int slot, int follower) {
            links[2 * slot + 1] = follower;
        }

        int bucket(int hash) {
            return hash & buckets.length - 1;
        }

        void put(int slot, int hash, KnoteImpl knote) {
            int bucket = bucket(hash);
            links[2 * slot] = hash;
            next(slot, buckets[bucket]);
            KNOTES.setRelease(knotes, slot, knote);
            BUCKETS.setRelease(buckets, bucket, slot);
        }

        void unlink(int slot) {
            int bucket = bucket(hash(slot));
            int before = buckets[bucket];
            if (before == slot) {
                buckets[bucket] = next(slot);
            } else {
                while (next(before) != slot) {
                    before = next(before);
                }
                next(before, next(slot));
            }
            next(slot, NOWHERE);
        }

        /** Exact under the lock. Without it, chains change while one walks along them, but no walk is endless. */
        KnoteImpl find(int hash, long ident, int filter) {
            int slot = (int) BUCKETS.getAcquire(buckets, bucket(hash));
            for (int left = knotes.length; slot > 0 && left > 0; left--) {
                if (hash(slot) == hash) {
                    KnoteImpl knote = (KnoteImpl) KNOTES.getAcquire(knotes, slot);
                    if (knote != null && knote.ident == ident && knote.filterNumber == filter) {
                        return knote;
                    }
                }
                slot = next(slot);
            }
            return null;
        }

        /** A larger table of the same knotes, of which this one is full. No knote is touched to make it. */
        Slots grown() {
            Slots grown = new Slots(2 * knotes.length);
            System.arraycopy(knotes, 0, grown.knotes, 0, knotes.length);
            System.arraycopy(links, 0, grown.links, 0, links.length);
            for (int slot = 1; slot < knotes.length; slot++) {
                if (next(slot) != NOWHERE) {
                    int bucket = grown.bucket(hash(slot));
                    grown.next(slot, grown.buckets[bucket]);
                    grown.buckets[bucket] = slot;
                }
            }
            return grown;
        }
    }

    /** The knote, taken for the caller; null if there is none. Waits for whoever has taken it. */
    KnoteImpl take(long ident, int filter) {
        int hash = hash(ident, filter);
        Stripe stripe = stripes[hash & stripes.length - 1];
        hash >>>= stripeBits;
        KnoteImpl likely = stripe.slots.find(hash, ident, filter);
        boolean certain = likely == null ? stripes.length == 1 : likely.tryTake();
        return certain ? likely : takeLocked(stripe, hash, ident, filter);
    }

    private static KnoteImpl takeLocked(Stripe stripe, int hash, long ident, int filter) {
        for (int tries = 0;; tries++) {
            stripe.lock.lock();
            KnoteImpl found = stripe.slots.find(hash, ident, filter);
            boolean done = found == null || found.tryTake();
            stripe.lock.unlock();
            if (done) {
                return found;
            }
            SpinLock.backOff(tries);
        }
    }

    /** Puts in a knote that the caller has taken, and gives it a number; false if there is one already. */
    boolean insert(KnoteImpl knote) {
        int hash = hash(knote.ident, knote.filterNumber);
        Stripe stripe = stripes[hash & stripes.length - 1];
        hash >>>= stripeBits;
        stripe.lock.lock();
        boolean absent = stripe.slots.find(hash, knote.ident, knote.filterNumber) == null;
        if (absent) {
            int slot = unusedSlot(stripe);
            knote.number = slot << stripeBits | stripe.index;
            knote.generation = ++stripe.generation;
            stripe.slots.put(slot, hash, knote);
            stripe.size++;
        }
        stripe.lock.unlock();
        return absent;
    }

    private static int unusedSlot(Stripe stripe) {
        int slot = stripe.free;
        if (slot != 0) {
            stripe.free = stripe.slots.next(slot);
            return slot;
        }
        if (stripe.fresh == stripe.slots.knotes.length) {
            stripe.slots = stripe.slots.grown();
            stripe.knotes = stripe.slots.knotes;
        }
        return stripe.fresh++;
    }

    /** It is not found by its ident any more; it keeps its number until {@link #free}. */
    void remove(KnoteImpl knote) {
        Stripe stripe = stripes[knote.number & stripes.length - 1];
        stripe.lock.lock();
        stripe.slots.unlink(knote.number >>> stripeBits);
        stripe.size--;
        stripe.lock.unlock();
    }

    /** A knote that was removed is on no list any more: its number may be another's. */
    void free(KnoteImpl knote) {
        int slot = knote.number >>> stripeBits;
        Stripe stripe = stripes[knote.number & stripes.length - 1];
        stripe.lock.lock();
        stripe.slots.knotes[slot] = null;
        stripe.slots.next(slot, stripe.free);
        stripe.free = slot;
        stripe.lock.unlock();
    }

    /** The knote of that number, if it is not freed; then it is null, or whose number it is by now. */
    KnoteImpl get(int number) {
        return stripes[number & stripes.length - 1].knotes[number >>> stripeBits];
    }

    /** The knote of that {@link KnoteImpl#name}, which no other ever has; null if its number was freed. */
    KnoteImpl get(long name) {
        KnoteImpl knote = get((int) name);
        return knote == null || knote.generation != (int) (name >>> 32) ? null : knote;
    }

    /** As of a moment ago, if others use the table. */
    boolean isEmpty() {
        for (Stripe stripe : stripes) {
            if (stripe.size > 0) {
                return false;
            }
        }
        return true;
    }

    /** All knotes of this moment, not taken. */
    List<KnoteImpl> all() {
        if (isEmpty()) {
            return List.of();
        }
        List<KnoteImpl> all = new ArrayList<>();
        for (Stripe stripe : stripes) {
            stripe.lock.lock();
            Slots slots = stripe.slots;
            for (int bucket : slots.buckets) {
                for (int slot = bucket; slot != 0; slot = slots.next(slot)) {
                    all.add(slots.knotes[slot]);
                }
            }
            stripe.lock.unlock();
        }
        return all;
    }

    /**
     * Idents that follow each other, as fds and the ids of timers do, do so here, too, and so they are near each other in
     * the cache, and in no other's way. In a block of them the low bits are only put in another order, one of the
     * block's own; blocks follow each other until they are far apart. So what has its differences elsewhere, as addresses
     * of words have, is scattered as by any hash.
     */
    static int hash(long ident, int filter) {
        long block = ident >>> BLOCK_BITS;
        if (block >>> BLOCKS_BITS == 0) { // as of most fds, and soon said
            int low = (int) ident;
            return low ^ low >>> STRIPE_BITS & (1 << STRIPE_BITS) - 1 ^ filter * (int) GOLDEN;
        }
        int order = scattered(block * 31 + filter);
        int place = (int) block + scattered((block >>> BLOCKS_BITS) * 31 + filter);
        int near = (int) ident & IN_BLOCK;
        near ^= near >>> STRIPE_BITS; // addresses differ in the upper half of these alone
        return place << BLOCK_BITS | (near ^ order) & IN_BLOCK;
    }

    private static int scattered(long value) {
        long mixed = value * GOLDEN;
        mixed ^= mixed >>> 32;
        return (int) (mixed * GOLDEN >>> 32);
    }
}
