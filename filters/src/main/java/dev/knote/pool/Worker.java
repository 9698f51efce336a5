package dev.knote.pool;

import dev.knote.Event;
import dev.knote.EventHandler;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** A thread of the pool: leads, handles events, or is idle. */
final class Worker extends Thread implements EventHandler, Policy.Moment {
    private static final VarHandle TAKEN;

    static {
        try {
            TAKEN = MethodHandles.lookup().findVarHandle(Worker.class, "taken", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LeaderFollowers pool;
    private final Ranks<Worker> ranks;
    private volatile boolean dismissed;
    /** The figures are written by this thread alone. */
    private long taken;
    private volatile long promotions;
    private volatile long wakeups;
    private volatile long wasted;
    private volatile long early;

    private boolean justWoken;
    private long takenWhenWoken = -1;
    private boolean moreReady;
    private long expectedNanos;
    private long backlogNanos;
    private int blockingDepth;

    Worker(LeaderFollowers pool, String name) {
        super(null, null, name, 0, false);
        this.pool = pool;
        this.ranks = pool.ranks;
    }

    @Override
    public void run() {
        try {
            while (pool.keeps(this)) {
                step();
            }
        } finally {
            pool.ended(this);
        }
    }

    private void step() {
        try {
            if (ranks.isLedBy(this) || ranks.tryLead(this)) {
                lead();
            } else if (pool.queue.looksReady()) {
                pool.queue.pollNanos(this, 1, 0);
            } else {
                beIdle();
            }
        } catch (RuntimeException | Error failure) {
            pool.queueFailed(failure);
        }
    }

    private void lead() {
        long before = taken;
        if (justWoken) {
            justWoken = false;
            pool.queue.pollNanos(this, 1, 0);
            if (taken != before || !pool.isRunning()) {
                return;
            }
            early++;
        }
        pool.queue.pollNanos(this, 1, -1);
        pool.clearInterrupt(); // of a wait, or it would wait no more
    }

    private void beIdle() {
        if (!ranks.rest(this)) {
            return;
        }
        wasted += taken == takenWhenWoken ? 1 : 0;
        pool.endSurplus(); // this may be one too many since it was last asked
        while (!ranks.isLedBy(this) && !dismissed && pool.isRunning()) {
            LockSupport.park(this);
            boolean ignored = Thread.interrupted(); // or else it would not sleep again
        }
        if (ranks.isLedBy(this)) {
            wakeups++;
            justWoken = true;
            takenWhenWoken = taken;
        }
    }

    /** Ends the sleep of one that leads now, or is dismissed. */
    void wake() {
        LockSupport.unpark(this);
    }

    void dismiss() {
        dismissed = true;
        wake();
    }

    boolean isDismissed() {
        return dismissed;
    }

    /** An event: this thread leads, or has taken it in passing. */
    @Override
    public void handle(Event event) {
        TAKEN.setOpaque(this, taken + 1);
        Object attachment = event.attachment();
        Task task = attachment instanceof Task registered ? registered : null;
        moreReady = false;
        if (ranks.isLedBy(this)) {
            expectedNanos = task == null ? 0 : task.expectedNanos();
            passLeadOn();
        }
        long from = System.nanoTime();
        try {
            if (task != null) {
                task.handler.handle(event);
            } else if (attachment instanceof EventHandler handler) {
                handler.handle(event);
            } else {
                throw new IllegalStateException(
                        "an event of ident " + event.ident() + ", filter " + event.filter()
                                + ", whose attachment is "
                                + attachment + ": expected an EventHandler, or register with the pool");
            }
        } catch (Throwable thrown) {
            pool.report(thrown);
        }
        long nanos = System.nanoTime() - from;
        backlogNanos = moreReady ? backlogNanos + nanos : 0;
        pool.clearInterrupt();
        if (task != null) {
            task.took(nanos);
            task.enable();
        }
    }

    private void passLeadOn() {
        moreReady = pool.queue.looksReady();
        boolean promotes = false;
        try {
            promotes = pool.policy.promotes(this);
        } catch (Throwable thrown) {
            pool.report(thrown);
        }
        if (promotes && pool.promote()) {
            promotions++;
            backlogNanos = 0;
        } else {
            ranks.leave();
            if (promotes && pool.fillFromIdle()) { // somebody has become idle meanwhile
                promotions++;
                backlogNanos = 0;
            }
            pool.watch.tell();
        }
    }

    /** The handler that runs is about to block, if {@code enters}, or has. */
    void blocks(boolean enters) {
        blockingDepth += enters ? 1 : -1;
        if (blockingDepth == (enters ? 1 : 0)) {
            pool.blocked(enters);
        }
    }

    @Override
    public boolean isMoreReady() {
        return moreReady;
    }

    @Override
    public int running() {
        return pool.running();
    }

    @Override
    public int idle() {
        return ranks.idle();
    }

    @Override
    public long expectedNanos() {
        return expectedNanos;
    }

    @Override
    public long backlogNanos() {
        return backlogNanos;
    }

    long taken() {
        return (long) TAKEN.getOpaque(this);
    }

    /** Adds its figures to those of others: events, promotions, wakeups, wasted, early. */
    void addTo(long[] sums) {
        sums[0] += taken();
        sums[1] += promotions;
        sums[2] += wakeups;
        sums[3] += wasted;
        sums[4] += early;
    }
}
