package dev.knote.pool;

import dev.knote.EventQueue;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;

/** A queue, the pools on it, and what their handlers have thrown. */
abstract class PoolFixture {
    /** So late that only a fault would have to wait for it. */
    static final Duration NEVER = Duration.ofHours(1);

    final EventQueue queue = EventQueue.open();
    final Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();
    private final Queue<LeaderFollowers> pools = new ConcurrentLinkedQueue<>();

    @AfterEach
    void end() {
        pools.forEach(LeaderFollowers::shutdownNow);
        pools.forEach(LeaderFollowers::close);
        queue.close();
    }

    PoolOptions options(int min, int max) {
        return PoolOptions.defaults().name("pool-test").threads(min, max)
                .uncaught((thread, what) -> thrown.add(what));
    }

    LeaderFollowers start(PoolOptions options) {
        LeaderFollowers pool = LeaderFollowers.start(queue, options);
        pools.add(pool);
        return pool;
    }

    /** Until a thread leads: one that is kept from it for the bound is given another to help it. */
    static void awaitLeader(LeaderFollowers pool) {
        Eventually.await(() -> "a leader, " + pool.statistics(), pool.ranks::isLed);
    }

    /** Until so many threads are there. */
    static void awaitThreads(LeaderFollowers pool, int threads) {
        Eventually.await(() -> pool.statistics().toString(),
                () -> pool.statistics().threads() == threads);
    }
}
