package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Leaders and followers in every order of their steps, with a word for the queue: each event is handled, and nobody waits
 * while no one leads.
 */
@Tag("once")
class RanksExploredTest {
    private static final int EVENTS = 2;
    private static final int OVER = -1;

    /** Threads 0 and 1 are of the pool; thread 2 makes events, and in the end ends the pool. */
    public static class Pool extends Story {
        private final Ranks<Integer> ranks = new Ranks<>(Policy.lifo());

        @Override
        public int threads() {
            return 3;
        }

        @Override
        public int process(int thread) {
            return 0;
        }

        @Override
        public int processes() {
            return 1;
        }

        boolean promotes() {
            return true;
        }

        @Override
        public void run(int thread, World world) {
            MemorySegment ready = word(world, 0);
            if (thread == 2) {
                for (int i = 0; i < EVENTS; i++) {
                    Words.add(ready, 1);
                    Words.wake(ready, 1);
                }
                return;
            }
            while (Words.get(word(world, 1)) < EVENTS) {
                step(thread, world, ready);
            }
        }

        private void step(Integer me, World world, MemorySegment ready) {
            if (ranks.isLedBy(me) || ranks.tryLead(me)) {
                if (tryTake(ready)) {
                    passOn(world);
                    handle(world);
                } else if (Words.get(word(world, 1)) < EVENTS) {
                    Words.sleep(ready, 0, Words.NEVER);
                }
            } else if (Words.get(ready) > 0 && tryTake(ready)) {
                handle(world);
            } else if (ranks.rest(me)) {
                rest(me, world);
            }
        }

        private void rest(Integer me, World world) {
            MemorySegment bed = word(world, 2 + me);
            while (!ranks.isLedBy(me) && Words.get(word(world, 1)) < EVENTS) {
                int seen = Words.get(bed);
                if (!ranks.isLedBy(me) && Words.get(word(world, 1)) < EVENTS) {
                    Words.sleep(bed, seen, Words.NEVER);
                }
            }
        }

        private void passOn(World world) {
            Integer next = promotes() ? ranks.handOver() : null;
            if (next != null) {
                rouse(world, next);
            } else {
                ranks.leave();
                next = promotes() ? ranks.fillVacancy() : null;
                if (next != null) {
                    rouse(world, next);
                }
            }
        }

        void handle(World world) {
            world.notes[0]++;
            if (Words.add(word(world, 1), 1) + 1 == EVENTS) {
                Words.set(word(world, 0), OVER); // so that who is about to sleep does not
                Words.wake(word(world, 0), Integer.MAX_VALUE);
                rouse(world, 0);
                rouse(world, 1);
            }
        }

        static void rouse(World world, int thread) {
            Words.add(word(world, 2 + thread), 1);
            Words.wake(word(world, 2 + thread), 1);
        }

        private static boolean tryTake(MemorySegment ready) {
            int there = Words.get(ready);
            return there > 0 && Words.swap(ready, there, there - 1);
        }

        /** 0: events ready; 1: events handled; 2, 3: what a thread sleeps on. */
        static MemorySegment word(World world, int number) {
            return world.memory.asSlice(64L * number, Integer.BYTES);
        }

        @Override
        public void check(World world) {
            assertEquals(EVENTS, world.notes[0]);
        }
    }

    /** Nobody is promoted: who has handled an event takes the next, or leads. */
    public static class Thrifty extends Pool {
        @Override
        boolean promotes() {
            return false;
        }
    }

    /** The handler of the first event waits until the second is handled: somebody else has to lead meanwhile. */
    public static class Blocking extends Pool {
        @Override
        void handle(World world) {
            boolean isFirst = world.notes[1]++ == 0;
            while (isFirst && Words.get(word(world, 1)) == 0) {
                Words.sleep(word(world, 1), 0, Words.NEVER);
            }
            super.handle(world);
            Words.wake(word(world, 1), 1);
        }
    }

    /** Two become idle, as a third hands the lead over, or tries to. */
    public static class Idle extends Story {
        private static final int LEADER = 9;
        private final Ranks<Integer> ranks = new Ranks<>(Policy.lifo());

        @Override
        public int threads() {
            return 3;
        }

        @Override
        public int process(int thread) {
            return 0;
        }

        @Override
        public int processes() {
            return 1;
        }

        @Override
        public void begin(World world) {
            assertTrue(ranks.tryLead(LEADER));
        }

        @Override
        public void run(int thread, World world) {
            if (thread < 2) {
                assertTrue(ranks.rest(thread));
                return;
            }
            Integer next = ranks.handOver();
            if (next != null) {
                world.notes[next]++;
                assertTrue(ranks.isLedBy(next));
            }
        }

        @Override
        public void check(World world) {
            for (Integer one; (one = ranks.dismiss()) != null;) {
                world.notes[one]++;
            }
            assertEquals(1, world.notes[0], "0 is idle, or leads");
            assertEquals(1, world.notes[1], "1 is idle, or leads");
        }
    }

    private static Explorer idle() {
        return Explorer.of(Idle.class).preemptions(2);
    }

    private static Explorer pool() {
        return Explorer.of(Pool.class).preemptions(2);
    }

    @Test
    void eachEventIsHandled() {
        pool().check();
        Explorer.of(Thrifty.class).preemptions(2).check();
        Explorer.of(Blocking.class).preemptions(2).check();
        idle().preemptions(3).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // idle without looking whether nobody leads
                Explorer.of(Blocking.class).sees(Fault.answer("Ranks", "rest", "compareAndSet", 0)),
                // who has become idle while somebody looked for one in vain is forgotten
                Explorer.of(Blocking.class)
                        .sees(Fault.without("RanksExploredTest$Pool", "passOn", "fillVacancy")),
                // a list that two change at once
                idle().sees(Fault.without("Ranks", "rest", "lock")),
                idle().sees(Fault.without("Ranks", "handOver", "lock")));
    }
}
