package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Sets that wait without a queue, events and semaphores, in every order of their steps: what is made available is taken
 * once, and nobody sleeps beside it.
 */
@Tag("once")
class WaitSetExploredTest {
    private static final int A = 0;
    private static final int B = 64;

    /** Threads 1 and 2 wait for one of what there will be, and thread 0 makes it available. */
    public abstract static class Waiters extends Story {
        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void run(int thread, World world) {
            if (thread == 0) {
                make(world);
                return;
            }
            try (WaitSet set = WaitSet.open(128, 250_000_000L)) {
                wait(thread, world, set);
            }
        }

        abstract void make(World world);

        abstract void wait(int thread, World world, WaitSet set);

        static SharedSemaphore semaphore(World world, int at) {
            return SharedSemaphore.of(world.memory, at);
        }
    }

    /** A unit for each, released one by one, or both at once. */
    public static class Units extends Waiters {
        @Override
        void make(World world) {
            int before = semaphore(world, A).release(1) + semaphore(world, A).release(1);
            assertTrue(before <= 1);
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            set.add(semaphore(world, A));
            assertEquals(0, set.waitAny(null));
        }

        @Override
        public void check(World world) {
            assertTrue(semaphore(world, A).units() <= (world.hasDead() ? 1 : 0));
        }
    }

    public static class TwoAtOnce extends Units {
        @Override
        void make(World world) {
            assertEquals(0, semaphore(world, A).release(2));
        }
    }

    /** One waits for B or A, the other for A alone: who is woken for A and takes B passes that on. */
    public static class Either extends Waiters {
        @Override
        void make(World world) {
            int before = semaphore(world, A).release(1) + semaphore(world, B).release(1);
            assertEquals(0, before);
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            if (thread == 1) {
                set.add(semaphore(world, B));
            }
            set.add(semaphore(world, A));
            int index = set.waitAny(timeout(thread));
            assertTrue(index >= 0 || timeout(thread) != null);
            // Who has taken what the other one needs gives it on.
            if (thread == 1 && index == 1) {
                semaphore(world, A).release(1);
            }
        }

        Duration timeout(int thread) {
            return null;
        }
    }

    /** The one that waits for both does not do so for ever. */
    public static class Impatient extends Either {
        @Override
        Duration timeout(int thread) {
            return thread == 1 ? Duration.ofMillis(100) : null;
        }

        @Override
        public boolean mayBeLate(int thread) {
            return thread == 1;
        }
    }

    /** An event that resets itself: it is set again when the first has been let through. */
    public static class Events extends Waiters {
        static SharedEvent event(World world) {
            return SharedEvent.auto(world.memory, A);
        }

        @Override
        void make(World world) {
            boolean ignored = event(world).set();
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            set.add(event(world));
            assertEquals(0, set.waitAny(null));
            assertEquals(0, world.notes[0], "two at once");
            world.notes[0] = 1;
            world.notes[1]++;
            world.notes[0] = 0;
            boolean ignored = event(world).set();
        }

        @Override
        public void check(World world) {
            assertEquals(2, world.notes[1]);
            assertTrue(event(world).isSet());
        }
    }

    /** A manual event lets both through. */
    public static class Manual extends Waiters {
        @Override
        void make(World world) {
            boolean ignored = SharedEvent.manual(world.memory, A).set();
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            set.add(SharedEvent.manual(world.memory, A));
            assertEquals(0, set.waitAny(null));
        }
    }

    /** One takes both at once, or neither, another one of them, and gives it back. */
    public static class All extends Waiters {
        @Override
        void make(World world) {
            int before = semaphore(world, A).release(1) + semaphore(world, B).release(1);
            assertTrue(before <= 1);
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            set.add(semaphore(world, thread == 1 ? A : B));
            if (thread == 1) {
                set.add(semaphore(world, B));
                assertTrue(set.waitAll(null));
                semaphore(world, A).release(1);
            } else {
                assertEquals(0, set.waitAny(null));
            }
            semaphore(world, B).release(1);
        }

        @Override
        public void check(World world) {
            assertEquals(1, semaphore(world, A).units());
            assertEquals(1, semaphore(world, B).units());
        }
    }

    /** Thread 1 waits for A and B, and sleeps for B while there is A; B comes, A goes: B is for thread 2. */
    public static class AllPasses extends Waiters {
        private static final int C = 128;

        @Override
        public void begin(World world) {
            if (semaphore(world, A).units() == 0) {
                semaphore(world, A).release(1);
            }
        }

        @Override
        void make(World world) {
            semaphore(world, B).release(1);
            boolean took = semaphore(world, A).tryAcquire();
            try (WaitSet set = WaitSet.open(128, 250_000_000L)) {
                set.add(semaphore(world, C));
                assertEquals(0, set.waitAny(null));
            }
            if (took) {
                semaphore(world, A).release(1);
            }
        }

        @Override
        void wait(int thread, World world, WaitSet set) {
            if (thread == 1) {
                set.add(semaphore(world, A));
            }
            set.add(semaphore(world, B));
            if (thread == 1) {
                assertTrue(set.waitAll(null));
                semaphore(world, A).release(1);
            } else {
                assertEquals(0, set.waitAny(null));
                semaphore(world, C).release(1);
            }
            semaphore(world, B).release(1);
        }
    }

    private static Explorer units() {
        return Explorer.of(Units.class).preemptions(2);
    }

    private static Explorer either() {
        return Explorer.of(Either.class).preemptions(2);
    }

    private static Explorer impatient() {
        return Explorer.of(Impatient.class).preemptions(1).timeouts(1);
    }

    private static Explorer events() {
        return Explorer.of(Events.class).preemptions(2);
    }

    private static Explorer all() {
        return Explorer.of(All.class).preemptions(2);
    }

    @Test
    void nobodySleepsBesideAUnit() {
        units().check();
        Explorer.of(TwoAtOnce.class).preemptions(2).check();
        either().check();
    }

    @Test
    void anEventLetsOneThroughAManualOneAll() {
        events().check();
        Explorer.of(Manual.class).preemptions(3).check();
    }

    @Test
    void allOrNothingIsTaken() {
        all().check();
        Explorer.of(AllPasses.class).preemptions(2).check();
    }

    @Test
    void whoseTimeIsOverPassesTheWakeOn() {
        impatient().check();
    }

    @Test
    void whoIsKilledWithAWakeIsMadeUpFor() {
        Explorer.of(Units.class).preemptions(1).kills(1, 1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake; not announced
                units().sees(Fault.without("SharedSemaphore", "release", "wake")),
                units().sees(Fault.answer("Flagged", "prepare", "swap", 1)),
                // SLEEPERS ended without a wake of those who have come meanwhile
                units().preemptions(3).sees(Fault.without("Flagged", "wake", "wake").at(2)),
                // taken without a step of its own: two have the same
                units().sees(Fault.answer("SharedSemaphore", "take", "swap", 1)),
                events().sees(Fault.answer("SharedEvent", "reset", "and", 1)),
                events().sees(Fault.without("SharedEvent", "set", "wake")),
                // a wake is not passed on
                either().sees(Fault.without("DirectWait", "waitAny", "passOn")),
                impatient().sees(Fault.without("DirectWait", "waitAny", "passOn")),
                Explorer.of(AllPasses.class).sees(Fault.without("AllWait", "await", "passOn")),
                // what was taken in vain is kept
                all().sees(Fault.without("AllWait", "takeAll", "giveBack").at(2)),
                // a manual event wakes one
                Explorer.of(Manual.class).sees(Fault.answer("Flagged", "wake", "isConsumed", 1)));
    }
}
