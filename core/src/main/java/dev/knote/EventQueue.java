package dev.knote;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_FORCEONESHOT;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_SYSFLAGS;

import dev.knote.linux.Classes;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.poll.PollException;
import dev.knote.poll.Poller;
import dev.knote.poll.Pollers;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * A kqueue: filters are registered with it, and {@link #poll} waits until one of them has an event. It is used as
 * {@link java.nio.channels.Selector} is, and means what kqueue(2) means.
 *
 * <p><b>Threads.</b> Any number of threads may use a queue at once, for changes and for waiting; each event goes to one
 * of those who wait. A queue opened with {@link Options#singleOwner()} belongs to the thread that uses it first: it
 * alone waits, and takes no lock; other threads may trigger, enable, disable and cancel knotes, register, and call
 * {@link #wakeup}, all of which is posted to the owner, who does it when he next polls; what fails then is an event
 * with EV_ERROR.
 *
 * <p><b>Lifetime.</b> {@link #close} ends everything: knotes, fds, waits on memory; those who wait get EBADF. Segments
 * whose words are registered are kept reachable until then, or until {@link #forget}.
 *
 * <p><b>Errors</b> are {@link KeventException}s with the errno of kqueue(2), section ERRORS.
 */
public final class EventQueue implements AutoCloseable {
    /** Flags of a change that tell what to do, and are not kept. */
    static final int ORDERS = EV_ADD
            | EV_DELETE
            | EV_ENABLE
            | EV_DISABLE
            | EV_FORCEONESHOT
            | EV_KEEPUDATA
            | EV_ANON
            | EV_SYSFLAGS;

    static {
        Classes.load(KnoteImpl.class, KnoteWord.class, PrivateWords.class, NestedWatch.class, Wakes.class);
        Classes.load(Kqueue.class, Anonymous.class, Arguments.class, Refusals.class, Call.class,
                Waiter.class);
        Classes.load(EventView.class, FirstLook.class, Kevent.class, Orders.class, Post.class);
        Classes.load(KeventException.class, Errno.class, PollException.class);
    }

    final boolean shared;
    final Poller poller;
    final TimerHeap timers;
    final Memory memory = new Memory();
    final KnoteTable table;
    final ReadyList ready;
    final Sleepers sleepers;
    final Presence presence = new Presence();
    final Interrupts interrupts = new Interrupts(this);
    final Office office;
    final Nesting nesting = new Nesting(this);
    /** Null unless others may poll this queue's fd. */
    final Beacon beacon;
    final Changes changes;
    final Sleep sleep;
    final Activation activation;
    final Orders orders = new Orders(this);
    final FirstLook firstLook = new FirstLook(this);
    private final Retrieval retrieval;
    private final Filters filters;
    private volatile boolean closed;
    /** Words are, or were, waited for: their memory is to be looked at. */
    volatile boolean watchesWords;

    EventQueue(Options options) {
        shared = !options.isSingleOwner();
        office = new Office(this, shared);
        table = new KnoteTable(shared);
        timers = new TimerHeap(shared, table);
        ready = new ReadyList(shared, table);
        sleepers = ready.sleepers();
        activation = new Activation(this);
        filters = new Filters(options.filters());
        try {
            poller = Pollers.open(!shared, options.isPollable(), options.pollerName());
        } catch (RuntimeException e) {
            RuntimeException why = e instanceof PollException refused
                    ? new KeventException(refused.errno(), "kqueue: " + e.getMessage())
                    : e;
            filters.closeBecause(why); // they belong to the queue that is not to be
            throw why;
        }
        beacon = options.isPollable() ? makeBeacon() : null;
        changes = new Changes(this, filters);
        sleep = new Sleep(this, new Spin(options.spinning()));
        retrieval = new Retrieval(this);
        Queues.put(fd(), this);
    }

    private Beacon makeBeacon() {
        try {
            Beacon made = new Beacon(this);
            nesting.addWatcher(made);
            return made;
        } catch (RuntimeException e) {
            poller.close();
            filters.closeBecause(e);
            throw e;
        }
    }

    /** A queue with the built-in filters, for any number of threads. */
    public static EventQueue open() {
        return open(Options.defaults());
    }

    /**
     * A queue with options.
     *
     * @throws KeventException EMFILE, ENFILE, ENOMEM
     */
    public static EventQueue open(Options options) {
        return new EventQueue(options);
    }

    /**
     * The queue's file descriptor, by which {@link Kqueue#kevent} knows it and another queue can watch it. It is
     * close-on-exec. Close the queue, not this. Others may poll it if the queue is {@link Options#pollable()}.
     */
    public int fd() {
        return beacon == null ? poller.fd() : beacon.fd();
    }

    /** The name of the poller that was chosen, {@code io_uring} or {@code epoll}. */
    public String pollerName() {
        return poller.name();
    }

    /** The pollers there are, best first, each with the reason why it can't be had on this machine, or null. */
    public static Map<String, String> pollers() {
        return Pollers.reasons();
    }

    /** Whether one thread alone waits here, see {@link Options#singleOwner()}. */
    public boolean isSingleOwner() {
        return !shared;
    }

    /**
     * Whether there were knotes on the list of those that may have an event, a moment ago: a hint, which costs no system
     * call. What the kernel has, and no poll has seen yet, does not count.
     */
    public boolean looksReady() {
        return !ready.looksEmpty();
    }

    /** Whether the queue has not been closed. */
    public boolean isOpen() {
        return !closed;
    }

    /**
     * Gives the queue memory, so that words of it may be named by their address alone. Words that were registered as
     * segments need not be given.
     */
    public void memory(MemorySegment segment) {
        memory.give(segment);
    }

    /**
     * Takes back a segment that {@link #memory} gave, or a registration: the queue, if it lives on, keeps it reachable no
     * longer than knotes that are still registered with it do.
     */
    public void forget(MemorySegment segment) {
        memory.forget(segment);
    }

    /**
     * Registers a filter for an ident, or modifies the registration there is. On a queue with a single owner, another
     * thread's registration is posted, and null is returned.
     *
     * @param attachment comes with every event
     * @throws KeventException EINVAL, EBADF, EFAULT, ENOMEM and what else the filter says
     */
    public Knote register(Interest interest, Object attachment) {
        Call call = enter();
        try {
            Kevent change = call.change;
            change.fill(interest.ident(), interest.filter(), EV_ADD | interest.flags(), interest.fflags());
            change.data = interest.data();
            change.udata = attachment;
            change.word = interest.word();
            if (office.isForeign()) {
                office.post(change, null);
                return null;
            }
            KnoteImpl knote = changes.change(call, change);
            call.submitWords(this);
            return knote;
        } finally {
            leave(call);
        }
    }

    /**
     * Wakes those who wait for a word: at most {@code count} of them, queues and futex(2) sleepers alike, in the order
     * in which they began. Touches no knote of this queue.
     *
     * @throws KeventException EINVAL: {@code count} is negative, the word not aligned; EFAULT: it is in no native memory,
     *     or in memory that is closed
     */
    public void wake(MemorySegment word, int count) {
        Wakes.wake(word, count, false);
    }

    /**
     * As {@link #wake}, for those who wait with NOTE_USERMEM_PRIVATE in this process, and only those. Makes no system
     * call unless a thread has to be woken.
     */
    public void wakePrivately(MemorySegment word, int count) {
        Wakes.wake(word, count, true);
    }

    /**
     * Waits for events and gives them to the handler, one by one, as {@link java.nio.channels.Selector#select} does.
     * Returns early, with 0, after {@link #wakeup} or when the thread is interrupted, which it then still is.
     *
     * @param handler runs on the calling thread; no lock is held. If it throws, the events behind are not lost if they
     *     are level triggered. Events that were retrieved together all come, also of a knote that the handler has
     *     cancelled or disabled meanwhile, as with an eventlist
     * @param timeout at most this long, of nanosecond precision; null waits for ever; zero polls
     * @return how many events there were
     * @throws KeventException EBADF if the queue is, or becomes, closed; EPERM for a thread that is not the owner
     */
    public int poll(EventHandler handler, Duration timeout) {
        return pollNanos(handler, Arguments.nanos("poll", timeout));
    }

    /**
     * As {@link #poll}, without an object for the timeout.
     *
     * @param nanos at most this long, in nanoseconds; negative waits for ever; zero polls
     */
    public int pollNanos(EventHandler handler, long nanos) {
        return pollNanos(null, 0, handler, Integer.MAX_VALUE, nanos);
    }

    /**
     * As {@link #pollNanos(EventHandler, long)}, and takes no more than {@code most} events: the others stay for whoever
     * polls next, on any thread.
     */
    public int pollNanos(EventHandler handler, int most, long nanos) {
        if (most <= 0) {
            throw new IllegalArgumentException("poll: most is " + most + ": expected 1 event or more");
        }
        return pollNanos(null, 0, handler, most, nanos);
    }

    /**
     * As {@link #pollNanos(EventHandler, long)}, and applies changes before, as {@link #kevent} does: those that fail are
     * events with EV_ERROR. A word that is armed with the wait takes no system call of its own, and none at all if it
     * changes while the queue spins.
     *
     * @param changes may be null if {@code nchanges} is 0
     * @param nchanges how many of its entries to apply
     */
    public int pollNanos(KeventList changes, int nchanges, EventHandler handler, long nanos) {
        Arguments.check(changes, nchanges, null, 0);
        return pollNanos(changes, nchanges, handler, Integer.MAX_VALUE, nanos);
    }

    private int pollNanos(KeventList changes, int nchanges, EventHandler handler, int most, long nanos) {
        Objects.requireNonNull(handler); // or events would be lost on it
        Call call = enter();
        KeventList events = call.list();
        int n;
        try {
            n = nchanges == 0 ? 0 : this.changes.apply(call, changes, nchanges, events, events.size());
            if (n == 0) {
                n = retrieval.retrieve(call, events, Math.min(most, events.size()), nanos, false);
            } else {
                activation.activate(call);
                call.submitWords(this);
            }
        } catch (Throwable t) {
            leave(call);
            throw t;
        }
        depart(); // the handler may close the queue, which waits for those inside
        try {
            for (int i = 0; i < n; i++) {
                handler.handle(call.view.at(events, i));
            }
            return poller.hasEdges() ? n + giveEdges(handler, events.size()) : n;
        } finally {
            events.forget(n);
            call.end();
        }
    }

    /** Edges that are left are for the next poll, which begins with them. */
    private int giveEdges(EventHandler handler, int most) {
        int n = 0;
        for (Object target; n < most && (target = poller.nextEdge()) != null; n++) {
            handler.edge(target, poller.edgeEvents());
        }
        return n;
    }

    /**
     * The calling thread becomes the owner of this queue, which has a single one. The caller sees to it that the thread
     * that was the owner uses the queue no more, or only as other threads may, and happens before this.
     *
     * @throws KeventException EBUSY if words wait in a ring that obeys the former owner alone, see
     *     {@link #canChangeOwner}; EINVAL for a queue that has no owner
     */
    public void takeOver() {
        if (shared) {
            throw new KeventException(Errno.EINVAL, "takeOver: the queue is for any number of threads");
        }
        office.takeOver(poller.isBound());
    }

    /** Whether another thread can {@link #takeOver} the queue now and whatever is registered with it. */
    public boolean canChangeOwner() {
        return !shared && !poller.mayBeBound();
    }

    /** Makes the {@link #poll} that waits return at once, or else the next one. Any thread. */
    public void wakeup() {
        if (!shared) {
            office.requestWakeup();
            return;
        }
        activation.wake(sleepers.requestWakeup());
    }

    /** Ends everything. Those who wait, here or in {@link Kqueue#kevent}, get EBADF. Closing again does nothing. */
    @Override
    public void close() {
        synchronized (interrupts) {
            if (closed) {
                return;
            }
            closed = true;
        }
        nesting.tellOfClose();
        Queues.removeAll(this);
        awaitDeparture();
        Call call = Call.begin();
        try {
            poller.disarmAll();
            changes.clear();
        } finally {
            call.end();
            try {
                filters.close();
            } finally {
                poller.close();
                if (beacon != null) {
                    beacon.close();
                }
                memory.clear();
            }
        }
    }

    /** Another fd for this queue. */
    int dup() {
        int fd = Fds.dup(fd());
        if (fd < 0) {
            throw new KeventException(-fd, "dup: fd " + fd());
        }
        Queues.put(fd, this);
        if (closed && Queues.remove(fd, this) >= 0) { // else close() has seen this name
            Fds.close(fd);
            throw Refusals.closed();
        }
        return fd;
    }

    /** Closes one of the queue's names, and with the last the queue. */
    void close(int fd) {
        Queues.forgetFd(fd);
        int left = Queues.remove(fd, this);
        if (left < 0) {
            throw Refusals.closed(); // by another thread, just now
        }
        if (left == 0) {
            close();
        }
        if (fd != fd()) {
            Fds.close(fd);
        }
    }

    /**
     * kevent(2) on this queue, as {@link Kqueue#kevent}: applies the changes, then waits for events.
     *
     * @param timeout null waits for ever; zero polls
     * @return how many entries of {@code events} were filled
     */
    public int kevent(KeventList changes, int nchanges, KeventList events, int nevents, Duration timeout) {
        int room = Arguments.check(changes, nchanges, events, nevents);
        long nanos = Arguments.nanos("kevent", timeout);
        Call call = enter();
        try {
            int errors = this.changes.apply(call, changes, nchanges, events, room);
            if (errors > 0 || room == 0) {
                call.submitWords(this);
                return errors;
            }
            return retrieval.retrieve(call, events, room, nanos, true);
        } finally {
            leave(call);
        }
    }

    Call enter() {
        presence.enter();
        if (closed) {
            presence.leave();
            throw Refusals.closed();
        }
        if (!shared) {
            office.claim();
        }
        return Call.begin();
    }

    void leave(Call call) {
        try {
            activation.activate(call);
            call.submitWords(this); // there are some left if a filter has thrown
        } finally {
            call.end();
            depart();
        }
    }

    /** A thread that was present leaves. */
    void depart() {
        try {
            if (beacon != null) {
                beacon.update();
            }
        } finally {
            presence.leave();
        }
    }

    /** Sends those who are inside away, and waits until they have left. */
    private void awaitDeparture() {
        presence.settle();
        for (int tries = 0; presence.isAnybody(); tries++) {
            Waiter waiter = sleepers.takeAny();
            if (waiter != null) {
                LockSupport.unpark(waiter.thread);
            }
            poller.wakeup();
            SpinLock.backOff(tries);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** From now on, sleep is interrupted to look whether the words' memory is still there. */
    void watchesWords() {
        if (!watchesWords) {
            watchesWords = true;
        }
    }
}
