package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The knotes that may have an event, those of each activating thread in the order in which they became so. It is in
 * stripes by thread, so that threads that take what they have activated do not meet. For the single owner there is one.
 *
 * <p>A knote belongs to a stripe, whose lock guards its status, its place and its scan; it moves while it is on no
 * list, under the lock of the stripe that it leaves. No more than one stripe is locked by a thread at a time, and
 * nothing else runs meanwhile.
 *
 * <p>Where a method returns a Waiter, the caller wakes it.
 */
final class ReadyList {
    /** Status bits of a knote: it is on the list. */
    static final int QUEUED = 1;
    /** The user does not want events of it. */
    static final int DISABLED = 2;
    /** It has been removed from the queue. */
    static final int DEAD = 4;
    /** EV_FORCEONESHOT: its event is not asked for. */
    static final int FORCED = 8;

    private static final int STRIPES_A_PROCESSOR = 4;
    private static final int MOST_STRIPES = 16;
    /** Integers in two cache lines. */
    private static final int APART = 32;
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;
    private static final VarHandle USED;

    static {
        try {
            USED = MethodHandles.lookup().findVarHandle(ReadyList.class, "used", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final KnoteTable table;
    private final ReadyStripe[] stripes;
    private final Sleepers sleepers;
    /** Of each stripe, a line apart, 1 if a thread that puts its own knotes there took from it since that was last asked. */
    private final int[] served;
    /** A bit for each stripe on which something was ever put: few threads have few to look at. */
    private volatile int used;

    ReadyList(boolean shared, KnoteTable table) {
        this(shared, table, shared ? stripesForThisMachine() : 1);
    }

    /** @param stripeCount a power of two */
    ReadyList(boolean shared, KnoteTable table, int stripeCount) {
        this.table = table;
        stripes = new ReadyStripe[stripeCount];
        served = new int[(1 + stripeCount) * APART];
        for (int i = 0; i < stripeCount; i++) {
            stripes[i] = new ReadyStripe(shared, i, table);
        }
        sleepers = new Sleepers(shared, this);
    }

    private static int stripesForThisMachine() {
        int wanted = STRIPES_A_PROCESSOR * Runtime.getRuntime().availableProcessors();
        return Math.min(MOST_STRIPES, Integer.highestOneBit(2 * wanted - 1));
    }

    Sleepers sleepers() {
        return sleepers;
    }

    /** As of a moment ago. */
    boolean looksEmpty() {
        for (int left = used; left != 0; left &= left - 1) {
            if (!first(left).looksEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** What was on the list before this began, and was not taken, makes it false. */
    boolean isEmpty() {
        boolean empty = true;
        for (int left = used; left != 0 && empty; left &= left - 1) {
            ReadyStripe stripe = first(left);
            stripe.lock.lock(); // orders this look and insertions, see Sleepers
            empty = stripe.looksEmpty();
            stripe.lock.unlock();
        }
        return empty;
    }

    int size() {
        int size = 0;
        for (ReadyStripe stripe : stripes) {
            size += stripe.size();
        }
        return size;
    }

    /** A knote that nobody else knows yet. */
    void begin(KnoteImpl knote, boolean disabled) {
        knote.status = disabled ? DISABLED : 0;
        knote.home(ownIndex());
    }

    /** The knote may have an event. Returns who is to be woken for it, or null. */
    Waiter activate(KnoteImpl knote) {
        return insert(ownToBeUsed(), knote) ? sleepers.pick() : null;
    }

    /**
     * As {@link #activate}, for the knotes of the first {@code n} names that are still there; returns how many are to be
     * woken, in {@code woken}.
     */
    int activate(long[] names, int n, Waiter[] woken) {
        ReadyStripe own = ownToBeUsed();
        int inserted = 0;
        own.lock.lock();
        for (int i = 0; i < n; i++) {
            KnoteImpl knote = table.get(names[i]);
            boolean isNew = false;
            if (knote != null && knote.home() == own.index) {
                isNew = ReadyStripe.isWanted(knote);
                if (isNew) {
                    own.append(knote);
                }
            } else if (knote != null) { // its status is not for this lock to tell
                own.lock.unlock();
                isNew = insert(own, knote);
                own.lock.lock();
            }
            inserted += isNew ? 1 : 0;
        }
        own.lock.unlock();
        return inserted == 0 ? 0 : sleepers.pick(woken, inserted);
    }

    /** Whether the knote was put on the list. */
    private boolean insert(ReadyStripe own, KnoteImpl knote) {
        while (true) {
            ReadyStripe home = lockHome(knote);
            boolean wanted = ReadyStripe.isWanted(knote);
            boolean done = !wanted || home == own;
            if (!done) {
                knote.home(own.index); // the last that is done to it here
            } else if (wanted) {
                own.append(knote);
            }
            home.lock.unlock();
            if (done) {
                return wanted;
            }
        }
    }

    private ReadyStripe lockHome(KnoteImpl knote) {
        while (true) {
            ReadyStripe home = stripes[knote.home()];
            home.lock.lock();
            if (knote.home() == home.index) {
                return home;
            }
            home.lock.unlock();
        }
    }

    /**
     * What the call has found to have an event is taken by the scan that begins, past the list, if nothing of this
     * thread's stands before it and there is room for all of it: in order, up to the first that belongs to another
     * stripe. The rest is left in the call.
     *
     * @return how many numbers there are in {@code into}
     */
    int bypass(Call call, long scan, int[] into, int most) {
        ReadyStripe own = own();
        if (stripes[call.stripe] != own || !own.looksEmpty()
                || call.activatedCount > Math.min(most, into.length)) {
            return 0;
        }
        long[] active = call.activated;
        int n = 0;
        int i = 0;
        own.lock.lock();
        boolean empty = own.looksEmpty();
        for (; empty && i < call.activatedCount; i++) {
            KnoteImpl knote = table.get(active[i]);
            if (knote != null && knote.home() != own.index) {
                break;
            }
            if (knote != null && ReadyStripe.isWanted(knote) && knote.scan != scan) {
                knote.scan = scan;
                into[n++] = knote.number;
            }
        }
        own.lock.unlock();
        call.forgetActivated(i);
        return n;
    }

    /** EV_FORCEONESHOT. */
    Waiter force(KnoteImpl knote) {
        change(knote, 0, FORCED);
        return activate(knote);
    }

    /** A scan begins, from which on {@link #pop} goes through the stripes: mostly at the thread's own. */
    void beginScan(Call call, long scan) {
        int at = ownIndex();
        long mixed = scan * GOLDEN;
        if (mixed >>> 60 == 0 && stripes.length > 1) { // one in sixteen: beside a stripe that is never empty, none starves
            int other = at(at + (int) (mixed >>> 32));
            at = stripes[other].looksEmpty() || askWhetherServed(other) ? at : other;
        }
        int all = used | 1 << ownIndex(); // on which the scan may put something yet
        call.stripe = at;
        call.stripesLeft = all >>> at | all << stripes.length - at & (1 << stripes.length) - 1;
    }

    /**
     * Takes the first knotes that the scan {@code scan} has not seen yet off the list: at most {@code most}, as many as
     * {@code into} has room for. They are not taken for the caller yet, who has to ask each whether it is still the one
     * that this scan has seen, alive and enabled, then.
     *
     * @param some whether the scan has found events before: then others' stripes are left to them, if they serve them
     * @return how many numbers there are in {@code into}
     */
    int pop(Call call, long scan, int[] into, int most, boolean some) {
        int own = ownIndex();
        for (; call.stripesLeft != 0; call.stripesLeft &= call.stripesLeft - 1) {
            int index = at(call.stripe + Integer.numberOfTrailingZeros(call.stripesLeft));
            boolean pass = some && index != own && isServed(index) || stripes[index].looksEmpty();
            int n = pass ? 0 : stripes[index].pop(scan, into, Math.min(most, into.length));
            if (n > 0 && index == own && !isServed(own)) {
                served[servedAt(own)] = 1;
            }
            if (n > 0) {
                return n;
            }
        }
        return 0;
    }

    /** By index, as all of the stripe itself is on its threads' own lines. */
    private static int servedAt(int stripe) {
        return (1 + stripe) * APART;
    }

    private boolean isServed(int stripe) {
        return served[servedAt(stripe)] != 0;
    }

    /** Whether it is served; if it is not served again until this is asked again, the answer will be no. */
    private boolean askWhetherServed(int stripe) {
        boolean was = isServed(stripe);
        if (was) {
            served[servedAt(stripe)] = 0;
        }
        return was;
    }

    /** Whether the knote, which the caller has taken, was to be delivered without being asked; it is no longer. */
    boolean takeForce(KnoteImpl knote) {
        if ((knote.status & FORCED) == 0) {
            return false;
        }
        change(knote, FORCED, 0);
        return true;
    }

    /** Puts a level-triggered knote behind the others. Nobody is woken, see {@link Sleepers#leave}. */
    void requeue(KnoteImpl knote) {
        boolean ignored = insert(ownToBeUsed(), knote);
    }

    void enable(KnoteImpl knote) {
        change(knote, DISABLED, 0);
    }

    void disable(KnoteImpl knote) {
        takeOff(knote, DISABLED);
    }

    void kill(KnoteImpl knote) {
        takeOff(knote, DEAD);
    }

    private void change(KnoteImpl knote, int less, int more) {
        ReadyStripe home = lockHome(knote);
        knote.status = knote.status & ~less | more;
        home.lock.unlock();
    }

    private void takeOff(KnoteImpl knote, int why) {
        ReadyStripe home = lockHome(knote);
        home.remove(knote);
        knote.status |= why;
        home.lock.unlock();
    }

    /** The calling thread's stripe. */
    ReadyStripe own() {
        return stripes[ownIndex()];
    }

    /**
     * As {@link #own}, to put something on it. Its bit is set before that is done, and before it is looked who sleeps: who
     * goes to sleep and does not see the bit is seen.
     */
    ReadyStripe ownToBeUsed() {
        int index = ownIndex();
        if ((used & 1 << index) == 0) {
            int ignored = (int) USED.getAndBitwiseOr(this, 1 << index);
        }
        return stripes[index];
    }

    private ReadyStripe first(int bits) {
        return stripes[Integer.numberOfTrailingZeros(bits)];
    }

    private int at(int index) {
        return index & stripes.length - 1;
    }

    private int ownIndex() {
        return stripes.length == 1 ? 0 : (int) Thread.currentThread().threadId() & stripes.length - 1;
    }
}
