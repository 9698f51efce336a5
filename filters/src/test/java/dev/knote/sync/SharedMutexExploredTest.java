package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import dev.knote.linux.Errno;
import dev.knote.sync.SharedMutex.Outcome;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The mutex in every order of its steps, and with a death at each: one owner at a time, nobody sleeps beside a free one,
 * and the next one hears of a death.
 */
@Tag("once")
class SharedMutexExploredTest {
    /** How long a look at the clock takes: who stays awake looks at it two or three times. */
    private static final long TICK = 30_000;
    /** More looks than it takes to end by the clock. */
    private static final int LOOKS = 100;

    /** Three threads, of a process each, lock once. */
    public static class Three extends Story {
        @Override
        public int threads() {
            return 3;
        }

        SharedMutex mutex(World world) {
            return SharedMutex.of(world.memory, 0);
        }

        @Override
        public void run(int thread, World world) {
            SharedMutex mutex = mutex(world);
            Outcome outcome = mutex.lock();
            guarded(thread, world, mutex, outcome);
        }

        /** What it guards: word 1 and word 2, which are the same for who may look. */
        void guarded(int thread, World world, SharedMutex mutex, Outcome outcome) {
            assertTrue(world.notes[0] == 0 || world.isKilled((int) world.notes[0] - 1), "two have it");
            world.notes[0] = thread + 1;
            int first = Words.get(world.memory.asSlice(64));
            int second = Words.get(world.memory.asSlice(128));
            if (outcome == Outcome.OWNER_DIED) {
                Words.set(world.memory.asSlice(128), first);
                second = first;
                mutex.consistent();
            }
            assertEquals(first, second, "the last owner has not done");
            Words.set(world.memory.asSlice(64), first + 1);
            Words.set(world.memory.asSlice(128), first + 1);
            world.notes[0] = 0;
            mutex.unlock();
            world.notes[1]++;
        }

        @Override
        public void check(World world) {
            assertTrue(world.hasDead() || world.notes[1] == threads());
            assertTrue(world.hasDead() || mutex(world).toString().endsWith("free"),
                    () -> mutex(world).toString());
        }
    }

    /** Two of them. */
    public static class Two extends Three {
        @Override
        public int threads() {
            return 2;
        }
    }

    /** Thread 1 does not wait for ever: as long as four looks at the clock take; thread 0 locks twice. */
    public static class Impatient extends Three {
        @Override
        public boolean mayBeLate(int thread) {
            return thread == 1;
        }

        @Override
        public void run(int thread, World world) {
            SharedMutex mutex = mutex(world);
            Outcome outcome = thread == 1 ? mutex.tryLock(Duration.ofNanos(3 * TICK + TICK / 2))
                    : mutex.lock();
            if (outcome == Outcome.BUSY) {
                world.notes[1]++;
            } else {
                guarded(thread, world, mutex, outcome);
            }
            if (thread == 0 && locksTwice()) {
                guarded(thread, world, mutex, mutex.lock());
                world.notes[1]--;
            }
        }

        boolean locksTwice() {
            return true;
        }
    }

    /** Thread 0 has it until thread 1 is about to try, who stays awake and gives up, while thread 2 sleeps. */
    public static class Awake extends Impatient {
        @Override
        public void run(int thread, World world) {
            MemorySegment tries = world.memory.asSlice(192, Integer.BYTES);
            if (thread == 1) {
                Words.set(tries, 1);
                Words.wake(tries, 1);
            }
            super.run(thread, world);
        }

        @Override
        void guarded(int thread, World world, SharedMutex mutex, Outcome outcome) {
            MemorySegment tries = world.memory.asSlice(192, Integer.BYTES);
            while (thread == 0 && Words.get(tries) == 0) {
                Words.sleep(tries, 0, Words.NEVER);
            }
            mutex.unlock();
            world.notes[1]++;
        }

        @Override
        boolean locksTwice() {
            return false;
        }
    }

    /** Who hears of a death does not repair: nobody can lock any more, and everybody is told. */
    public static class Lost extends Three {
        @Override
        void guarded(int thread, World world, SharedMutex mutex, Outcome outcome) {
            Words.set(world.memory.asSlice(64), 1);
            mutex.unlock();
            world.notes[2] += outcome == Outcome.OWNER_DIED ? 1 : 0;
        }

        @Override
        public void run(int thread, World world) {
            try {
                super.run(thread, world);
            } catch (KeventException e) {
                assertEquals(Errno.ENOTRECOVERABLE, e.errno());
                assertEquals(1, world.notes[2] == 0 && thread != 0 ? 1 : world.notes[2]);
            }
        }

