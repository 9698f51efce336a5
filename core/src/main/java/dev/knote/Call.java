package dev.knote;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** What a thread needs for a call of a queue, kept from call to call so that a call allocates nothing. */
final class Call extends Padded implements WordMemory {
    private static final AtomicLong IDS = new AtomicLong();
    private static final ThreadLocal<Call> MINE = ThreadLocal.withInitial(() -> new Call(0));
    private static final int SCAN_BITS = 40;
    private static final int LIST_SIZE = 256;
    private static final int BATCH = 16;

    final Waiter waiter = new Waiter(Thread.currentThread());
    final Kevent change = new Kevent();
    final Kevent event = new Kevent();
    /** Words armed in this call that the poller has not been given yet. */
    KnoteWord[] deferred = new KnoteWord[8];

    int deferredCount;

    /** Knotes that armed a word on delivery, and where in the eventlist their event is. */
    KnoteImpl[] rearmed = new KnoteImpl[8];

    int[] rearmedAt = new int[8];
    int rearmedCount;

    /** The names of knotes found to have an event in this call, and not on the ready list yet. */
    long[] activated = new long[16];

    int activatedCount;

    /** Room for those to be woken for them. */
    Waiter[] woken = new Waiter[16];

    /** The numbers of knotes taken off the ready list together. */
    final int[] popped = new int[BATCH];

    /** Wakes that wait for their common entry into the kernel. */
    final long[] wakeAddresses = new long[32];

    /** How many to wake; afterwards how many were woken, or -errno. */
    final int[] wakeCounts = new int[32];
    /** Where in the changelist the wakes are. */
    final int[] wakeEntries = new int[32];
    int wakes;

    final EventView view = new EventView();

    /** Where in the {@link ReadyList} the scan has begun; a bit for each stripe from there on that it has to go to. */
    int stripe;

    int stripesLeft;

    /**
     * Edges that are left come before a look at the kernel: cleared knotes, which would have a second event by what it has in
     * store, are for the poll that looks.
     */
    boolean putsOff;

    private final int depth;
    private long scan = IDS.getAndIncrement() << SCAN_BITS;
    private long number = scan;
    private boolean busy;
    private EventQueue queue;
    private Call inner;
    private KeventList list;

    private Call(int depth) {
        this.depth = depth;
    }

    /** The calling thread's; another one for a call within a call. */
    static Call begin() {
        Call call = MINE.get();
        while (call.busy) {
            if (call.inner == null) {
                call.inner = new Call(call.depth + 1);
            }
            call = call.inner;
        }
        call.busy = true;
        call.number++;
        return call;
    }

    /** The calling thread's, in which it is. */
    static Call current() {
        Call call = MINE.get();
        while (call.inner != null && call.inner.busy) {
            call = call.inner;
        }
        return call;
    }

    void end() {
        activatedCount = 0;
        deferredCount = 0;
        rearmedCount = 0;
        wakes = 0;
        queue = null;
        change.refersTo(null, null);
        event.refersTo(null, null);
        busy = false;
    }

    /** What an anonymous operation in this call of {@code queue} is given. */
    WordMemory memory(EventQueue callee) {
        queue = callee;
        return this;
    }

    @Override
    public MemorySegment find(long address, int bytes) {
        return queue.memory.find(address, bytes);
    }

    @Override
    public void wake(long address, int count, boolean isPrivate) {
        if (isPrivate) {
            PrivateWords.wake(address, count);
        } else {
            wakeAddresses[wakes] = address;
            wakeCounts[wakes++] = count;
        }
    }

    /** A number that no other call of any queue has. */
    long number() {
        return number;
    }

    /** A number that no other scan of any queue has. */
    long nextScan() {
        return ++scan;
    }

    /** The number of the scan under way. */
    long scan() {
        return scan;
    }

    KeventList list() {
        if (list == null) {
            list = KeventList.allocate(LIST_SIZE);
        }
        return list;
    }

    void defer(KnoteWord word) {
        if (deferredCount == deferred.length) {
            deferred = Arrays.copyOf(deferred, 2 * deferredCount);
        }
        deferred[deferredCount++] = word;
    }

    /** Gives the poller the words armed in this call. */
    void giveWords(EventQueue callee) {
        for (int i = 0; i < deferredCount; i++) {
            deferred[i].submit();
            deferred[i] = null;
        }
        if (deferredCount > 0) {
            deferredCount = 0;
            callee.watchesWords();
            callee.nesting.tellOfRing();
        }
    }

    /** Brings the words armed in this call into effect. */
    void submitWords(EventQueue callee) {
        if (deferredCount > 0) {
            giveWords(callee);
            callee.poller.flush();
        }
    }

    /** Like {@link EventQueue#activate}, together with the others of this call. */
    void activate(KnoteImpl knote) {
        if (activatedCount == activated.length) {
            activated = Arrays.copyOf(activated, 2 * activatedCount);
            woken = Arrays.copyOf(woken, 2 * activatedCount);
        }
        activated[activatedCount++] = knote.name();
    }

    /** The first {@code n} of the activated are done. */
    void forgetActivated(int n) {
        int left = activatedCount - n;
        System.arraycopy(activated, n, activated, 0, left);
        activatedCount = left;
    }

    void rearmed(KnoteImpl knote, int at) {
        if (rearmedCount == rearmed.length) {
            rearmed = Arrays.copyOf(rearmed, 2 * rearmedCount);
            rearmedAt = Arrays.copyOf(rearmedAt, 2 * rearmedCount);
        }
        rearmed[rearmedCount] = knote;
        rearmedAt[rearmedCount++] = at;
    }
}
