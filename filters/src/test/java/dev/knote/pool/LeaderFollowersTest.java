package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is promised to handlers. */
@Timeout(60)
class LeaderFollowersTest extends PoolFixture {
    @Test
    void anEventIsHandledByAThreadOfThePool() {
        LeaderFollowers pool = start(options(1, 1));
        Set<String> names = ConcurrentHashMap.newKeySet();
        Knote knote = pool.register(User.of(1).clear(), event -> names.add(Thread.currentThread().getName()));
        knote.trigger();
        Eventually.await(() -> pool.statistics().toString(), () -> names.size() == 1);
        assertEquals(Set.of("pool-test-1"), names);
    }

    @Test
    void shortEventsOneAtATimeWakeNobodyButTheLeader() {
        LeaderFollowers pool = start(options(1, 4).policy(Policy.thrifty(NEVER, NEVER, 4)).bound(NEVER));
        AtomicInteger handled = new AtomicInteger();
        Knote knote = pool.register(User.of(1).clear(), event -> handled.incrementAndGet());
        for (int i = 1; i <= 1000; i++) {
            int now = i;
            knote.trigger();
            Eventually.await(() -> pool.statistics().toString(), () -> handled.get() == now);
        }
        PoolStatistics figures = pool.statistics();
        assertEquals(1000, figures.events());
        assertEquals(0, figures.promotions());
        assertEquals(0, figures.wakeups());
        assertEquals(1, figures.threads());
    }

