package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who leads, who is idle, who is woken. */
@Timeout(120)
class RanksTest {
    /** A situation for a policy. */
    private record Situation(boolean isMoreReady, int running, int idle, long expectedNanos,
            long backlogNanos)
            implements
                Policy.Moment {}

    @Test
    void whoFindsNobodyLeadingLeadsInsteadOfSleeping() {
        Ranks<String> ranks = new Ranks<>(Policy.lifo());
        assertFalse(ranks.rest("a"));
        assertTrue(ranks.isLedBy("a"));
        assertTrue(ranks.rest("b"));
        assertFalse(ranks.tryLead("c"));
        assertEquals(1, ranks.idle());
    }

    @Test
    void theLastToFallAsleepIsWokenFirstByLifoAndLastByFifo() {
        assertEquals("edcb", order(Policy.lifo()));
        assertEquals("bcde", order(Policy.fifo()));
    }

    @Test
    void aPolicyThatNamesNobodyWhoIsThereGetsTheNearest() {
        Policy wild = new Policy() {
            @Override
            public boolean promotes(Moment moment) {
                return true;
            }

            @Override
            public int next(int idle) {
                return idle + 7;
            }
        };
        assertEquals("edcb", order(wild));
    }

    private static String order(Policy policy) {
        Ranks<String> ranks = new Ranks<>(policy);
        for (String name : "a b c d e".split(" ")) {
            ranks.rest(name);
        }
        StringBuilder order = new StringBuilder();
        for (String next = ranks.handOver(); next != null; next = ranks.handOver()) {
            assertTrue(ranks.isLedBy(next));
            order.append(next);
        }
        return order.toString();
    }

    @Test
    void aVacancyIsFilledOnceAndOnlyIfThereIsOne() {
        Ranks<String> ranks = new Ranks<>(Policy.lifo());
        assertNull(ranks.fillVacancy());
        ranks.rest("a");
        ranks.rest("b");
        assertNull(ranks.fillVacancy());
        ranks.leave();
        assertEquals("b", ranks.fillVacancy());
        assertNull(ranks.fillVacancy());
    }

    @Test
    void thriftWakesSomebodyOnlyIfThatPays() {
        Policy thrifty = Policy.thrifty(Duration.ofNanos(10_000), Duration.ofNanos(100_000), 2);
        assertFalse(thrifty.promotes(new Situation(true, 1, 1, 1_000, 0)), "short");
        assertTrue(thrifty.promotes(new Situation(true, 1, 1, 1_000, 9_000)), "a backlog of short ones");
        assertTrue(thrifty.promotes(new Situation(true, 1, 1, 20_000, 0)), "long, and more to do");
        assertFalse(thrifty.promotes(new Situation(false, 1, 1, 20_000, 0)), "nothing more to do");
        assertFalse(thrifty.promotes(new Situation(true, 2, 1, 20_000, 0)), "all processors are busy");
        assertTrue(thrifty.promotes(new Situation(false, 2, 1, 100_000, 0)), "may block");
    }

    @Test
    void thriftWantsTimesInTheirOrder() {
        Duration one = Duration.ofNanos(1);
        Throwable refused = assertThrows(IllegalArgumentException.class,
                () -> Policy.thrifty(one, Duration.ZERO, 2));
        assertTrue(refused.getMessage().contains("least is 1 ns"), refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Policy.thrifty(one, one, 0));
    }

    /** Two threads that ask at the same moment. */
    @Test
    void theLeadIsTakenByOneOfThoseWhoAskAtOnce() throws Exception {
        int rounds = Eventually.FULL ? 2_000_000 : 20_000;
        Ranks<String> ranks = new Ranks<>(Policy.lifo());
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger led = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        Thread other = Thread.ofPlatform().daemon().name("ranks-other")
                .start(() -> ask(ranks, "other", over, asked, led));
        long begin = System.nanoTime();
        for (int round = 1; Eventually.goesOn(round - 1, rounds, begin); round++) {
            int now = round;
            led.set(0);
            asked.incrementAndGet();
            led.addAndGet(ranks.tryLead("me") ? 1 : 0);
            Eventually.await(() -> "round " + now, () -> asked.get() == 2 * now);
            assertEquals(1, led.get(), "leaders in round " + round);
            ranks.leave();
        }
        over.set(true);
        other.join();
    }

    /** In each round, when the other has: asks, then says so. */
    private static void ask(Ranks<String> ranks, String name, AtomicBoolean over, AtomicInteger asked,
            AtomicInteger led) {
        for (int round = 1;; round++) {
            for (int looks = 1; asked.get() < 2 * round - 1; looks++) {
                if (over.get()) {
                    return;
                }
                if (looks % 100 == 0) {
                    Thread.yield();
                } else {
                    Thread.onSpinWait();
                }
            }
            led.addAndGet(ranks.tryLead(name) ? 1 : 0);
            asked.incrementAndGet();
        }
    }

    /**
     * Threads that lead for a moment, hand over or leave, run for a moment, and rest: at no moment are all of them
     * asleep, and none leads alone with another.
     */
    @Test
    void thereIsAlwaysALeaderWhileAllOthersAreIdle() throws Exception {
        AtomicLong wanted = new AtomicLong(Eventually.FULL ? 2_000_000 : 60_000);
        Ranks<Thread> ranks = new Ranks<>(Policy.lifo());
        AtomicLong turns = new AtomicLong();
        AtomicInteger leading = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Thread[] crew = new Thread[4];
        for (int i = 0; i < crew.length; i++) {
            crew[i] = Thread.ofPlatform().daemon().name("ranks-" + i).start(() -> {
                while (turns.get() < wanted.get()) {
                    turn(ranks, turns, leading, most, wanted);
                }
            });
        }
        for (long begin = System.nanoTime(); turns.get() < wanted.get();) {
            long before = turns.get();
            Eventually.await(() -> turns + " turns, idle " + ranks.idle() + ", led " + ranks.isLed(),
                    () -> turns.get() > before || turns.get() >= wanted.get());
            if (!Eventually.goesOn(turns.get(), wanted.get(), begin)) {
                wanted.accumulateAndGet(turns.get() + 100, Math::min); // and not all asleep already
            }
        }
        for (Thread thread : crew) {
            while (thread.isAlive()) {
                LockSupport.unpark(thread);
                thread.join(1);
            }
        }
        assertEquals(1, most.get(), "leaders at once");
    }

    private static void turn(Ranks<Thread> ranks, AtomicLong turns, AtomicInteger leading, AtomicInteger most,
            AtomicLong wanted) {
        Thread me = Thread.currentThread();
        if (ranks.isLedBy(me) || ranks.tryLead(me)) {
            most.accumulateAndGet(leading.incrementAndGet(), Math::max);
            jitter();
            leading.decrementAndGet();
            turns.incrementAndGet();
            Thread next = ThreadLocalRandom.current().nextInt(4) == 0 ? ranks.handOver() : null;
            if (next != null) {
                LockSupport.unpark(next);
            } else {
                ranks.leave();
            }
            jitter();
        } else if (ranks.rest(me)) {
            while (!ranks.isLedBy(me) && turns.get() < wanted.get()) {
                LockSupport.park();
            }
        }
    }

    private static void jitter() {
        for (int i = ThreadLocalRandom.current().nextInt(40); i > 0; i--) {
            Thread.onSpinWait();
        }
    }
}
