package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Knote;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How pools grow, shrink and end. */
@Timeout(60)
class PoolLifeTest extends PoolFixture {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final CountDownLatch latch = new CountDownLatch(1);
    private final AtomicInteger inside = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicBoolean interrupted = new AtomicBoolean();

    private void hold() {
        inside.incrementAndGet();
        try {
            latch.await();
            finished.incrementAndGet();
        } catch (InterruptedException e) {
            interrupted.set(true);
        }
    }

    /** A pool of {@code count} threads, of which all but one are in a handler. */
    private LeaderFollowers busy(int count, PoolOptions options) {
        LeaderFollowers pool = start(options.policy(Policy.lifo()));
        for (int i = 1; i < count; i++) {
            pool.register(User.of(i).clear(), event -> hold()).trigger();
        }
        Eventually.await(() -> inside + ", " + pool.statistics(),
                () -> inside.get() == count - 1 && pool.statistics().threads() == count);
        return pool;
    }

    @Test
    void shutdownLetsHandlersFinishAndTakesNoFurtherEvent() throws Exception {
        LeaderFollowers pool = busy(3, options(1, 3));
        pool.shutdown();
        assertFalse(pool.awaitTermination(Duration.ofMillis(1)));
        awaitThreads(pool, 2); // one that has been woken to end takes what it then finds
        AtomicInteger late = new AtomicInteger();
        pool.register(User.of(9).clear(), event -> late.incrementAndGet()).trigger();
        latch.countDown();
        assertTrue(pool.awaitTermination(LONG));
        assertEquals(2, finished.get());
        assertEquals(0, late.get());
        assertEquals(0, pool.statistics().threads());
        List<Long> left = new ArrayList<>(); // a wakeup that found its leader gone may end a wait before it
        Eventually.await(() -> "left in the queue: " + left,
                () -> queue.poll(event -> left.add(event.ident()), Duration.ZERO) == 1);
        assertEquals(List.of(9L), left);
    }

    @Test
    void shutdownNowInterruptsHandlers() throws Exception {
        LeaderFollowers pool = busy(3, options(1, 3));
        pool.shutdownNow();
        assertTrue(pool.awaitTermination(LONG));
        assertTrue(interrupted.get());
        assertEquals(0, finished.get());
    }

    @Test
    void poolsOneAfterTheOtherServeOneQueueAndEndWhateverTheirThreadsAreDoing() throws Exception {
        AtomicInteger handled = new AtomicInteger();
        for (int round = 0; round < (Eventually.FULL ? 2000 : 150); round++) {
            LeaderFollowers pool = start(
                    options(1, 4).policy(round % 2 == 0 ? Policy.lifo() : Policy.thrifty()));
            for (int i = 0; i < 4; i++) {
                pool.register(User.of(i).clear(), event -> handled.incrementAndGet()).trigger();
            }
            pool.shutdown();
            assertTrue(pool.awaitTermination(LONG), "round " + round + ": " + pool.statistics());
        }
    }

    @Test
    void aHandlerMayCloseItsPoolAndSoMayTheCloseOfTheQueue() throws Exception {
        LeaderFollowers first = start(options(1, 2));
        first.register(User.of(1).clear(), event -> first.close()).trigger();
        assertTrue(first.awaitTermination(LONG));
        LeaderFollowers second = start(options(1, 2));
        second.register(User.of(1).clear(), event -> queue.close()).trigger();
        assertTrue(second.awaitTermination(LONG));
        assertEquals(0, thrown.size());
    }

    @Test
    void aSmallerPoolHasFewerThreadsAndABiggerOneMoreAsSoonAsTheyAreNeeded() {
        LeaderFollowers pool = busy(4, options(4, 4));
        pool.resize(1, 2);
        latch.countDown();
        awaitThreads(pool, 2);
        pool.resize(1, 4);
        AtomicInteger handled = new AtomicInteger();
        Knote knote = pool.register(User.of(9).clear(), event -> handled.incrementAndGet());
        for (int i = 1; i <= 50; i++) {
            int now = i;
            knote.trigger();
            Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == now);
        }
        pool.resize(1, 1);
        awaitThreads(pool, 1);
        knote.trigger();
        Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == 51);
    }

    /** Threads that are on their way to rest, and have looked already whether they are one too many. */
    @Test
    void aPoolMadeSmallerWhileItsThreadsComeToRestHasAsManyAsItMay() {
        LeaderFollowers pool = start(options(1, 4).policy(Policy.lifo()).keepIdle(NEVER));
        List<Knote> knotes = new ArrayList<>();
        AtomicInteger handled = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            knotes.add(pool.register(User.of(i).clear(), event -> handled.incrementAndGet()));
        }
        int rounds = Eventually.FULL ? 100_000 : 2_000;
        long begin = System.nanoTime();
        for (int round = 1; Eventually.goesOn(round - 1, rounds, begin); round++) {
            int all = 3 * round;
            pool.resize(1, 4);
            knotes.forEach(Knote::trigger);
            Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == all);
            for (int pause = ThreadLocalRandom.current().nextInt(1000); pause > 0; pause--) {
                Thread.onSpinWait();
            }
            int most = 1 + round % 2;
            pool.resize(most, most);
            Eventually.await(() -> "at most " + most + ": " + pool.statistics(),
                    () -> pool.statistics().threads() <= most);
        }
    }

    @Test
    void threadsThatAreOfNoUseEndDownToTheLeast() {
        LeaderFollowers pool = busy(4,
                options(2, 4).keepIdle(Duration.ofMillis(10)).bound(Duration.ofMillis(2)));
        latch.countDown();
        awaitThreads(pool, 2);
        AtomicInteger handled = new AtomicInteger();
        pool.register(User.of(9).clear(), event -> handled.incrementAndGet()).trigger();
        Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == 1);
    }

    @Test
    void afterItsEndAPoolHasLeftNoThread() throws Exception {
        LeaderFollowers pool = busy(4, options(1, 4).name("pool-leaves"));
        latch.countDown();
        pool.close();
        Eventually.await(() -> "threads named pool-leaves", () -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("pool-leaves")));
    }
}
