package dev.knote.pool;

import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.KeventException;
import dev.knote.words.Words;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A pool of threads that handle the events of one queue. One of them, the leader, waits in the queue; idle ones sleep,
 * each by itself, and nothing but the pool wakes them. With an event in hand the leader leaves the lead, asks the
 * {@link Policy} whether to wake a follower to lead meanwhile, and handles the event. A thread whose handler returns
 * takes the next event that is ready, or leads if nobody does, or becomes idle. So the kernel wakes one thread, for an
 * event; whether another one is worth a switch is decided here.
 *
 * <p><b>Handlers</b> run on a thread of the pool, one event each. Events of one knote are not handled by two threads at
 * once: {@link #register} adds EV_DISPATCH, and enables the knote when the handler has returned; what happens meanwhile
 * is delivered then. For other knotes of the queue, whose attachment is an {@link EventHandler}, the user chooses:
 * with EV_DISPATCH or EV_ONESHOT he says himself when the next event may come; with EV_CLEAR two threads may handle two
 * events of it; level triggered, several threads are given the same event again and again. What a handler throws is
 * reported, and ends nothing.
 *
 * <p><b>Handlers that block.</b> Inside {@link #blocking} the thread does not count as one that runs, and another one
 * leads at once. Of a handler that blocks and does not say so, the pool learns after {@link PoolOptions#bound}, and by
 * the policy's memory of how long the same handler took before.
 *
 * <p>The queue is for any number of threads (words of memory would keep one of a single owner with him). Only the pool
 * waits in it; anybody may change it, trigger its knotes, wake its words, in other processes too. It outlives the pool;
 * if it is closed the pool ends.
 */
public final class LeaderFollowers implements AutoCloseable {
    private static final long FAILURE_PAUSE_NANOS = 1_000_000;

    final EventQueue queue;
    final Policy policy;
    final Ranks<Worker> ranks;
    final Watch watch;
    private final PoolOptions options;
    private final Roster roster;
    private final AtomicInteger blocked = new AtomicInteger();
    private final AtomicLong rescues = new AtomicLong();

    private LeaderFollowers(EventQueue queue, PoolOptions options) {
        this.queue = queue;
        this.options = options;
        this.policy = options.policy;
        this.ranks = new Ranks<>(policy);
        this.roster = new Roster(this, options);
        this.watch = new Watch(
                this, options.name + "-watch", options.bound.toNanos(), options.keepIdle.toNanos());
    }

    /**
     * Starts a pool with one thread; the others are started when they are needed.
     *
     * @throws IllegalArgumentException if the queue has a single owner
     */
    public static LeaderFollowers start(EventQueue queue, PoolOptions options) {
        Objects.requireNonNull(queue, "LeaderFollowers.start: queue is null");
        Objects.requireNonNull(options, "LeaderFollowers.start: options is null");
        if (queue.isSingleOwner()) {
            throw new IllegalArgumentException(
                    "LeaderFollowers.start: queue has a single owner: expected one for any number of threads");
        }
        LeaderFollowers pool = new LeaderFollowers(queue, options);
        pool.watch.start();
        pool.roster.begin(pool.roster.add());
        return pool;
    }

    /**
     * Registers a filter whose events {@code handler} gets, one after the other. With EV_DISPATCH in {@code interest} the
     * user enables the knote again, else the pool does, also one that the handler has disabled: to end it, cancel it.
     * Of an ident that is registered already the handler is replaced; one that runs may overlap with the new one.
     *
     * @throws KeventException as {@link EventQueue#register}
     */
    public Knote register(Interest interest, EventHandler handler) {
        Objects.requireNonNull(interest, "LeaderFollowers.register: interest is null");
        Objects.requireNonNull(handler, "LeaderFollowers.register: handler is null");
        boolean once = (interest.flags() & EV_ONESHOT) != 0;
        Task task = new Task(handler, !once && (interest.flags() & EV_DISPATCH) == 0);
        Interest wanted = once ? interest.disabled() : interest.dispatch().disabled();
        Knote knote = queue.register(wanted, task);
        task.knote = knote; // before the first event
        if ((interest.flags() & EV_DISABLE) == 0) {
            knote.enable();
        }
        return knote;
    }

    /**
     * Does {@code work}, which may block. On a thread of a pool, another one leads meanwhile, if there is one or may be
     * one more; elsewhere this just calls it.
     */
    public static <T> T blocking(Callable<T> work) throws Exception {
        Objects.requireNonNull(work, "LeaderFollowers.blocking: work is null");
        if (!(Thread.currentThread() instanceof Worker worker)) {
            return work.call();
        }
        worker.blocks(true);
        try {
            return work.call();
        } finally {
            worker.blocks(false);
        }
    }

    /**
     * From now on, at most {@code most} threads, of which {@code least} stay. Those beyond end now if they are idle, else
     * when their handler returns.
     */
    public void resize(int least, int most) {
        PoolOptions.checkThreads("LeaderFollowers.resize", least, most);
        roster.resize(least, most);
        endSurplus();
    }

    /** By who has changed how many there may be, and by who is idle from now on: one of them sees the other. */
    void endSurplus() {
        while (roster.releaseSurplus()) {
            if (!endReleased() && ranks.idle() == 0) {
                return; // those that run will see that they are too many
            }
        }
    }

    /**
     * No further event is taken: handlers that run return, then the threads end. Does not wait for that, not even for the
     * leader to leave the queue: an event that becomes ready before it has done so may be its last.
     */
    public void shutdown() {
        roster.close();
        sendAway();
        LockSupport.unpark(watch);
    }

    /** As {@link #shutdown}, and interrupts the handlers. */
    public void shutdownNow() {
        shutdown();
        roster.workers.forEach(Thread::interrupt);
    }

    /** Waits, for at most this long or, with null, for ever, until all threads have ended; whether they have. */
    public boolean awaitTermination(Duration timeout) throws InterruptedException {
        if (timeout == null) {
            roster.terminated.await();
            return true;
        }
        return roster.terminated.await(Words.nanos("LeaderFollowers.awaitTermination: timeout", timeout),
                TimeUnit.NANOSECONDS);
    }

    /** {@link #shutdown}, and waits for it, unless a handler of this pool calls it. The queue stays open. */
    @Override
    public void close() {
        shutdown();
        if (Thread.currentThread() instanceof Worker worker && roster.workers.contains(worker)) {
            return;
        }
        boolean interrupted = false;
        while (!isTerminated()) {
            try {
                roster.terminated.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** What has been done so far. */
    public PoolStatistics statistics() {
        return roster.statistics(rescues.get(), watch.looks(), ranks.idle());
    }

    boolean isRunning() {
        return roster.isOpen();
    }

    boolean isTerminated() {
        return roster.terminated.getCount() == 0;
    }

    /** How many threads neither sleep nor are known to block; the caller leads. */
    int running() {
        return roster.threads() - ranks.idle() - blocked.get();
    }

    long taken() {
        return roster.taken();
    }

    /** The caller leads: false, and he still does, if there is nobody to hand the lead to. */
    boolean promote() {
        Worker next = ranks.handOver();
        if (next != null) {
            next.wake();
            reportPolicy();
            return true;
        }
        next = roster.add();
        if (next == null) {
            return false;
        }
        ranks.handTo(next);
        if (!roster.begin(next)) {
            ranks.handTo((Worker) Thread.currentThread());
            return false;
        }
        return true;
    }

    /** Somebody is to lead, if nobody does: one of the idle, or a thread more. */
    private boolean fill() {
        if (ranks.isLed() || !isRunning()) {
            return false;
        }
        if (fillFromIdle()) {
            return true;
        }
        Worker next = ranks.isLed() ? null : roster.add();
        return next != null && roster.begin(next); // and takes the lead itself
    }

    boolean fillFromIdle() {
        Worker next = ranks.fillVacancy();
        if (next != null) {
            next.wake();
            reportPolicy();
        }
        return next != null;
    }

    private void reportPolicy() {
        Throwable thrown = ranks.takeFailure();
        if (thrown != null) {
            report(thrown);
        }
    }

    void rescue() {
        if (fill()) {
            rescues.incrementAndGet();
        }
    }

    /** A handler is about to block, or has. */
    void blocked(boolean enters) {
        blocked.addAndGet(enters ? 1 : -1);
        if (enters) {
            fill();
        }
    }

    boolean keeps(Worker worker) {
        return roster.keeps(worker);
    }

    /** The thread is about to end, for whatever reason. */
    void ended(Worker worker) {
        roster.forget(worker);
        if (ranks.isLedBy(worker)) {
            ranks.leave();
        }
        if (!isRunning()) {
            wakeQueue(); // this thread may have taken the wakeup that was another's
        } else if (worker.isDismissed()) {
            fillFromIdle();
        } else {
            fill();
        }
    }

    boolean hasSurplus() {
        return roster.hasMoreThanStay() && ranks.idle() > 0;
    }

    /** Ends those of the idle that have been of no use since this was last called. */
    void endIdle() {
        for (int n = ranks.takeLeastIdle(); n > 0 && roster.releaseUnused() && endReleased(); n--) {
            continue;
        }
    }

    /** Ends one of the idle, which counts no longer; false, and it counts, if none is idle. */
    private boolean endReleased() {
        Worker one = ranks.dismiss();
        if (one == null) {
            roster.takeBack();
            return false;
        }
        one.dismiss();
        return true;
    }

    void sendAway() {
        roster.workers.forEach(Worker::wake);
        wakeQueue();
    }

    private void wakeQueue() {
        if (ranks.isLed() && queue.isOpen()) {
            queue.wakeup();
        }
    }

    /** An interrupt is over with the handler that it was for, unless all is. */
    void clearInterrupt() {
        if (isRunning() && Thread.interrupted() && !isRunning()) {
            Thread.currentThread().interrupt();
        }
    }

    void queueFailed(Throwable failure) {
        if (!queue.isOpen()) {
            shutdown();
            return;
        }
        report(failure);
        LockSupport.parkNanos(this, FAILURE_PAUSE_NANOS); // it may fail again, and again
    }

    void report(Throwable thrown) {
        try {
            options.uncaught.accept(Thread.currentThread(), thrown);
        } catch (Throwable nobodyLeftToTell) {
            return;
        }
    }
}
