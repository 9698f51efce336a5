package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import java.util.BitSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The free list in every order of its steps: nobody has what another has, none means none, and a death leaves it whole. */
@Tag("once")
class CpuFreeListExploredTest {
    /** What threads of a story do with a list, whose indices have one holder each. */
    public abstract static class Users extends Story {
        private final int lines;
        private final int size;
        CpuFreeList list;

        Users(int lines, int size) {
            this.lines = lines;
            this.size = size;
        }

        @Override
        public int threads() {
            return 2;
        }

        @Override
        public void begin(World world) {
            list = CpuFreeList.of(world.memory, 0, lines, size);
            for (int i = 0; world.notes[31] == 0 && i < size; i++) {
                list.push(lines - 1, i);
            }
            world.notes[31] = 1;
        }

        int pop(World world, int thread, int line) {
            int index = list.pop(line);
            if (index != CpuFreeList.NONE) {
                assertEquals(0, world.notes[index], () -> "index " + index + " is another's");
                world.notes[index] = thread + 1;
            }
            return index;
        }

        void push(World world, int line, int index) {
            world.notes[index] = 0;
            list.push(line, index);
        }

        @Override
        public void check(World world) {
            BitSet free = new BitSet();
            for (int index = list.pop(); index != CpuFreeList.NONE; index = list.pop()) {
                assertTrue(!free.get(index), "an index is free twice");
                free.set(index);
                assertTrue(free.cardinality() <= size);
            }
            for (int i = 0; i < size; i++) {
                boolean mayBeLost = world.hasDead();
                assertTrue(free.get(i) || world.notes[i] != 0 || mayBeLost, "an index is lost");
            }
            assertTrue(free.cardinality() >= size - 2 - held(world), "more is lost than was held");
        }

        private static int held(World world) {
            return world.hasDead() ? 1 : 0;
        }
    }

    /** The first takes one; the other takes two, gives the first of them back, and takes again: A, B, A. */
    public static class ThereAndBack extends Users {
        public ThereAndBack() {
            super(1, 3);
        }

        @Override
        public void run(int thread, World world) {
            if (thread == 0) {
                int mine = pop(world, 0, 0);
                int next = pop(world, 0, 0);
                if (mine >= 0) {
                    push(world, 0, mine);
                }
                if (next >= 0) {
                    push(world, 0, next);
                }
                return;
            }
            int a = pop(world, 1, 0);
            int b = pop(world, 1, 0);
            if (a >= 0) {
                push(world, 0, a);
            }
            if (b >= 0) {
                int c = pop(world, 1, 0);
                if (c >= 0) {
                    push(world, 0, c);
                }
                push(world, 0, b);
            }
        }

        @Override
        public void check(World world) {
            super.check(world);
            assertTrue(world.hasDead() || list.pop() == CpuFreeList.NONE);
        }
    }

    /** Two indices, of which the other thread holds one at most, and moves them about: there is always one. */
    public static class AlwaysOne extends Users {
        public AlwaysOne() {
            super(2, 2);
        }

        @Override
        public void run(int thread, World world) {
            if (thread == 0) {
                int mine = pop(world, 0, 0);
                assertTrue(mine != CpuFreeList.NONE, "none is free, though one is");
                push(world, 0, mine);
                return;
            }
            for (int to = 0; to < 2; to++) {
                for (int i = 0; i < 2; i++) {
                    int index = pop(world, 1, 1 - to);
                    assertTrue(index != CpuFreeList.NONE, "none is free, though one is");
                    push(world, to, index);
                }
            }
        }
    }

    private static Explorer thereAndBack() {
        return Explorer.of(ThereAndBack.class).preemptions(3);
    }

    private static Explorer alwaysOne() {
        return Explorer.of(AlwaysOne.class).preemptions(3);
    }

    @Test
    void nobodyHasWhatAnotherHasThoughATopComesBack() {
        thereAndBack().check();
        thereAndBack().preemptions(2).delays(1).check();
    }

    @Test
    void noneMeansNone() {
        alwaysOne().check();
    }

    @Test
    void whoeverDiesTheListIsWhole() {
        thereAndBack().preemptions(2).kills(1).check();
        alwaysOne().preemptions(1).kills(1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no version: a top that has come back is taken for the same
                thereAndBack().sees(Fault.number("CpuFreeList", "next", 1L << 32, 0)),
                // the link is not written; written after the head
                thereAndBack().sees(Fault.without("CpuFreeList", "push", "setRelease")),
                // a replacement that is not compared
                thereAndBack().sees(Fault.answer("CpuFreeList", "popOf", "compareAndSet", 1)),
                // NONE without a moment in which all were empty
                alwaysOne().sees(Fault.answer("CpuFreeList", "steal", "versions", 0)),
                // only the own stack is looked at
                alwaysOne().sees(Fault.answer("CpuFreeList", "steal", "popOf", CpuFreeList.NONE)));
    }
}