    @Test
    void eventsOfOneKnoteAreNeverHandledByTwoThreadsAtOnce() {
        LeaderFollowers pool = start(options(4, 4).policy(Policy.fifo()));
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger handled = new AtomicInteger();
        EventHandler handler = event -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            Thread.yield();
            inside.decrementAndGet();
            handled.incrementAndGet();
        };
        pool.register(User.of(1), handler).trigger(); // level triggered: ready for ever
        Knote edges = pool.register(User.of(2).clear(), event -> {});
        Eventually.await(() -> pool.statistics().toString(), () -> {
            edges.trigger();
            return handled.get() > 2000;
        });
        assertEquals(1, most.get());
    }

    @Test
    void aKnoteThatTheUserDispatchesComesAgainOnlyWhenHeSaysSo() {
        LeaderFollowers pool = start(options(1, 2));
        AtomicInteger handled = new AtomicInteger();
        AtomicInteger other = new AtomicInteger();
        Knote mine = pool.register(User.of(1).dispatch(), event -> handled.incrementAndGet());
        Knote next = pool.register(User.of(2).clear(), event -> other.incrementAndGet());
        mine.trigger();
        Eventually.await(() -> "first", () -> handled.get() == 1);
        for (int i = 1; i <= 10; i++) {
            int now = i;
            next.trigger();
            Eventually.await(() -> "other " + now, () -> other.get() == now);
        }
        assertEquals(1, handled.get());
        mine.enable();
        Eventually.await(() -> "second", () -> handled.get() == 2);
    }

    @Test
    void aOneShotKnoteIsHandledOnceAndATimerAsOftenAsItTicks() {
        LeaderFollowers pool = start(options(1, 2));
        AtomicInteger once = new AtomicInteger();
        AtomicInteger ticks = new AtomicInteger();
        Knote knote = pool.register(User.of(1).oneShot(), event -> once.incrementAndGet());
        pool.register(Timer.every(Duration.ofMillis(1)), event -> ticks.incrementAndGet());
        knote.trigger();
        Eventually.await(() -> ticks + " ticks", () -> ticks.get() >= 5 && once.get() == 1);
        assertFalse(knote.isValid());
    }

    @Test
    void whatAHandlerThrowsIsReportedAndTheNextEventIsHandled() {
        LeaderFollowers pool = start(options(1, 1));
        AtomicInteger handled = new AtomicInteger();
        Knote knote = pool.register(User.of(1).clear(), event -> {
            if (handled.incrementAndGet() == 1) {
                throw new AssertionError("planted");
            }
        });
        knote.trigger();
        Eventually.await(() -> "the report", () -> thrown.size() == 1);
        knote.trigger();
        Eventually.await(() -> "the second event", () -> handled.get() == 2);
        assertEquals("planted", thrown.peek().getMessage());
        assertEquals(1, pool.statistics().started());
    }

    @Test
    void anEventThatNobodyHandlesIsReportedAndOneWithAHandlerAttachedIsHandled() {
        start(options(1, 1));
        queue.register(User.of(1).oneShot(), "no handler").trigger();
        Eventually.await(() -> "the report", () -> thrown.size() == 1);
        assertInstanceOf(IllegalStateException.class, thrown.peek());
        assertTrue(thrown.peek().getMessage().contains("ident 1"), thrown.peek().getMessage());
        AtomicInteger handled = new AtomicInteger();
        EventHandler handler = event -> handled.incrementAndGet();
        queue.register(User.of(2).clear(), handler).trigger();
        Eventually.await(() -> "the event", () -> handled.get() == 1);
    }

    @Test
    void aPolicyThatThrowsIsReportedAndEventsAreHandled() {
        AtomicInteger asked = new AtomicInteger();
        LeaderFollowers pool = start(options(1, 2).policy(new Policy() {
            @Override
            public boolean promotes(Moment moment) {
                if (asked.incrementAndGet() % 2 == 0) {
                    throw new IllegalStateException("planted");
                }
                return true;
            }

            @Override
            public int next(int idle) {
                throw new IllegalStateException("planted");
            }
        }));
        AtomicInteger handled = new AtomicInteger();
        Knote knote = pool.register(User.of(1).clear(), event -> handled.incrementAndGet());
        for (int i = 1; i <= 20; i++) {
            int now = i;
            knote.trigger();
            Eventually.await(() -> pool.statistics() + " " + thrown.size(), () -> handled.get() == now);
        }
        assertFalse(thrown.isEmpty());
    }

    @Test
    void anInterruptedHandlerLeavesNoInterruptToTheNext() {
        LeaderFollowers pool = start(options(1, 1));
        AtomicInteger interrupted = new AtomicInteger();
        AtomicInteger handled = new AtomicInteger();
        Knote knote = pool.register(User.of(1).clear(), event -> {
            interrupted.addAndGet(Thread.currentThread().isInterrupted() ? 1 : 0);
            Thread.currentThread().interrupt();
            handled.incrementAndGet();
        });
        for (int i = 1; i <= 10; i++) {
            int now = i;
            knote.trigger();
            Eventually.await(() -> "event " + now, () -> handled.get() == now);
        }
        assertEquals(0, interrupted.get());
    }

    @Test
    void wrongUseIsToldWithTheArgumentAndWhatWasExpected() {
        try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner())) {
            var refused = assertThrows(IllegalArgumentException.class,
                    () -> LeaderFollowers.start(owned, PoolOptions.defaults()));
            assertTrue(refused.getMessage().contains("single owner"), refused.getMessage());
        }
        PoolOptions options = PoolOptions.defaults();
        var none = assertThrows(IllegalArgumentException.class, () -> options.threads(0, 1));
        assertTrue(none.getMessage().contains("least is 0"), none.getMessage());
        assertThrows(IllegalArgumentException.class, () -> options.threads(3, 2));
        assertThrows(IllegalArgumentException.class, () -> options.bound(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> options.keepIdle(Duration.ofNanos(-1)));
        assertThrows(NullPointerException.class, () -> options.policy(null));
        LeaderFollowers pool = start(options(1, 1));
        assertThrows(IllegalArgumentException.class, () -> pool.resize(2, 1));
        assertThrows(NullPointerException.class, () -> pool.register(User.of(1), null));
    }

    @Test
    void blockingOutsideOfAPoolJustDoesTheWork() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        latch.countDown();
        assertEquals(7, LeaderFollowers.blocking(() -> {
            latch.await();
            return 7;
        }));
    }
}
