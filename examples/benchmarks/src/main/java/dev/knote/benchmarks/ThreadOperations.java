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
 * Threads that trigger USER knotes, each 16 of its own, on one queue. A run of n is n triggers by each thread.
 */
final class ThreadOperations implements Operation {
    private static final int KNOTES = 16;

    private final int threads;
    private final String how;
    private final EventQueue[] queues;
    private final Knote[][] knotes;

    /**
     * @param argument how many threads; and how: batch (one kevent call triggers 16 and takes up to 16 events, of
     *     whoever triggered), single (one kevent call triggers one and takes one event), java (16 times trigger(), one
     *     poll), drained (16 a call, and one more thread takes all events), own (as batch, with a queue each)
     */
    ThreadOperations(String argument) {
        String[] parts = argument.split(",");
        threads = Integer.parseInt(parts[0]);
        how = parts[1];
        queues = new EventQueue[threads];
        knotes = new Knote[threads][KNOTES];
        for (int t = 0; t < threads; t++) {
            queues[t] = t == 0 || how.equals("own") ? EventQueue.open(Options.defaults()) : queues[0];
            for (int k = 0; k < KNOTES; k++) {
                knotes[t][k] = queues[t].register(User.of(t * KNOTES + k).clear(), null);
            }
        }
    }

    @Override
    public void run(int n) throws Exception {
        Thread[] workers = new Thread[threads];
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int t = 0; t < threads; t++) {
            int me = t;
            workers[t] = Thread.ofPlatform().unstarted(() -> work(me, n, failure));
        }
        Thread drain = how.equals("drained") ? Thread.ofPlatform().start(this::drain) : null;
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

    private void work(int me, int n, AtomicReference<Throwable> failure) {
        try {
            switch (how) {
                case "java" -> java(me, n);
                case "single" -> single(me, n);
                case "drained" -> batch(me, n, 0);
                default -> batch(me, n, KNOTES);
            }
        } catch (Throwable t) {
            failure.set(t);
        }
    }

    private void batch(int me, int n, int nevents) {
        int kq = queues[me].fd();
        KeventList changes = changes(me);
        KeventList events = KeventList.allocate(KNOTES);
        for (int i = 0; i < n; i += KNOTES) {
            kevent(kq, changes, KNOTES, events, nevents, Duration.ZERO);
        }
    }

    private void single(int me, int n) {
        int kq = queues[me].fd();
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

    private void java(int me, int n) {
        EventHandler handler = event -> {};
        for (int i = 0; i < n; i += KNOTES) {
            for (Knote knote : knotes[me]) {
                knote.trigger();
            }
            queues[me].poll(handler, Duration.ZERO);
        }
    }

    private void drain() {
        while (!Thread.currentThread().isInterrupted()) {
            queues[0].poll(event -> {}, null);
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
