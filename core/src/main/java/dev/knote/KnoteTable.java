package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The knotes of a queue, by (ident, filter). In stripes with a lock each; a knote found is handed out <em>taken</em>,
 * see {@link KnoteImpl#tryTake}.
 *
 * <p>A look-up goes without the lock at first. What it finds and can take is right, since a removed knote can't be
 * taken; that there is no knote, which may be because the table grows meanwhile, is known only under the lock.
 */
final class KnoteTable {
    private static final int STRIPES = 64;
    /** From here on a stripe grows by more at a time: moving a knote that is long out of the cache is what costs. */
    private static final int LARGE = 1 << 12;
    private static final VarHandle BUCKETS = MethodHandles.arrayElementVarHandle(KnoteImpl[].class);

    private final Stripe[] stripes;

    KnoteTable(boolean shared) {
        stripes = new Stripe[shared ? STRIPES : 1];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new Stripe(shared);
        }
    }

    private static final class Stripe {
        final SpinLock lock;
        volatile KnoteImpl[] buckets = new KnoteImpl[4];
        int size;

        Stripe(boolean shared) {
            lock = new SpinLock(shared);
        }
    }

    /** The knote, taken for the caller; null if there is none. Waits for whoever has taken it. */
    KnoteImpl take(long ident, int filter) {
        int hash = hash(ident, filter);
        Stripe stripe = stripe(hash);
        KnoteImpl likely = find(stripe, hash, ident, filter);
        boolean certain = likely == null ? stripes.length == 1 : likely.tryTake();
        return certain ? likely : takeLocked(stripe, hash, ident, filter);
    }

    private static KnoteImpl takeLocked(Stripe stripe, int hash, long ident, int filter) {
        for (int tries = 0;; tries++) {
            stripe.lock.lock();
            KnoteImpl found = find(stripe, hash, ident, filter);
            boolean done = found == null || found.tryTake();
            stripe.lock.unlock();
            if (done) {
                return found;
            }
            SpinLock.backOff(tries);
        }
    }

    /** Puts in a knote that the caller has taken; false if there is one already. */
    boolean insert(KnoteImpl knote) {
        int hash = hash(knote.ident, knote.filterNumber);
        Stripe stripe = stripe(hash);
        stripe.lock.lock();
        boolean absent = find(stripe, hash, knote.ident, knote.filterNumber) == null;
        if (absent) {
            if (stripe.size >= stripe.buckets.length) {
                grow(stripe);
            }
            KnoteImpl[] buckets = stripe.buckets;
            int at = index(hash, buckets);
            knote.tableNext(buckets[at]);
            BUCKETS.setRelease(buckets, at, knote);
            stripe.size++;
        }
        stripe.lock.unlock();
        return absent;
    }

    void remove(KnoteImpl knote) {
        int hash = hash(knote.ident, knote.filterNumber);
        Stripe stripe = stripe(hash);
        stripe.lock.lock();
        KnoteImpl[] buckets = stripe.buckets;
        int at = index(hash, buckets);
        if (buckets[at] == knote) {
            buckets[at] = knote.tableNext;
            stripe.size--;
        } else {
            for (KnoteImpl before = buckets[at]; before != null; before = before.tableNext) {
                if (before.tableNext == knote) {
                    before.tableNext(knote.tableNext);
                    stripe.size--;
                    break;
                }
            }
        }
        stripe.lock.unlock();
    }

    private boolean looksEmpty() {
        for (Stripe stripe : stripes) {
            if (stripe.size != 0) {
                return false;
            }
        }
        return true;
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
        if (looksEmpty()) {
            return List.of();
        }
        List<KnoteImpl> all = new ArrayList<>();
        for (Stripe stripe : stripes) {
            stripe.lock.lock();
            for (KnoteImpl bucket : stripe.buckets) {
                for (KnoteImpl knote = bucket; knote != null; knote = knote.tableNext) {
                    all.add(knote);
                }
            }
            stripe.lock.unlock();
        }
        return all;
    }

    private static KnoteImpl find(Stripe stripe, int hash, long ident, int filter) {
        KnoteImpl[] buckets = stripe.buckets;
        KnoteImpl knote = (KnoteImpl) BUCKETS.getAcquire(buckets, index(hash, buckets));
        while (knote != null && (knote.ident != ident || knote.filterNumber != filter)) {
            knote = knote.tableNext();
        }
        return knote;
    }

    private static void grow(Stripe stripe) {
        KnoteImpl[] old = stripe.buckets;
        KnoteImpl[] grown = new KnoteImpl[(old.length < LARGE ? 2 : 4) * old.length];
        for (KnoteImpl bucket : old) {
            for (KnoteImpl knote = bucket; knote != null;) {
                KnoteImpl next = knote.tableNext;
                int at = index(hash(knote.ident, knote.filterNumber), grown);
                knote.tableNext(grown[at]);
                grown[at] = knote;
                knote = next;
            }
        }
        stripe.buckets = grown;
    }

    private Stripe stripe(int hash) {
        return stripes[hash >>> 24 & stripes.length - 1];
    }

    private static int index(int hash, KnoteImpl[] buckets) {
        return hash & buckets.length - 1;
    }

    private static int hash(long ident, int filter) {
        long mixed = (ident * 31 + filter) * 0x9e3779b97f4a7c15L;
        return (int) (mixed >>> 32);
    }
}
