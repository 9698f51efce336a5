package dev.knote;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_FORCEONESHOT;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.EV_SYSFLAGS;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.poll.PollException;
import dev.knote.poll.Poller;
import dev.knote.poll.Pollers;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
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
 * whose words are registered are kept reachable until then.
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

    private static final int ORDER_ACTIVATE = 1;
    private static final int ORDER_TRIGGER = 2;
    private static final int SETTLE_TRIES = 8;
    private static final long CHECK_WORDS_NANOS = 250_000_000;
    private static final NestedWatch[] NO_WATCHERS = {};

    final boolean shared;
    final Poller poller;
    final TimerHeap timers;
    final Memory memory = new Memory();

    private final KnoteTable table;
    private final ReadyList ready;
    private final Mailbox mailbox = new Mailbox();
    private final Interrupts interrupts = new Interrupts(this);
    private final AtomicInteger names = new AtomicInteger(1);
    private final Presence presence = new Presence();
    private final Filters filters;
    private final Spin spin;
    private final ArrayDeque<Kevent> failedPosts = new ArrayDeque<>();
    private final Set<EventQueue> inner = new HashSet<>();
    private volatile NestedWatch[] watchers = NO_WATCHERS;
    private volatile Thread owner;
    private volatile boolean closed;
    private volatile boolean wordsUsed;
    private volatile boolean wakeupRequested;
    private volatile long wordsCheckedAt;

    EventQueue(Options options) {
        shared = !options.isSingleOwner();
        timers = new TimerHeap(shared);
        table = new KnoteTable(shared);
        ready = new ReadyList(shared);
        filters = new Filters(options.filters());
        spin = new Spin(options.spinning());
        try {
            poller = Pollers.open(!shared, options.pollerName());
        } catch (PollException e) {
            throw new KeventException(e.errno(), "kqueue: " + e.getMessage());
        }
        Queues.put(fd(), this);
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
     * close-on-exec. Close the queue, not this.
     */
    public int fd() {
        return poller.fd();
    }

    /** The name of the poller that was chosen, {@code io_uring} or {@code epoll}. */
    public String pollerName() {
        return poller.name();
    }

    /** The pollers there are, best first, each with the reason why it can't be had on this machine, or null. */
    public static Map<String, String> pollers() {
        return Pollers.reasons();
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
            fill(change, interest.ident(), interest.filter(), EV_ADD | interest.flags(), interest.fflags());
            change.data = interest.data();
            change.udata = attachment;
            change.word = interest.word();
            if (isForeign()) {
                post(change);
                return null;
            }
            KnoteImpl knote = change(call, change);
            submitWords(call);
            return knote;
        } finally {
            leave(call);
        }
    }

    /**
     * Wakes those who wait for a word: at most {@code count} of them, queues and futex(2) sleepers alike, in the order
     * in which they began. Touches no knote of this queue.
     */
    public void wake(MemorySegment word, int count) {
        Wakes.wake(word, count);
    }

    /**
     * Waits for events and gives them to the handler, one by one, as {@link java.nio.channels.Selector#select} does.
     * Returns early, with 0, after {@link #wakeup} or when the thread is interrupted, which it then still is.
     *
     * @param handler runs on the calling thread; no lock is held. If it throws, the events behind are not lost if they
     *     are level triggered
     * @param timeout at most this long, of nanosecond precision; null waits for ever; zero polls
     * @return how many events there were
     * @throws KeventException EBADF if the queue is, or becomes, closed; EPERM for a thread that is not the owner
     */
    public int poll(EventHandler handler, Duration timeout) {
        long nanos = nanos("poll", timeout);
        Call call = enter();
        KeventList events = call.list();
        int n;
        try {
            n = retrieve(call, events, events.size(), nanos, false);
        } catch (Throwable t) {
            leave(call);
            throw t;
        }
        presence.leave(); // the handler may close the queue, which waits for those inside
        try {
            for (int i = 0; i < n; i++) {
                handler.handle(call.view.at(events, i));
            }
        } finally {
            events.forget(n);
            call.end();
        }
        return n;
    }

    /** Makes the {@link #poll} that waits return at once, or else the next one. Any thread. */
    public void wakeup() {
        if (!shared) {
            wakeupRequested = true;
            if (mailbox.wakes()) {
                wakePoller();
            }
            return;
        }
        wake(ready.requestWakeup());
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
        Queues.removeAll(this);
        awaitDeparture();
        Call call = Call.begin();
        try {
            clear();
        } finally {
            call.end();
        }
        filters.close();
        poller.close();
        memory.clear();
    }

    /** Another fd for this queue. */
    int dup() {
        int fd = Fds.dup(fd());
        if (fd < 0) {
            throw new KeventException(-fd, "dup: fd " + fd());
        }
        names.incrementAndGet();
        Queues.put(fd, this);
        return fd;
    }

    /** Closes one of the queue's fds, and with the last the queue. */
    void close(int fd) {
        if (names.decrementAndGet() == 0) {
            Queues.remove(fd);
            close();
        } else {
            Queues.remove(fd);
        }
        if (fd != fd()) {
            Fds.close(fd);
        }
    }

    /** Removes every knote. */
    void clear() {
        for (KnoteImpl listed : table.all()) {
            KnoteImpl knote = table.take(listed.ident, listed.filterNumber);
            if (knote != null) {
                drop(knote);
            }
        }
    }

    // ---- kevent

    int kevent(KeventList changes, int nchanges, KeventList events, int nevents, Duration timeout) {
        check(changes, nchanges, events, nevents);
        long nanos = nanos("kevent", timeout);
        Call call = enter();
        try {
            int errors = apply(call, changes, nchanges, events, nevents);
            if (errors > 0 || nevents == 0) {
                submitWords(call);
                return errors;
            }
            return retrieve(call, events, nevents, nanos, true);
        } finally {
            leave(call);
        }
    }

    private Call enter() {
        presence.enter();
        if (closed) {
            presence.leave();
            throw closedError();
        }
        if (!shared && owner == null) {
            owner = Thread.currentThread();
        }
        return Call.begin();
    }

    private void leave(Call call) {
        call.end();
        presence.leave();
    }

    /** Sends those who are inside away, and waits until they have left. */
    private void awaitDeparture() {
        for (int tries = 0; presence.isAnybody(); tries++) {
            Waiter waiter = ready.takeAnyWaiter();
            if (waiter != null) {
                LockSupport.unpark(waiter.thread);
            }
            poller.wakeup();
            SpinLock.backOff(tries);
        }
    }

    private KeventException closedError() {
        return new KeventException(Errno.EBADF, "kevent: the queue is closed");
    }

    static KeventException refusal(int errno, long ident, String filter, String what) {
        return new KeventException(errno, "kevent: ident " + ident + ", " + filter + ": " + what);
    }

    private static KeventException missing(Kevent change, Filter filter) {
        return refusal(Errno.ENOENT, change.ident, filter.name(), "there is no such knote");
    }

    private static void fill(Kevent change, long ident, int filter, int flags, int fflags) {
        change.ident = ident;
        change.filter = filter;
        change.flags = flags;
        change.fflags = fflags;
        change.ext0 = 0;
        change.ext1 = 0;
        change.ext2 = 0;
        change.ext3 = 0;
    }

    private static void check(KeventList changes, int nchanges, KeventList events, int nevents) {
        if (nchanges < 0 || nevents < 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "kevent: nchanges is " + nchanges + ", nevents is " + nevents + ": expected 0 or more");
        }
        if (nchanges > 0 && changes == null || nevents > 0 && events == null) {
            throw new KeventException(
                    Errno.EFAULT,
                    "kevent: " + (nchanges > 0 && changes == null ? "changelist" : "eventlist")
                            + " is null, and its length is not 0");
        }
        if (nchanges > 0 && nchanges > changes.size()) {
            throw new KeventException(
                    Errno.EFAULT,
                    "kevent: nchanges is " + nchanges + ": the changelist has " + changes.size()
                            + " entries");
        }
    }

    private static long nanos(String function, Duration timeout) {
        if (timeout == null) {
            return -1;
        }
        if (timeout.isNegative()) {
            throw new KeventException(
                    Errno.EINVAL,
                    function + ": timeout is " + timeout + ": expected null, zero or a positive duration");
        }
        return timeout.getSeconds() >= Long.MAX_VALUE / 1_000_000_000 - 1
                ? Long.MAX_VALUE / 2
                : Math.min(Long.MAX_VALUE / 2, timeout.toNanos());
    }

    private int apply(Call call, KeventList changes, int nchanges, KeventList events, int nevents) {
        int room = nevents == 0 ? 0 : Math.min(nevents, events.size());
        int errors = 0;
        Kevent change = call.change;
        for (int i = 0; i < nchanges; i++) {
            changes.read(i, change);
            if (change.filter == 0) {
                continue;
            }
            if (call.wakes > 0 && (!change.has(EV_ANON) || call.wakes == call.wakeAddresses.length)) {
                errors = flushWakes(call, changes, events, room, errors);
                changes.read(i, change);
            }
            int wakes = call.wakes;
            KeventException failure = tryChange(call, change);
            if (call.wakes > wakes) {
                call.wakeEntries[wakes] = i;
                continue; // answered when it has been done
            }
            if (failure != null && call.wakes > 0) {
                errors = flushWakes(call, changes, events, room, errors);
                changes.read(i, change);
            }
            if (failure != null || change.has(EV_RECEIPT)) {
                if (errors >= room) {
                    return refuse(call, failure, errors);
                }
                answer(change, failure == null ? 0 : failure.errno(), events, errors++);
            }
        }
        return call.wakes > 0 ? flushWakes(call, changes, events, room, errors) : errors;
    }

    private KeventException tryChange(Call call, Kevent change) {
        try {
            if (isForeign() && !change.has(EV_ANON)) {
                post(change);
            } else {
                change(call, change);
            }
            return null;
        } catch (KeventException e) {
            return e;
        }
    }

    /** There is no room for an answer: an error is the call's own, a receipt ends it. */
    private int refuse(Call call, KeventException failure, int errors) {
        submitWords(call);
        if (failure != null) {
            throw failure;
        }
        return errors;
    }

    private static void answer(Kevent change, int errno, KeventList events, int at) {
        change.flags = EV_ERROR;
        change.data = errno;
        events.write(at, change);
    }

    /** Does the wakes that stand in a row in the changelist, in one entry into the kernel, and answers them. */
    private int flushWakes(Call call, KeventList changes, KeventList events, int room, int errorsBefore) {
        int errors = errorsBefore;
        int n = call.wakes;
        call.wakes = 0;
        poller.wake(call.wakeAddresses, call.wakeCounts, n);
        for (int k = 0; k < n; k++) {
            int result = call.wakeCounts[k];
            changes.read(call.wakeEntries[k], call.event);
            if (result < 0 || call.event.has(EV_RECEIPT)) {
                if (errors >= room) {
                    return refuse(call, result < 0 ? Wakes.failure(call.event.ident, -result) : null, errors);
                }
                answer(call.event, Math.max(0, -result), events, errors++);
            }
        }
        return errors;
    }

    // ---- changes

    /** Makes one change; returns the knote that it made or modified, null for other changes. */
    private KnoteImpl change(Call call, Kevent change) {
        change.flags &= ~EV_SYSFLAGS;
        Filter filter = filters.get(change.filter);
        if (filter == null) {
            throw refusal(Errno.EINVAL, change.ident, "filter " + change.filter, "there is no such filter");
        }
        checkFlags(change, filter);
        if (change.has(EV_ANON)) {
            filter.anon(change, call.memory(this));
            return null;
        }
        for (;;) {
            KnoteImpl knote = table.take(change.ident, change.filter);
            if (closed) {
                if (knote != null) {
                    knote.giveBack();
                }
                throw closedError();
            }
            if (knote == null) {
                KnoteImpl made = create(call, filter, change);
                if (made != null) {
                    return made;
                }
            } else if (change.has(EV_DELETE)) {
                if (!drop(knote)) {
                    throw missing(change, filter);
                }
                return null;
            } else if (knote.lostFd() || change.has(EV_ADD) && knote.lostWord()) {
                drop(knote);
            } else {
                return modify(call, knote, change);
            }
        }
    }

    private static void checkFlags(Kevent change, Filter filter) {
        if (change.has(EV_ENABLE) && change.has(EV_DISABLE)) {
            throw refusal(Errno.EINVAL, change.ident, filter.name(),
                    "EV_ENABLE and EV_DISABLE exclude each other");
        }
        if (change.has(EV_KEEPUDATA) && change.has(EV_ADD)) {
            throw refusal(Errno.EINVAL, change.ident, filter.name(), "EV_KEEPUDATA does not go with EV_ADD");
        }
    }

    /** A new knote; null if another thread was faster. */
    private KnoteImpl create(Call call, Filter filter, Kevent change) {
        if (!change.has(EV_ADD)) {
            throw missing(change, filter);
        }
        KnoteImpl knote = new KnoteImpl(this, filter, change);
        knote.status = change.has(EV_DISABLE) ? ReadyList.DISABLED : 0;
        if (!table.insert(knote)) {
            return null;
        }
        knote.call = call;
        boolean attached = false;
        try {
            filter.attach(knote, change);
            if (change.word != null) {
                memory.give(change.word);
            }
            attached = true;
        } finally {
            if (!attached) {
                table.remove(knote);
                ready.kill(knote);
                knote.release();
            }
        }
        // The poller tells of an fd that is ready already; asking would cost a system call.
        if (!knote.watchesFd()) {
            ask(knote);
        }
        if (change.has(EV_FORCEONESHOT)) {
            force(knote);
        }
        knote.giveBack();
        return knote;
    }

    private KnoteImpl modify(Call call, KnoteImpl knote, Kevent change) {
        knote.call = call;
        try {
            knote.filter.touch(knote, change);
            if (!change.has(EV_KEEPUDATA)) {
                knote.udata = change.udata;
            }
            if (change.has(EV_DISABLE)) {
                ready.disable(knote);
            } else if (change.has(EV_ADD | EV_ENABLE)) {
                ready.enable(knote);
            }
            ask(knote);
            if (change.has(EV_FORCEONESHOT)) {
                force(knote);
            }
        } finally {
            if (knote.gone) {
                drop(knote);
            } else {
                knote.giveBack();
            }
        }
        return knote;
    }

    private void ask(KnoteImpl knote) {
        if (!knote.isDisabled() && knote.filter.event(knote)) {
            activate(knote);
        }
    }

    private void force(KnoteImpl knote) {
        knote.flags |= EV_ONESHOT;
        wake(ready.force(knote));
        notifyWatchers();
    }

    /** Removes a knote that is taken. False if its fd had been closed before, so that it was as good as gone. */
    private boolean drop(KnoteImpl knote) {
        table.remove(knote);
        ready.kill(knote);
        try {
            knote.filter.detach(knote);
        } finally {
            knote.gone = knote.release();
        }
        return knote.gone;
    }

    /** What {@link Kqueue#close} does to the knotes of an fd. */
    void forgetFd(int fd) {
        for (KnoteImpl listed : table.all()) {
            if (listed.ident == fd && listed.watchesFd()) {
                KnoteImpl knote = table.take(listed.ident, listed.filterNumber);
                if (knote != null) {
                    drop(knote);
                }
            }
        }
    }

    /** A change by way of a {@link Knote}. */
    void order(KnoteImpl knote, int flags, int fflags, long data) {
        Call call = enter();
        try {
            Kevent change = call.change;
            fill(change, knote.ident, knote.filterNumber, flags, fflags);
            change.data = data;
            change.udata = null;
            change.word = null;
            if (isForeign()) {
                post(change);
                return;
            }
            if (knote.isDead()) {
                throw missing(change, knote.filter);
            }
            change(call, change);
            submitWords(call);
        } finally {
            leave(call);
        }
    }

    void trigger(KnoteImpl knote) {
        if (isForeign()) {
            deliverOrder(knote, ORDER_TRIGGER);
        } else {
            order(knote, EV_KEEPUDATA, Kqueue.NOTE_TRIGGER, knote.savedData);
        }
    }

    void cancel(KnoteImpl knote) {
        if (knote.isDead()) {
            return;
        }
        try {
            order(knote, EV_DELETE, 0, 0);
        } catch (KeventException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }

    // ---- activation

    void activate(KnoteImpl knote) {
        if (isForeign()) {
            deliverOrder(knote, ORDER_ACTIVATE);
            return;
        }
        wake(ready.activate(knote));
        notifyWatchers();
    }

    void deadline(KnoteImpl knote, long nanoTime) {
        if (timers.set(knote, nanoTime) && shared) {
            wakePoller();
        }
        for (NestedWatch watcher : watchers) {
            watcher.deadline(nanoTime);
        }
    }

    private void notifyWatchers() {
        for (NestedWatch watcher : watchers) {
            watcher.activate();
        }
    }

    private void wake(Waiter waiter) {
        if (waiter == null) {
            return;
        }
        if (ready.isLeader(waiter)) {
            wakePoller();
        } else {
            LockSupport.unpark(waiter.thread);
        }
    }

    /** Any thread, at any time: the fd that this writes to is closed when nobody is present. */
    void wakePoller() {
        presence.enter();
        if (!closed) {
            poller.wakeup();
        }
        presence.leave();
    }

    // ---- retrieval

    private int retrieve(Call call, KeventList events, int nevents, long nanos, boolean errno) {
        checkOwner();
        int max = Math.min(nevents, events.size());
        long deadline = nanos > 0 ? System.nanoTime() + nanos : 0;
        readMail(call);
        int n = takeFailedPosts(call, events, scan(call, events, 0, max), max);
        if (n < max && (n > 0 || nanos == 0)) {
            submitWords(call);
            harvest(call);
            n = scan(call, events, n, max);
        }
        while (n == 0 && nanos != 0) {
            long left = nanos < 0 ? -1 : Math.max(0, deadline - System.nanoTime());
            if (left == 0 || !sleep(call, left)) {
                break;
            }
            readMail(call);
            n = scan(call, events, 0, max);
            n = takeFailedPosts(call, events, n, max);
            if (n == 0 && Thread.currentThread().isInterrupted()) {
                break;
            }
        }
        finish(call, events, n);
        if (n == 0 && errno && Thread.interrupted()) {
            throw new KeventException(Errno.EINTR, "kevent: the thread was interrupted");
        }
        return n;
    }

    private void finish(Call call, KeventList events, int n) {
        submitWords(call);
        if (call.rearmedCount > 0) {
            settle(call, events);
        }
        if (shared) {
            ready.forgetWakeup();
            wake(ready.afterWait());
        }
        if (closed && n == 0) {
            throw closedError();
        }
    }

    /** Fills the eventlist from {@code from} on; returns the next free entry. */
    private int scan(Call call, KeventList events, int from, int max) {
        if (!timers.isEmpty()) {
            timers.expire(this);
        }
        int n = from;
        long scan = from == 0 ? call.nextScan() : call.scan();
        while (n < max) {
            KnoteImpl knote = ready.pop(scan);
            if (knote == null) {
                break;
            }
            n = deliver(call, knote, events, n);
        }
        return n;
    }

    private int deliver(Call call, KnoteImpl knote, KeventList events, int at) {
        boolean drop = false;
        int next = at;
        knote.call = call;
        try {
            boolean fires = (knote.popped & ReadyList.FORCED) != 0 || knote.filter.event(knote);
            drop = knote.gone;
            if (fires && !drop) {
                int rearmed = call.deferredCount;
                fillEvent(knote, call.event);
                knote.filter.deliver(knote, call.event);
                events.write(at, call.event);
                next++;
                if (call.deferredCount > rearmed) {
                    call.rearmed(knote, at);
                }
                drop = (knote.flags & EV_ONESHOT) != 0;
                afterDelivery(knote, drop);
            }
        } finally {
            if (drop) {
                drop(knote);
            } else {
                knote.giveBack();
            }
        }
        return next;
    }

    private void afterDelivery(KnoteImpl knote, boolean dropped) {
        if ((knote.flags & EV_DISPATCH) != 0) {
            ready.disable(knote);
        } else if (!dropped && (knote.flags & EV_CLEAR) == 0) {
            ready.requeue(knote);
        }
    }

    private static void fillEvent(KnoteImpl knote, Kevent event) {
        event.ident = knote.ident;
        event.filter = knote.filterNumber;
        event.flags = knote.flags | knote.eventFlags;
        event.fflags = knote.fflags;
        event.data = knote.data;
        event.udata = knote.udata;
        event.ext0 = knote.ext0;
        event.ext1 = knote.ext1;
        event.ext2 = knote.ext2;
        event.ext3 = knote.ext3;
        event.word = knote.word;
        if (knote.error != 0) {
            event.flags |= EV_ERROR;
            event.data = knote.error;
        }
    }

    /** Words that changed between being read for their event and being armed again: the event gets the newer value. */
    private void settle(Call call, KeventList events) {
        for (int tries = 0; call.rearmedCount > 0 && tries < SETTLE_TRIES; tries++) {
            int count = call.rearmedCount;
            call.rearmedCount = 0;
            for (int i = 0; i < count; i++) {
                KnoteImpl knote = call.rearmed[i];
                call.rearmed[i] = null;
                if (knote.wait.bits() == FilterKnote.WORD_DIFFERS) {
                    settle(call, knote, events, call.rearmedAt[i]);
                }
            }
            submitWords(call);
        }
        call.rearmedCount = 0;
    }

    private void settle(Call call, KnoteImpl listed, KeventList events, int at) {
        KnoteImpl knote = table.take(listed.ident, listed.filterNumber);
        if (knote == null) {
            return;
        }
        knote.call = call;
        if (knote == listed && knote.wait.bits() == FilterKnote.WORD_DIFFERS) {
            events.read(at, call.event);
            knote.filter.settle(knote, call.event);
            events.write(at, call.event);
            call.rearmed(knote, at);
        }
        knote.giveBack();
    }

    // ---- sleeping

    /** Sleeps until there is reason to look again. False after a wakeup. */
    private boolean sleep(Call call, long nanos) {
        if (closed) {
            throw closedError();
        }
        if (spin.worthwhile() && spinUntilSomething(call, nanos)) {
            return true;
        }
        long limit = limitForWords(nanos);
        return shared ? sleepShared(call, limit) : sleepOwned(call, limit);
    }

    private boolean sleepOwned(Call call, long nanos) {
        giveWords(call);
        if (!mailbox.beginSleep()) {
            return true;
        }
        if (wakeupRequested) {
            mailbox.endSleep();
            wakeupRequested = false;
            return false;
        }
        try {
            boolean empty = ready.looksEmpty() && !closed;
            pollAsLeader(empty ? timers.beginSleep(nanos) : 0);
        } finally {
            mailbox.endSleep();
        }
        timers.expire(this);
        return true;
    }

    private boolean sleepShared(Call call, long nanos) {
        submitWords(call);
        Waiter me = call.waiter;
        if (!ready.beginWait(me)) {
            return !ready.takeWakeup();
        }
        if (ready.isLeader(me)) {
            try {
                pollAsLeader(closed ? 0 : timers.beginSleep(nanos));
                timers.endSleep();
                timers.expire(this);
            } finally {
                ready.endLead();
            }
        } else {
            follow(me, nanos);
        }
        return true;
    }

    private void pollAsLeader(long nanos) {
        interrupts.enter();
        try {
            poller.poll(nanos);
        } catch (PollException e) {
            throw closed ? closedError() : new KeventException(e.errno(), "kevent: " + e.getMessage());
        } finally {
            interrupts.leave();
        }
    }

    private void follow(Waiter me, long nanos) {
        long deadline = nanos < 0 ? 0 : System.nanoTime() + nanos;
        while (!me.signalled && !closed && !Thread.currentThread().isInterrupted()) {
            if (nanos < 0) {
                LockSupport.park(this);
                continue;
            }
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            LockSupport.parkNanos(this, left);
        }
        ready.endFollow(me);
    }

    /** Looks without waiting at what the poller has, unless somebody is doing that. */
    private void harvest(Call call) {
        if (poller.isIdle()) {
            return;
        }
        if (!shared) {
            pollAsLeader(0);
        } else if (ready.tryLead(call.waiter)) {
            try {
                pollAsLeader(0);
            } finally {
                ready.endLead();
            }
        }
    }

    /** For a queue that watches this one. */
    void harvest() {
        presence.enter();
        Call call = Call.begin();
        try {
            if (!closed) {
                harvest(call);
                timers.expire(this);
            }
        } finally {
            leave(call);
        }
    }

    int pending() {
        return ready.size();
    }

    private boolean spinUntilSomething(Call call, long nanos) {
        spin.begin(nanos);
        boolean found = false;
        do {
            found = !ready.looksEmpty() || !mailbox.isEmpty() || poller.hasCompletions() || peekWords(call);
        } while (!found && spin.goesOn());
        spin.end(found);
        return found && (!ready.looksEmpty() || !mailbox.isEmpty());
    }

    private static boolean peekWords(Call call) {
        for (int i = 0; i < call.deferredCount; i++) {
            if (call.deferred[i].peek()) {
                return true;
            }
        }
        return false;
    }

    // ---- words

    /** Gives the poller the words armed in this call. */
    private void giveWords(Call call) {
        for (int i = 0; i < call.deferredCount; i++) {
            call.deferred[i].submit();
            call.deferred[i] = null;
        }
        if (call.deferredCount > 0) {
            call.deferredCount = 0;
            watchesWords();
            for (NestedWatch watcher : watchers) {
                watcher.lookForRing();
            }
        }
    }

    /** Brings the words armed in this call into effect. */
    private void submitWords(Call call) {
        if (call.deferredCount > 0) {
            giveWords(call);
            poller.flush();
        }
    }

    /** From now on, sleep is interrupted to look whether the words' memory is still there. */
    void watchesWords() {
        if (!wordsUsed) {
            wordsUsed = true;
        }
    }

    /** Memory can go while nobody wakes its words any more: while some are watched, they are looked at now and then. */
    private long limitForWords(long nanos) {
        if (!wordsUsed) {
            return nanos;
        }
        long now = System.nanoTime();
        if (now - wordsCheckedAt >= CHECK_WORDS_NANOS) {
            wordsCheckedAt = now;
            for (KnoteImpl knote : table.all()) {
                if (knote.wait != null && knote.wait.isWaiting()) {
                    knote.wait.checkMemory();
                }
            }
        }
        return nanos < 0 ? CHECK_WORDS_NANOS : Math.min(nanos, CHECK_WORDS_NANOS);
    }

    // ---- single owner

    private boolean isForeign() {
        return !shared && owner != Thread.currentThread();
    }

    private void checkOwner() {
        if (isForeign()) {
            throw new KeventException(
                    Errno.EPERM,
                    "kevent: the queue belongs to thread " + owner.getName() + ", which alone may wait");
        }
    }

    private void post(Kevent change) {
        if (mailbox.put(new Post(change))) {
            wakePoller();
        }
    }

    private void deliverOrder(KnoteImpl knote, int order) {
        if (knote.order(order) && mailbox.put(knote)) {
            wakePoller();
        }
    }

    /** What another thread asked for, and could not be done, is an event of the owner's. */
    private int takeFailedPosts(Call call, KeventList events, int from, int max) {
        int n = from;
        while (n < max && !failedPosts.isEmpty()) {
            events.write(n++, failedPosts.removeFirst());
        }
        return n;
    }

    private void readMail(Call call) {
        if (shared) {
            return;
        }
        Mail mail = mailbox.takeAll();
        while (mail != null) {
            Mail next = mail.nextMail;
            mail.nextMail = null;
            if (mail instanceof Post post) {
                applyPost(call, post);
            } else {
                KnoteImpl knote = (KnoteImpl) mail;
                obey(knote, knote.takeOrders());
            }
            mail = next;
        }
    }

    private void applyPost(Call call, Post post) {
        try {
            change(call, post.change());
        } catch (KeventException e) {
            Kevent failed = post.change();
            failed.flags = EV_ERROR;
            failed.data = e.errno();
            failedPosts.add(failed);
        }
    }

    private void obey(KnoteImpl knote, int orders) {
        if ((orders & ORDER_ACTIVATE) != 0) {
            activate(knote);
        }
        if ((orders & ORDER_TRIGGER) != 0 && !knote.isDead()) {
            order(knote, EV_KEEPUDATA, Kqueue.NOTE_TRIGGER, knote.savedData);
        }
    }

    // ---- nesting

    void addWatcher(NestedWatch watcher) {
        NestedWatch[] old = watchers;
        NestedWatch[] more = java.util.Arrays.copyOf(old, old.length + 1);
        more[old.length] = watcher;
        watchers = more;
    }

    void removeWatcher(NestedWatch watcher) {
        watchers = java.util.Arrays.stream(watchers)
                .filter(other -> other != watcher)
                .toArray(NestedWatch[]::new);
    }

    void watching(EventQueue other, boolean begins) {
        if (begins) {
            inner.add(other);
        } else {
            inner.remove(other);
        }
    }

    boolean reaches(EventQueue target) {
        return this == target || inner.stream().anyMatch(queue -> queue.reaches(target));
    }
}
