package dev.knote.benchmarks;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/** Triggers a knote of another thread's queue, while its owner is awake. */
final class PostOperation implements Operation {
    private final Knote knote;

    PostOperation() {
        AtomicReference<Knote> made = new AtomicReference<>();
        CountDownLatch ready = new CountDownLatch(1);
        Thread.ofPlatform().daemon().start(() -> {
            EventQueue queue = EventQueue.open(Options.defaults().singleOwner());
            made.set(queue.register(User.of(1).clear(), null));
            ready.countDown();
            for (;;) {
                queue.poll(event -> {}, Duration.ZERO);
            }
        });
        try {
            ready.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        knote = made.get();
    }

    @Override
    public void run(int n) {
        for (int i = 0; i < n; i++) {
            knote.trigger();
        }
    }
}
