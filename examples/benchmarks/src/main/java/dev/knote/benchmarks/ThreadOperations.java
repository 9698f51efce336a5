package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Threads that trigger USER knotes, each 16 of its own. A run of n is n triggers by a thread alone, then by each of two
 * threads on one queue, then by each of two with a queue of its own: in one process, whose memory and compiled code are
 * the same for all three.
 */
final class ThreadOperations implements Operation {
    private static final int KNOTES = 16;
    private static final int MOST_THREADS = 2;

    private final String how;
    private final Side shared;
    private final Side own;
    private String report = "";

    /** The queues and knotes of each thread. */
    private record Side(EventQueue[] queues, Knote[][] knotes) {
        static Side make(boolean shared) {
            Side side = new Side(new EventQueue[MOST_THREADS], new Knote[MOST_THREADS][KNOTES]);
            for (int t = 0; t < MOST_THREADS; t++) {
                side.queues[t] = t == 0 || !shared ? EventQueue.open(Options.defaults()) : side.queues[0];
                for (int k = 0; k < KNOTES; k++) {
                    side.knotes[t][k] = side.queues[t].register(User.of(t * KNOTES + k).clear(), null);
                }
            }
            return side;
        }
    }

    /**
     * @param how batch (one kevent call triggers 16 and takes up to 16 events, of whoever triggered), single (one kevent
     *     call triggers one and takes one event), java (16 times trigger(), one poll), drained (16 a call, and one more
     *     thread takes all events of the first queue)
     */
    ThreadOperations(String how) {
        this.how = how;
        shared = Side.make(true);
        own = Side.make(false);
    }

    @Override
    public void run(int n) throws Exception {
        report = time(shared, 1, n) + " " + time(shared, 2, n) + " " + time(own, 2, n);
    }

    /** Nanoseconds of the last run: one thread, two, two with a queue each. */
    @Override
    public String report() {
        return report;
    }

    private long time(Side side, int threads, int n) throws Exception {
        long from = System.nanoTime();
        run(side, threads, n);
        return System.nanoTime() - from;
    }

    private void run(Side side, int threads, int n) throws Exception {
        Thread[] workers = new Thread[threads];
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int t = 0; t < threads; t++) {
            int me = t;
            workers[t] = Thread.ofPlatform().unstarted(() -> work(side, me, n, failure));
        }
        Thread drain = how.equals("drained") ? Thread.ofPlatform().start(() -> drain(side.queues[0])) : null;
        for (Thread worker : workers) {
            worker.start();
        }
        for (Thread worker : workers) {
            worker.join();
        }
        if (drain != null) {
            drain.interrupt();
            drain.join();
        }
        if (failure.get() != null) {
            throw new IllegalStateException(failure.get());
        }
    }

    private void work(Side side, int me, int n, AtomicReference<Throwable> failure) {
        try {
            int kq = side.queues[me].fd();
            switch (how) {
                case "java" -> java(side.queues[me], side.knotes[me], n);
                case "single" -> single(kq, me, n);
                case "drained" -> batch(kq, me, n, 0);
                default -> batch(kq, me, n, KNOTES);
            }
        } catch (Throwable t) {
            failure.set(t);
        }
    }

    private static void batch(int kq, int me, int n, int nevents) {
        KeventList changes = changes(me);
        KeventList events = KeventList.allocate(KNOTES);
        for (int i = 0; i < n; i += KNOTES) {
            kevent(kq, changes, KNOTES, events, nevents, Duration.ZERO);
        }
    }

    private static void single(int kq, int me, int n) {
        KeventList[] changes = new KeventList[KNOTES];
        for (int k = 0; k < KNOTES; k++) {
            changes[k] = KeventList.allocate(1);
            EV_SET(changes[k], 0, me * KNOTES + k, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
        }
        KeventList events = KeventList.allocate(1);
        for (int i = 0; i < n; i++) {
            kevent(kq, changes[i % KNOTES], 1, events, 1, Duration.ZERO);
        }
    }

    private static void java(EventQueue queue, Knote[] knotes, int n) {
        EventHandler handler = event -> {};
        for (int i = 0; i < n; i += KNOTES) {
            for (Knote knote : knotes) {
                knote.trigger();
            }
            queue.poll(handler, Duration.ZERO);
        }
    }

    private static void drain(EventQueue queue) {
        while (!Thread.currentThread().isInterrupted()) {
            queue.poll(event -> {}, null);
        }
    }

    private static KeventList changes(int me) {
        KeventList changes = KeventList.allocate(KNOTES);
        for (int k = 0; k < KNOTES; k++) {
            EV_SET(changes, k, me * KNOTES + k, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
        }
        return changes;
    }
}
