package dev.knote.pool;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of a pool: how many there are and may be, and when all have ended. */
final class Roster {
    final List<Worker> workers = new CopyOnWriteArrayList<>();
    final CountDownLatch terminated = new CountDownLatch(1);
    private final LeaderFollowers pool;
    private final String name;
    /** Of those that are to stay: one that is dismissed counts no longer, though it has not ended. */
    private final AtomicInteger threads = new AtomicInteger();
    /** Figures of threads that have ended, see {@link Worker#addTo}; guarded by this, as {@link #started} is. */
    private final long[] past = new long[5];
    private long started;
    private volatile int min;
    private volatile int max;
    private volatile boolean open = true;

    Roster(LeaderFollowers pool, PoolOptions options) {
        this.pool = pool;
        this.name = options.name;
        this.min = options.min;
        this.max = options.max;
    }

    int threads() {
        return threads.get();
    }

    boolean isOpen() {
        return open;
    }

    /** From now on threads end. */
    synchronized void close() {
        open = false;
        if (workers.isEmpty()) {
            terminated.countDown();
        }
    }

    synchronized void resize(int least, int most) {
        min = least;
        max = most;
    }

    boolean hasMoreThanStay() {
        return threads.get() > min;
    }

    /** One that is too many counts no longer: the caller is to end one, or to {@link #takeBack} it. */
    boolean releaseSurplus() {
        return release(max);
    }

    /** As {@link #releaseSurplus}, of those beyond the ones that stay. */
    boolean releaseUnused() {
        return release(min);
    }

    private boolean release(int bound) {
        for (int n; (n = threads.get()) > bound;) {
            if (threads.compareAndSet(n, n - 1)) {
                return true;
            }
        }
        return false;
    }

    void takeBack() {
        threads.incrementAndGet();
    }

    /** One more thread, that is not started yet, or null if there may be none. */
    Worker add() {
        if (threads.get() >= max) {
            return null;
        }
        synchronized (this) {
            if (!open || threads.get() >= max) {
                return null;
            }
            Worker worker = new Worker(pool, name + "-" + ++started);
            threads.incrementAndGet();
            workers.add(worker);
            return worker;
        }
    }

    /** Starts a thread that was added; false, and it is gone, if the system has none for us. */
    boolean begin(Worker worker) {
        try {
            worker.start();
            return true;
        } catch (OutOfMemoryError noThread) {
            forget(worker);
            pool.report(noThread);
            return false;
        }
    }

    /** Whether a thread that has nothing in hand goes on; if not, it counts no longer. */
    boolean keeps(Worker worker) {
        if (!open || worker.isDismissed()) {
            return false;
        }
        if (!releaseSurplus()) {
            return true;
        }
        worker.dismiss();
        return false;
    }

    /** The thread is about to end, or was never started. */
    synchronized void forget(Worker worker) {
        worker.addTo(past);
        workers.remove(worker);
        if (!worker.isDismissed()) {
            threads.decrementAndGet();
        }
        if (!open && workers.isEmpty()) {
            terminated.countDown();
        }
    }

    /** Events that the threads there are have taken: to be compared. */
    long taken() {
        long sum = 0;
        for (Worker worker : workers) {
            sum += worker.taken();
        }
        return sum;
    }

    synchronized PoolStatistics statistics(long rescues, long looks, int idle) {
        long[] sums = past.clone();
        workers.forEach(worker -> worker.addTo(sums));
        return new PoolStatistics(
                sums[0], sums[1], sums[2], sums[3], sums[4], rescues, looks, started, threads.get(), idle);
    }
}
