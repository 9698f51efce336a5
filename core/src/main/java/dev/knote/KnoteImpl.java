package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.poll.FdWatch;
import dev.knote.poll.PollException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * A knote. To run its filter, or to change it, a thread <em>takes</em> it, as the kernel puts a knote "in flux"; what
 * is marked so below belongs to the thread that has taken it. A knote that is removed is never given back.
 */
final class KnoteImpl extends Mail implements Knote, FilterKnote {
    private static final VarHandle TAKEN;
    private static final VarHandle READINESS;
    private static final VarHandle UDATA;
    private static final VarHandle HOME;

    static {
        try {
            TAKEN = MethodHandles.lookup().findVarHandle(KnoteImpl.class, "taken", int.class);
            READINESS = MethodHandles.lookup().findVarHandle(KnoteImpl.class, "readiness", int.class);
            HOME = MethodHandles.lookup().findVarHandle(KnoteImpl.class, "home", int.class);
            UDATA = MethodHandles.lookup().findVarHandle(KnoteImpl.class, "udata", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Of the many knotes that have none, so that they are smaller. */
    private static final long[] NO_EXT = new long[4];

    final EventQueue queue;
    final Filter filter;
    final long ident;
    final int filterNumber;

    /** By {@link KnoteTable}. */
    int number;

    /** How many of its stripe were made before it: no other one has both. */
    int generation;

    /** The stripe of {@link ReadyList} whose lock guards the next three. */
    @SuppressWarnings("unused") // by HOME
    private int home;

    int status;
    /** Where in the stripe's ring it stands, if it does. */
    int place;
    long scan;

    @SuppressWarnings("unused") // by TAKEN
    private int taken = 1;

    @SuppressWarnings("unused") // by READINESS
    private int readiness;

    /** The number of the call that last saw readiness; written before it is activated for that. */
    private long heardIn;

    // Of the thread that has taken the knote:
    int flags;
    int savedFflags;
    long savedData;
    int fflags;
    long data;
    private long[] ext;
    int eventFlags;
    int error;
    boolean gone;
    MemorySegment word;
    KnoteWord wait;
    private Object hook;
    private long state;
    private FdWatch watch;
    private NestedWatch nested;
    volatile Object udata;

    /** A new knote, taken by its maker. */
    KnoteImpl(EventQueue queue, Filter filter, Kevent change) {
        this.queue = queue;
        this.filter = filter;
        this.ident = change.ident;
        this.filterNumber = change.filter;
        this.flags = change.flags & ~EventQueue.ORDERS;
        this.savedFflags = change.fflags;
        this.savedData = change.data;
        boolean plain = (change.ext0 | change.ext1 | change.ext2 | change.ext3) == 0;
        this.ext = plain ? NO_EXT : new long[] {change.ext0, change.ext1, change.ext2, change.ext3};
        UDATA.set(this, change.udata); // seen with the knote itself
        this.word = hasBytes(change.word) ? change.word : null;
        queue.ready.begin(this, change.has(Kqueue.EV_DISABLE));
    }

    /** fd readiness of this knote. */
    private static final class Readiness extends FdWatch {
        private final KnoteImpl knote;

        Readiness(KnoteImpl knote) {
            this.knote = knote;
        }

        @Override
        protected void ready(int events) {
            knote.heardIn = Call.current().number();
            int ignored = (int) READINESS.getAndBitwiseOr(knote, events);
            knote.activate();
        }
    }

    /** The edges of an fd, for the owner's handler, past its knote. */
    private static final class Edges extends FdWatch {
        Edges(Object target) {
            super(Objects.requireNonNull(target));
        }

        @Override
        protected void ready(int events) {
            throw new AssertionError("who has a target is not told");
        }
    }

    boolean tryTake() {
        return !queue.shared || (int) TAKEN.getOpaque(this) == 0 && TAKEN.compareAndSet(this, 0, 1);
    }

    /** Waits for whoever has taken it; false if it has been removed. */
    boolean take() {
        for (int tries = 0; !tryTake(); tries++) {
            if (isDead()) {
                return false;
            }
            SpinLock.backOff(tries);
        }
        return !isDead();
    }

    void giveBack() {
        if (queue.shared) {
            TAKEN.setRelease(this, 0);
        }
    }

    /** The stripe of {@link ReadyList} that it belongs to, as long as that is locked. */
    int home() {
        return (int) HOME.getAcquire(this);
    }

    /** It moves: all that was done to it where it was is seen by who finds it there. */
    void home(int stripe) {
        HOME.setRelease(this, stripe);
    }

    /** By which one that may be removed meanwhile is known. */
    long name() {
        return (long) generation << 32 | number;
    }

    boolean isDisabled() {
        return (status & ReadyList.DISABLED) != 0;
    }

    /** Whether an event is due that was forced, perhaps while the knote was disabled. */
    boolean isForced() {
        return (status & ReadyList.FORCED) != 0;
    }

    boolean isDead() {
        return (status & ReadyList.DEAD) != 0;
    }

    void ext(Kevent event) {
        long[] mine = ext;
        event.ext0 = mine[0];
        event.ext1 = mine[1];
        event.ext2 = mine[2];
        event.ext3 = mine[3];
    }

    /** Whether the fd that is watched is the ident itself, and not one that only stands for it. */
    boolean watchesIdent() {
        return watch != null && watch.fd() == ident;
    }

    /** Whether the poller tells it of edges, its own or an inner queue's, or of its word. */
    boolean hasEdges() {
        return watch != null || nested != null || wait != null && wait.isWithPoller();
    }

    /** Whether its fd, or queue, was watched, and is not the one that it was. */
    boolean lostFd() {
        return watch != null && !queue.poller.isSame(watch) || nested != null && !nested.isSame();
    }

    /** Whether its word is in memory that was unmapped since, so that its address can be another word's by now. */
    boolean lostWord() {
        return word != null && !word.scope().isAlive();
    }

    /** A segment without bytes, as native code returns it, is an address alone. */
    private static boolean hasBytes(MemorySegment given) {
        return given != null && given.byteSize() > 0;
    }

    /** Takes back all that it has armed. False if its fd had been closed before. */
    boolean release() {
        boolean there = watch == null || queue.poller.unwatch(watch);
        queue.timers.remove(this);
        if (wait != null) {
            wait.passOn(wait.end());
        }
        if (nested != null) {
            nested.close();
            nested = null;
        }
        return there;
    }

    KeventException refusal(int errno, String what) {
        return Refusals.refusal(errno, ident, filter.name(), what);
    }

    // ---- Knote

    @Override
    public long ident() {
        return ident;
    }

    @Override
    public int filter() {
        return filterNumber;
    }

    @Override
    public Object attachment() {
        return udata;
    }

    @Override
    public boolean isValid() {
        return !isDead();
    }

    @Override
    public void enable() {
        queue.orders.enable(this);
    }

    @Override
    public void disable() {
        queue.orders.disable(this);
    }

    @Override
    public void trigger() {
        queue.orders.trigger(this);
    }

    @Override
    public void update(int newFflags, long newData) {
        queue.orders.update(this, newFflags, newData);
    }

    @Override
    public void cancel() {
        queue.orders.cancel(this);
    }

    // ---- FilterKnote

    @Override
    public int queueFd() {
        return queue.fd();
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public void flags(int value) {
        flags = value;
    }

    @Override
    public int savedFflags() {
        return savedFflags;
    }

    @Override
    public void savedFflags(int value) {
        savedFflags = value;
    }

    @Override
    public long savedData() {
        return savedData;
    }

    @Override
    public void savedData(long value) {
        savedData = value;
    }

    @Override
    public int fflags() {
        return fflags;
    }

    @Override
    public void fflags(int value) {
        fflags = value;
    }

    @Override
    public long data() {
        return data;
    }

    @Override
    public void data(long value) {
        data = value;
    }

    @Override
    public void ext(int k, long value) {
        if (k < 0 || k > 1) {
            throw new IndexOutOfBoundsException("ext[" + k + "]: expected 0 or 1, the filter's own");
        }
        if (ext == NO_EXT && value != 0) {
            ext = new long[4];
        }
        if (ext != NO_EXT) {
            ext[k] = value;
        }
    }

    @Override
    public void eof(boolean eof) {
        eventFlags = eof ? eventFlags | Kqueue.EV_EOF : eventFlags & ~Kqueue.EV_EOF;
    }

    @Override
    public void error(int errno) {
        error = errno;
    }

    @Override
    public Object hook() {
        return hook;
    }

    @Override
    public void hook(Object value) {
        hook = value;
    }

    @Override
    public long state() {
        return state;
    }

    @Override
    public void state(long value) {
        state = value;
    }

    @Override
    public void watchFd(int fd, int interest) {
        watch(watch instanceof Readiness mine ? mine : new Readiness(this), fd, interest);
    }

    @Override
    public void watchEdges(int fd, int interest, Object target) {
        if (queue.shared || interest == FD_WRITE) {
            throw refusal(Errno.EINVAL,
                    queue.shared ? "the queue has no single owner, whose handler takes edges"
                            : "edges of writing alone are not to be had");
        }
        watch(new Edges(target), fd, interest);
    }

    private void watch(FdWatch newWatch, int fd, int interest) {
        if (Queues.isRetired(fd)) {
            throw refusal(Errno.EBADF, "not an open file descriptor");
        }
        if (watch != null) {
            queue.poller.unwatch(watch);
        }
        watch = newWatch;
        try {
            queue.poller.watch(watch, fd, interest);
        } catch (PollException e) {
            watch = null;
            throw refusal(e.errno(), switch (e.errno()) {
                case Errno.EBADF -> "not an open file descriptor";
                case Errno.EPERM -> "a file of this kind can't be waited for";
                default -> e.getMessage();
            });
        }
    }

    @Override
    public boolean sameFd() {
        return nested != null ? nested.isSame() : watch != null && queue.poller.isSame(watch);
    }

    @Override
    public void gone() {
        gone = true;
    }

    @Override
    public int takeReadiness() {
        return (int) READINESS.getAndSet(this, 0);
    }

    @Override
    public boolean isReadinessNew() {
        return heardIn == Call.current().number();
    }

    @Override
    public MemorySegment word() {
        if (word == null) {
            MemorySegment wide = queue.memory.find(ident, Long.BYTES);
            word = wide != null ? wide : queue.memory.find(ident, 1);
        }
        return word;
    }

    /**
     * EV_ADD of a knote that has a word: if the change gives more memory for it, or there is more by now where it gives
     * none, that is the word's from now on. Never less, since others may be reading it.
     */
    void extendWord(MemorySegment given) {
        MemorySegment old = word;
        if (given == old || old.byteSize() >= Long.BYTES) {
            return;
        }
        MemorySegment other = hasBytes(given) ? given : queue.memory.find(ident, Long.BYTES);
        if (other != null && other.byteSize() > old.byteSize() && other.scope().isAlive()) {
            word = other;
            queue.memory.give(other);
        }
    }

    @Override
    public void arm(int bytes, long expected, boolean isPrivate) {
        if (wait == null) {
            wait = new KnoteWord(this);
        }
        wait.arm(bytes, expected, isPrivate, Call.current());
    }

    @Override
    public void disarm() {
        if (wait != null) {
            wait.passOn(wait.end());
        }
    }

    @Override
    public boolean armed() {
        return wait != null && wait.isWaiting();
    }

    @Override
    public int wordState() {
        return wait == null ? 0 : wait.bits();
    }

    @Override
    public void clearWordState() {
        if (wait != null) {
            wait.clearBits();
        }
    }

    @Override
    public long readWord(int bytes) {
        if (wait == null) {
            wait = new KnoteWord(this);
        }
        return wait.read(bytes);
    }

    @Override
    public void deadline(long nanoTime) {
        queue.activation.deadline(this, nanoTime);
    }

    @Override
    public void noDeadline() {
        queue.timers.remove(this);
    }

    @Override
    public void activate() {
        queue.activation.activate(this);
    }

    @Override
    public LongSupplier watchQueue(int fd) {
        nested = NestedWatch.open(this, fd);
        return nested;
    }

    @Override
    public boolean isQueue(int fd) {
        return Queues.find(fd) != null;
    }

    @Override
    public String toString() {
        return filter.name() + "(" + ident + ")";
    }
}
