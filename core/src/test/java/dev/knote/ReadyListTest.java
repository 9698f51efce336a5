package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the stripes of a ready list and its sleepers promise together, with threads that meet as often as they can. */
@Tag("once")
class ReadyListTest {
    private static final EventQueue QUEUE = EventQueue.open();
    private static final AtomicLong SCANS = new AtomicLong(1L << 61);
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long PATIENCE_NANOS = 15_000_000_000L;
    private static final int THREADS = 3;
    private static final int KNOTES = 8;

    private final KnoteTable table = new KnoteTable(true);
    private final ReadyList ready = new ReadyList(true, table, 8);
    private final Sleepers sleepers = ready.sleepers();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicInteger filters = new AtomicInteger(-100);
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<Taker> takers = new ArrayList<>();

    @AfterAll
    static void closeQueue() {
        QUEUE.close();
    }

    @AfterEach
    void endThreads() throws InterruptedException {
        over.set(true);
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                LockSupport.unpark(thread);
                thread.join(10);
            }
        }
    }

    /** A thread that takes knotes and sleeps while there are none, as a queue's do; the poller is a park. */
    private final class Taker {
        final AtomicBoolean poked = new AtomicBoolean();
        final int[] into;
        Waiter me;

        Taker(int most) {
            into = new int[most];
        }

        void run(Consumer<KnoteImpl> taken) {
            me = new Waiter(Thread.currentThread());
            while (!over.get()) {
                long scan = SCANS.incrementAndGet();
                int n = pop(scan, into);
                for (int i = 0; i < n; i++) {
                    KnoteImpl knote = table.get(into[i]);
                    if (knote != null && knote.scan == scan) { // else it has been killed since
                        taken.accept(knote);
                    }
                }
                jitter(60);
                if (n == 0 && sleepers.enter(me)) {
                    sleep();
                } else {
                    wake(sleepers.leave());
                }
            }
        }

        private void sleep() {
            if (sleepers.isLeader(me)) {
                while (!poked.getAndSet(false) && !over.get()) {
                    LockSupport.park();
                }
                sleepers.endLead();
            } else {
                while (!me.signalled && !over.get()) {
                    LockSupport.park();
                }
                sleepers.endFollow(me);
            }
        }
    }

    @ParameterizedTest(name = "{0} activate, {1} take")
    @CsvSource({"1,1", "2,1", "1,2", "3,2"})
    void noKnoteLiesOnTheListWhileTheThreadsThatWaitSleep(int activate, int take) throws Exception {
        int rounds = FULL ? 3_000_000 : 30_000;
        AtomicIntegerArray answered = new AtomicIntegerArray(THREADS * 32);
        startTakers(take, 1, knote -> answered.incrementAndGet((int) knote.ident * 32));
        runAll(activate, me -> {
            KnoteImpl mine = knote(me);
            for (int round = 1; round <= rounds; round++) {
                int now = round;
                jitter(60);
                wake(ready.activate(mine));
                await("taker of round " + round, () -> answered.get(me * 32) >= now);
            }
        });
        for (int i = 0; i < activate; i++) {
            assertEquals(rounds, answered.get(i * 32), "each activation is one event");
        }
    }

    @Test
    void whoLeavesALevelTriggeredKnoteOnTheListWakesTheNext() {
        Waiter leader = new Waiter(new Thread());
        Waiter follower = new Waiter(new Thread());
        assertTrue(sleepers.enter(leader));
        assertTrue(sleepers.enter(follower));
        KnoteImpl knote = knote(0);
        assertEquals(follower, ready.activate(knote));
        sleepers.endFollow(follower);
        assertEquals(1, pop(new int[1]));
        ready.requeue(knote);
        assertEquals(leader, sleepers.leave());
    }

    /** Stops the one who goes to sleep where he has to look once more, and lets a knote come in. */
    @Test
    void whoGoesToSleepIsSeenBeforeHeLooksForTheLastTimeAndFindsWhatCameUntilThen() throws Exception {
        ReadyStripe mine = ready.ownToBeUsed();
        AtomicReference<Boolean> sleeps = new AtomicReference<>();
        KnoteImpl knote = knote(0);
        mine.lock.lock();
        Thread sleeper = Thread.ofPlatform().daemon().start(
                () -> sleeps.set(sleepers.enter(new Waiter(Thread.currentThread()))));
        try {
            await("the sleeper to be seen", () -> sleepers.isAnybodyAsleep() || !sleeper.isAlive());
            mine.append(knote);
        } finally {
            mine.lock.unlock();
        }
        sleeper.join();
        assertEquals(false, sleeps.get(), "sleeps beside a knote");
        assertFalse(sleepers.isAnybodyAsleep());
    }

    @Test
    void whoLeavesThePollerWakesTheNextToSleepThere() {
        Waiter leader = new Waiter(new Thread());
        Waiter follower = new Waiter(new Thread());
        assertTrue(sleepers.enter(leader));
        assertTrue(sleepers.enter(follower));
        sleepers.endLead();
        assertEquals(follower, sleepers.leave());
        sleepers.endFollow(follower);
        assertEquals(null, sleepers.leave());
    }

    @Test
    void oneEventWakesOneThreadAndNobodySleepsBesideOne() {
        Waiter leader = new Waiter(new Thread());
        Waiter follower = new Waiter(new Thread());
        assertTrue(sleepers.enter(leader));
        assertTrue(sleepers.enter(follower));
        KnoteImpl knote = knote(0);
        assertEquals(follower, ready.activate(knote));
        assertEquals(null, ready.activate(knote), "it is on the list already");
        sleepers.endFollow(follower);
        assertFalse(sleepers.enter(follower));
        assertEquals(leader, ready.activate(knote(1)));
        assertEquals(null, ready.activate(knote(2)), "all have been woken");
    }

    @Test
    void aKnoteIsTakenOnceForEachTimeItWasActivatedWhoeverActivatesDisablesAndEnables() throws Exception {
        int rounds = FULL ? 30_000_000 : 600_000;
        KnoteImpl[] knotes = knotes(0);
        AtomicIntegerArray pending = new AtomicIntegerArray(KNOTES);
        AtomicIntegerArray owned = new AtomicIntegerArray(KNOTES);
        startTakers(1, 4, knote -> pending.set((int) knote.ident, 0));
        runAll(THREADS, me -> {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            for (int round = 1; round <= rounds; round++) {
                int i = random.nextInt(2);
                if (random.nextInt(8) > 0) {
                    pending.set(i, 1);
                    wake(ready.activate(knotes[i]));
                } else if (owned.compareAndSet(i, 0, 1)) { // as a thread that has taken the knote
                    ready.disable(knotes[i]);
                    ready.enable(knotes[i]);
                    wake(ready.activate(knotes[i]));
                    owned.set(i, 0);
                }
            }
        });
        for (int i = 0; i < KNOTES; i++) {
            int index = i;
            await("knote " + i + " to be taken", () -> pending.get(index) == 0);
        }
        await("an empty list", () -> ready.size() == 0);
        assertTrue(ready.isEmpty());
    }

    @Test
    void killedKnotesLeaveTheListWholeWhicheverStripeTheyAreOn() throws Exception {
        int rounds = FULL ? 300_000 : 6_000;
        AtomicInteger kept = new AtomicInteger();
        AtomicInteger taken = new AtomicInteger();
        startTakers(1, 4, knote -> {
            if (knote.ident == 1) {
                taken.incrementAndGet();
                kill(knote);
            }
        });
        runAll(2, me -> {
            for (int round = 0; round < rounds; round++) {
                KnoteImpl[] some = knotes(2);
                KnoteImpl last = knote(1);
                wakeAll(ready, some);
                kill(some[round % KNOTES]);
                kept.incrementAndGet();
                wake(ready.activate(last));
                for (int i = 1; i < KNOTES; i++) {
                    kill(some[(round + i) % KNOTES]);
                }
            }
        });
        await("all that was not killed", () -> taken.get() == kept.get());
        await("an empty list", () -> ready.size() == 0);
        assertTrue(ready.isEmpty());
    }

    @Test
    void aKilledKnoteIsOffTheListAndNotTaken() {
        KnoteImpl[] knotes = knotes(0);
        wakeAll(ready, knotes);
        ready.kill(knotes[0]);
        ready.kill(knotes[3]);
        ready.disable(knotes[KNOTES - 1]);
        assertEquals(KNOTES - 3, ready.size());
        int[] into = new int[KNOTES];
        assertEquals(KNOTES - 3, pop(into));
        assertEquals(List.of(1L, 2L, 4L, 5L, 6L),
                Arrays.stream(into).limit(5).mapToObj(number -> table.get(number).ident).toList());
        assertTrue(ready.isEmpty());
    }

    @Test
    void whatAThreadActivatesIsTakenInOrderByWhoeverTakesAll() throws Exception {
        int rounds = FULL ? 500_000 : 10_000;
        AtomicIntegerArray next = new AtomicIntegerArray(THREADS);
        startTakers(1, 5, knote -> {
            int thread = (int) knote.ident / KNOTES;
            int expected = next.getAndIncrement(thread);
            assertEquals(expected % KNOTES, knote.ident % KNOTES, "thread " + thread + ", event " + expected);
        });
        runAll(THREADS, me -> {
            KnoteImpl[] mine = new KnoteImpl[KNOTES];
            for (int i = 0; i < KNOTES; i++) {
                mine[i] = knote(me * KNOTES + i);
            }
            for (int round = 1; round <= rounds; round++) {
                int all = round * KNOTES;
                if (round % 2 == 0) {
                    wakeAll(ready, mine);
                } else {
                    for (KnoteImpl knote : mine) {
                        wake(ready.activate(knote));
                    }
                }
                await("all of round " + round, () -> next.get(me) == all);
            }
        });
    }

    @Test
    void aStripeIsNotForgottenBesideOneThatIsNeverEmpty() throws Exception {
        KnoteImpl[] own = knotes(0);
        KnoteImpl others = knote(100);
        for (KnoteImpl knote : own) {
            assertEquals(null, ready.activate(knote));
        }
        Thread other = Thread.ofPlatform().start(() -> assertEquals(null, ready.activate(others)));
        other.join();
        int[] one = new int[1];
        int scans = 0;
        do {
            assertEquals(1, pop(one));
            if (one[0] != others.number) {
                ready.requeue(table.get(one[0]));
            }
        } while (one[0] != others.number && scans++ < 10_000);
        assertTrue(scans < 10_000, "scans until the other thread's knote came: " + scans);
    }

    @Test
    void aScanTakesAKnoteOnceAlsoWhenItComesBackToTheList() {
        KnoteImpl[] knotes = knotes(0);
        wakeAll(ready, knotes);
        Call call = Call.begin();
        int[] into = new int[3];
        long scan = SCANS.incrementAndGet();
        ready.beginScan(call, scan);
        int total = 0;
        for (int n; (n = ready.pop(call, scan, into, 3, total > 0)) > 0;) {
            for (int i = 0; i < n; i++) {
                KnoteImpl knote = table.get(into[i]);
                assertEquals(total++, knote.ident);
                ready.requeue(knote);
            }
        }
        call.end();
        assertEquals(KNOTES, total);
        assertEquals(KNOTES, ready.size());
    }

    // ----

    private interface Work {
        void run(int me) throws Exception;
    }

    private void startTakers(int count, int most, Consumer<KnoteImpl> taken) {
        for (int i = 0; i < count; i++) {
            Taker taker = new Taker(most);
            takers.add(taker);
            threads.add(Thread.ofPlatform().daemon().start(() -> guarded(() -> taker.run(taken))));
        }
    }

    private void runAll(int count, Work work) throws Exception {
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int me = i;
            workers.add(Thread.ofPlatform().daemon().start(() -> guarded(() -> {
                try {
                    work.run(me);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            })));
        }
        for (Thread worker : workers) {
            worker.join();
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (Throwable t) {
            failure.compareAndSet(null, t);
        }
    }

    private void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        for (int looks = 0; !condition.getAsBoolean(); looks++) {
            if (looks < 200) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
            if (looks % 64 == 63 && (failure.get() != null || System.nanoTime() > end)) {
                throw new AssertionError("waited in vain for " + what + "; on the list: " + ready.size(),
                        failure.get());
            }
        }
    }

    private static void jitter(int most) {
        for (int i = ThreadLocalRandom.current().nextInt(most); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    private void wake(Waiter waiter) {
        if (waiter != null) {
            for (Taker taker : takers) {
                if (taker.me == waiter) {
                    taker.poked.set(true);
                }
            }
            LockSupport.unpark(waiter.thread);
        }
    }

    private void wakeAll(ReadyList list, KnoteImpl[] knotes) {
        Waiter[] woken = new Waiter[knotes.length];
        long[] names = Stream.of(knotes).mapToLong(KnoteImpl::name).toArray();
        int n = list.activate(names, names.length, woken);
        for (int i = 0; i < n; i++) {
            wake(woken[i]);
        }
    }

    private int pop(int[] into) {
        return pop(SCANS.incrementAndGet(), into);
    }

    private int pop(long scan, int[] into) {
        Call call = Call.begin();
        try {
            ready.beginScan(call, scan);
            return ready.pop(call, scan, into, into.length, false);
        } finally {
            call.end();
        }
    }

    /** Its number is another's soon. */
    private void kill(KnoteImpl knote) {
        table.remove(knote);
        ready.kill(knote);
        table.free(knote);
    }

    private KnoteImpl[] knotes(int from) {
        KnoteImpl[] knotes = new KnoteImpl[KNOTES];
        for (int i = 0; i < KNOTES; i++) {
            knotes[i] = knote(from + i);
        }
        return knotes;
    }

    private KnoteImpl knote(int ident) {
        Kevent change = new Kevent();
        change.ident = ident;
        change.filter = filters.decrementAndGet(); // so that each is another knote for the table
        KnoteImpl knote = new KnoteImpl(QUEUE, null, change);
        ready.begin(knote, false);
        assertTrue(table.insert(knote));
        return knote;
    }
}
