package dev.knote.pool;

import java.util.concurrent.locks.LockSupport;

/**
 * Looks now and then, while handlers run, whether the pool has got stuck: nobody leads, and no event was taken since
 * the last look. When nothing has happened for a while it sleeps until it is told. It ends threads that nobody needs, too.
 */
final class Watch extends Thread {
    private static final int QUIET_LOOKS = 20;

    private final LeaderFollowers pool;
    private final long tickNanos;
    private final long keepNanos;
    private volatile boolean asleep;
    private volatile long looks;
    private long reapedAt = System.nanoTime();

    Watch(LeaderFollowers pool, String name, long boundNanos, long keepNanos) {
        super(null, null, name, 0, false);
        setDaemon(true);
        this.pool = pool;
        this.tickNanos = Math.max(1, boundNanos / 2);
        this.keepNanos = keepNanos;
    }

    long looks() {
        return looks;
    }

    /** Nobody leads any more: that is to be watched. Any thread; costs next to nothing while this is awake. */
    void tell() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(this);
        }
    }

    @Override
    public void run() {
        long last = -1;
        int quiet = 0;
        while (!pool.isTerminated()) {
            looks++;
            long taken = pool.taken();
            boolean led = pool.ranks.isLed();
            if (!pool.isRunning()) {
                pool.sendAway();
            } else if (!led && taken == last) {
                pool.rescue();
            }
            quiet = led && taken == last ? quiet + 1 : 0;
            last = taken;
            reap();
            if (quiet < QUIET_LOOKS || !pool.isRunning()) {
                LockSupport.parkNanos(this, tickNanos);
            } else {
                sleep();
                quiet = 0;
            }
        }
    }

    private void sleep() {
        asleep = true; // before the look: whoever leaves the lead later tells
        while (asleep && pool.ranks.isLed() && pool.isRunning()) {
            if (pool.hasSurplus()) {
                LockSupport.parkNanos(this, keepNanos);
                looks++;
                reap();
            } else {
                LockSupport.park(this);
            }
        }
        asleep = false;
    }

    private void reap() {
        if (System.nanoTime() - reapedAt >= keepNanos) {
            reapedAt = System.nanoTime();
            pool.endIdle();
        }
    }
}
