package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Counters in every order of their steps, all threads on one line or each on its own. */
@Tag("once")
class CpuWordsExploredTest {
    /** Two add, another one looks at the sum, which lies between those of the beginning and the end. */
    public static class Adds extends Story {
        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void run(int thread, World world) {
            CpuWords words = CpuWords.of(world.memory, 0, 2);
            if (thread < 2) {
                words.add(2);
                words.add(1);
                world.notes[thread] = 3;
            } else {
                long before = world.notes[0] + world.notes[1];
                long sum = words.sum();
                assertTrue(sum >= before && sum <= 6, () -> sum + " of " + before + " to 6");
            }
        }

        @Override
        public void check(World world) {
            long sum = CpuWords.of(world.memory, 0, 2).sum();
            assertTrue(sum == 6 || world.hasDead());
            if (!world.hasDead()) {
                assertEquals(6, sum);
            }
        }
    }

    @Test
    void whatIsAddedIsInTheSum() {
        Explorer.of(Adds.class).preemptions(3).check();
        Explorer.of(Adds.class).preemptions(3).oneCpu().check();
        Explorer.of(Adds.class).preemptions(2).kills(1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                Explorer.of(Adds.class).sees(Fault.without("CpuWords", "add", "getAndAdd")));
    }
}
