package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The latch in every order of its steps: the owner sees all that was written before it was set. */
@Tag("once")
class LatchExploredTest {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final int SETTERS = 2;

    /** Two write and set, an owner waits until he has seen all. */
    public static class Work extends Story {
        @Override
        public int threads() {
            return 1 + SETTERS;
        }

        @Override
        public void run(int thread, World world) {
            if (thread > 0) {
                set(thread, world);
            } else {
                own(world);
            }
        }

        static void set(int thread, World world) {
            INT.setRelease(world.memory, 64L * thread, 1);
            Latch.of(world.memory, 0).set();
        }

        void own(World world) {
            try (Latch latch = Latch.own(world.memory, 0)) {
                while (true) {
                    latch.reset();
                    int seen = 0;
                    for (int i = 1; i <= SETTERS; i++) {
                        seen += Words.get(word(world, i));
                    }
                    if (seen == SETTERS) {
                        return;
                    }
                    await(latch);
                }
            }
        }

        void await(Latch latch) {
            assertTrue(latch.await(null));
        }

        static MemorySegment word(World world, int number) {
            return world.memory.asSlice(64L * number, Integer.BYTES);
        }
    }

    /** With timeouts, some of which are over too soon. */
    public static class Impatient extends Work {
        @Override
        void await(Latch latch) {
            boolean ignored = latch.await(Duration.ofSeconds(1));
        }
    }

    /** An owner may be killed; thread 3 owns it after him, if he was before it began. */
    public static class Inherited extends Work {
        @Override
        public int threads() {
            return 2 + SETTERS;
        }

        @Override
        public void check(World world) {
            assertTrue(world.hasDead() || Words.get(word(world, 1)) == 1);
        }

        @Override
        public void run(int thread, World world) {
            if (thread <= SETTERS) {
                super.run(thread, world);
            } else if (world.isKilled(0)) {
                own(world);
            }
        }
    }

    private static Explorer work() {
        return Explorer.of(Work.class).preemptions(3);
    }

    private static Explorer inherited() {
        return Explorer.of(Inherited.class).preemptions(1).kills(1, 0);
    }

    @Test
    void theOwnerSeesAllThatWasWrittenBeforeItWasSet() {
        work().check();
        work().preemptions(2).delays(1).check();
        Explorer.of(Impatient.class).preemptions(2).timeouts(1).check();
    }

    @Test
    void anOwnerThatDiesLeavesALatchToBeOwned() {
        inherited().check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake; not announced; not looked at before the sleep
                work().sees(Fault.without("Latch", "set", "wake")),
                work().sees(Fault.answer("Latch", "sleeps", "swap", 1)),
                // what was written before may be seen after: no barrier
                work().preemptions(2).delays(1).sees(Fault.without("Latch", "setOnly", "fullFence")),
                // the owner is taken for awake
                work().sees(Fault.answer("Latch", "setOnly", "or", 0)),
                // the word stays as in sleep
                work().sees(Fault.without("Latch", "await", "and")),
                // what the dead owner has left stays
                inherited().sees(Fault.without("Latch", "own", "and")));
    }
}
