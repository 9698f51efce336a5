package dev.knote.transport;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that sends what loops have postponed when their handlers do not return: when one waits for the answer, say, or
 * takes its time. It looks from time to time while there is anything new, and sleeps otherwise; there is none without
 * loops that postpone.
 */
final class SendWatch implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(SendWatch.class);
    /** What was postponed is sent after one to two of these. */
    private static final long LOOK_EVERY = TimeUnit.MILLISECONDS.toNanos(5);
    /** So many looks at nothing new, and it sleeps. */
    private static final int LAST_LOOKS = 20;

    private static final List<PostponedSends> LOOPS = new CopyOnWriteArrayList<>();
    private static volatile Thread asleep;
    private static Thread thread;

    private SendWatch() {}

    /** Until {@link #remove}. */
    static synchronized void add(PostponedSends sends) {
        if (thread == null) {
            var made = new Thread(null, new SendWatch(), "knote-send-watch", 0, false);
            made.setContextClassLoader(null); // of whoever happened to be first
            made.setDaemon(true);
            made.start(); // it waits for this monitor first
            thread = made;
        }
        LOOPS.add(sends);
    }

    static synchronized void remove(PostponedSends sends) {
        LOOPS.remove(sends);
        LockSupport.unpark(thread);
    }

    /** There is something new. */
    static void wake() {
        Thread sleeper = asleep;
        if (sleeper != null) {
            LockSupport.unpark(sleeper);
        }
    }

    @Override
    public void run() {
        int idle = 0;
        while (!isOver()) {
            idle = look() ? 0 : idle + 1;
            if (idle < LAST_LOOKS) {
                LockSupport.parkNanos(this, LOOK_EVERY);
            } else {
                sleep();
                idle = 0;
            }
        }
    }

    private void sleep() {
        asleep = Thread.currentThread();
        if (!look() && !LOOPS.isEmpty()) { // it may have come before it could be seen that we sleep
            LockSupport.park(this);
        }
        asleep = null;
    }

    private static synchronized boolean isOver() {
        if (!LOOPS.isEmpty()) {
            return false;
        }
        thread = null;
        return true;
    }

    private static boolean look() {
        boolean anything = false;
        for (PostponedSends sends : LOOPS) {
            try {
                anything |= sends.look();
            } catch (Throwable t) {
                LOG.warn("what a loop has postponed could not be sent", t);
            }
        }
        return anything;
    }
}