        @Override
        public void check(World world) {
            assertTrue(world.notes[2] <= 1, "two were told that an owner had died");
        }
    }

    /** Thread 0 locks three times, as one who locks all the time, who looks nothing up and does not say where he runs. */
    public static class Again extends Two {
        @Override
        public void run(int thread, World world) {
            SharedMutex mutex = mutex(world);
            for (int i = thread == 0 ? 3 : 1; i > 0; i--) {
                guarded(thread, world, mutex, mutex.lock());
                world.notes[1] -= i > 1 ? 1 : 0;
            }
        }
    }

    private static Explorer on(Class<? extends Story> story) {
        return Explorer.of(story).tickNanos(TICK);
    }

    /** Nobody stays awake, but for the pauses until an owner has said where it is, which others need not use. */
    private static Explorer oneCpu(Class<? extends Story> story) {
        return on(story).oneCpu().spins(LOOKS);
    }

    private static Explorer oneCpu() {
        return oneCpu(Three.class);
    }

    private static Explorer dying() {
        return oneCpu().preemptions(1).kills(1);
    }

    /** Hand-overs to who sleeps come at every chance, not after 64. */
    private static Fault[] oftenInTurn() {
        return new Fault[] {Fault.number("MutexLine", "isTurn", 64, 1)};
    }

    /** Who locks a second time is one who locks all the time. */
    private static Fault atOnce() {
        return Fault.number("SharedMutex", "note", 63, 0);
    }

    private static Explorer again() {
        return oneCpu(Again.class).with(atOnce());
    }

    @Test
    void oneHasItAndNobodySleepsBesideIt() {
        oneCpu().preemptions(2).check();
        oneCpu(Two.class).preemptions(3).check();
    }

    @Test
    void soWithThoseWhoStayAwake() {
        on(Three.class).preemptions(1).check();
        on(Two.class).preemptions(2).check();
        on(Two.class).preemptions(1).delays(1).check();
    }

    @Test
    void soWhenItIsHandedToWhoSleeps() {
        on(Three.class).preemptions(1).with(oftenInTurn()).check();
        on(Two.class).preemptions(2).with(oftenInTurn()).check();
    }

    @Test
    void soWithOneWhoLocksAllTheTime() {
        again().preemptions(2).check();
        on(Again.class).preemptions(1).with(atOnce()).check();
        again().preemptions(1).kills(1).check();
    }

    @Test
    void whoGivesUpTakesNoWakeAlong() {
        oneCpu(Impatient.class).preemptions(2).check();
        on(Awake.class).preemptions(2).spins(LOOKS).check();
    }

    @Test
    void whoeverDiesTheLivingGoOn() {
        dying().check();
        on(Two.class).preemptions(1).kills(1).check();
    }

    @Test
    void whatNobodyRepairsIsLostForAll() {
        oneCpu(Lost.class).preemptions(1).kills(1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake; not announced; bit 31 not kept by who was woken
                oneCpu().sees(Fault.without("MutexLine", "unlockWatched", "wake").at(2)),
                oneCpu().sees(Fault.answer("MutexLine", "announce", "swap", 1)),
                oneCpu().sees(Fault.number("MutexLine", "sleep", 1, 0)),
                // left to who is awake, who is not any more
                on(Awake.class).spins(LOOKS)
                        .sees(Fault.answer("MutexLine", "unlockWatched", "who", 1).at(2)),
                on(Awake.class).spins(LOOKS).delays(1)
                        .sees(Fault.weaken("MutexLine", "unlockWatched", "setVolatile").at(4)),
                // who gives up does not ask that another one is woken
                oneCpu(Impatient.class)
                        .sees(Fault.answer("MutexLine", "giveUp", "announce", 1)),
                // taken without being compared
                on(Two.class).sees(Fault.answer("MutexLine", "lockFree", "swap", 1)),
                again().sees(Fault.answer("SharedMutex", "lockAgain", "compareAndExchange", 0)),
                // a dead owner is not noticed; a living one is robbed
                dying().sees(Fault.answer("MutexLine", "inherit", "isDead", 0)),
                oneCpu(Two.class).timeouts(1)
                        .sees(Fault.answer("MutexLine", "inherit", "isDead", 1)),
                // two take over from one that died
                dying().sees(Fault.answer("MutexLine", "inherit", "swap", 1)));
    }
}
