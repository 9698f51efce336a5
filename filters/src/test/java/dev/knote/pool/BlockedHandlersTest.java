package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventHandler;
import dev.knote.Knote;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers that do not return: others go on. */
@Timeout(60)
class BlockedHandlersTest extends PoolFixture {
    /** Never promotes by itself. */
    private static final Policy MISER = Policy.thrifty(NEVER, NEVER, 1);

    private final CountDownLatch latch = new CountDownLatch(1);
    private final AtomicInteger blocked = new AtomicInteger();
    private final AtomicInteger handled = new AtomicInteger();

    private void awaitLatch() {
        blocked.incrementAndGet();
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitEvents(LeaderFollowers pool, Knote knote, int count) {
        for (int i = 1; i <= count; i++) {
            int now = i;
            knote.trigger();
            Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == now);
        }
    }

    @Test
    void whileAHandlerBlocksSilentlyAnotherThreadLeadsAfterTheBound() {
        LeaderFollowers pool = start(options(1, 2).policy(MISER).bound(Duration.ofMillis(20)));
        awaitLeader(pool);
        long before = pool.statistics().rescues();
        Knote stuck = pool.register(User.of(1).clear(), event -> awaitLatch());
        Knote quick = pool.register(User.of(2).clear(), event -> handled.incrementAndGet());
        stuck.trigger();
        Eventually.await(() -> "blocked", () -> blocked.get() == 1);
        awaitEvents(pool, quick, 1);
        Eventually.await(() -> "one rescue, " + pool.statistics(), // counted by who has helped, after it
                () -> pool.statistics().rescues() == before + 1);
        latch.countDown();
    }

    @Test
    void aHandlerThatSaysThatItBlocksIsReplacedAtOnce() {
        LeaderFollowers pool = start(options(1, 2).policy(MISER).bound(NEVER));
        Knote stuck = pool.register(User.of(1).clear(), event -> {
            try {
                LeaderFollowers.blocking(() -> {
                    awaitLatch();
                    return null;
                });
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        stuck.trigger();
        Eventually.await(() -> "blocked", () -> blocked.get() == 1);
        awaitEvents(pool, pool.register(User.of(2).clear(), event -> handled.incrementAndGet()), 10);
        assertEquals(0, pool.statistics().rescues());
        latch.countDown();
    }

    @Test
    void asManyThreadsAsThereMayBeAreStartedForBlockedOnesAndThenEventsWait() {
        LeaderFollowers pool = start(options(1, 3).policy(MISER).bound(Duration.ofMillis(4)));
        for (int i = 1; i <= 5; i++) {
            pool.register(User.of(i).clear(), event -> awaitLatch()).trigger();
        }
        Eventually.await(() -> blocked + ", " + pool.statistics(), () -> blocked.get() == 3);
        long looks = pool.statistics().looks();
        Eventually.await(() -> "looks", () -> pool.statistics().looks() > looks + 5);
        assertEquals(3, blocked.get());
        assertEquals(3, pool.statistics().threads());
        latch.countDown();
        Eventually.await(() -> blocked + ", " + pool.statistics(), () -> blocked.get() == 5);
    }

    @Test
    void aHandlerThatBlockedBeforeIsNotWaitedForAgain() {
        Duration most = Duration.ofMillis(1);
        LeaderFollowers pool = start(
                options(1, 3).policy(Policy.thrifty(most, most, 1)).bound(Duration.ofMillis(100)));
        AtomicInteger slow = new AtomicInteger();
        Knote sleeper = pool.register(User.of(1).clear(), event -> {
            long end = System.nanoTime() + 10_000_000;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            slow.incrementAndGet();
        });
        sleeper.trigger();
        Eventually.await(() -> "first", () -> slow.get() == 1);
        long promotions = pool.statistics().promotions();
        sleeper.trigger();
        Eventually.await(() -> "second", () -> slow.get() == 2);
        assertEquals(promotions + 1, pool.statistics().promotions());
    }

    @Test
    void aPoolThatHasNothingToDoIsNotWatchedAndOneThatHasIsAgain() {
        LeaderFollowers pool = start(options(1, 2).policy(MISER).bound(Duration.ofMillis(1)));
        long[] looks = {0, 0};
        Eventually.await(() -> pool.statistics().toString(), () -> {
            long now = pool.statistics().looks();
            looks[1] = now == looks[0] ? looks[1] + 1 : 0;
            looks[0] = now;
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
            return looks[1] > 50;
        });
        EventHandler handler = event -> awaitLatch();
        pool.register(User.of(1).clear(), handler).trigger();
        awaitEvents(pool, pool.register(User.of(2).clear(), event -> handled.incrementAndGet()), 1);
        assertTrue(pool.statistics().looks() > looks[0]);
        latch.countDown();
    }
}
