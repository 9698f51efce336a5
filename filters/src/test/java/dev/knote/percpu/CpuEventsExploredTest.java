package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

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

/** The event count in every order of its steps: nobody sleeps beside what was signalled. */
@Tag("once")
class CpuEventsExploredTest {
    private static final int LINES = 2;
    private static final int AT = 64;

    /** Takes a token from the first word of the memory, and sleeps while there is none. */
    static void take(CpuEvents events, MemorySegment tokens) {
        while (true) {
            long seen = events.count();
            int there = Words.get(tokens);
            if (there == 0) {
                events.await(seen, null);
            } else if (Words.swap(tokens, there, there - 1)) {
                return;
            }
        }
    }

    /** One takes as many tokens as the others give, one each. */
    public static class OneTakes extends Story {
        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void run(int thread, World world) {
            CpuEvents events = CpuEvents.of(world.memory, AT, LINES);
            MemorySegment tokens = world.memory.asSlice(0, Integer.BYTES);
            if (thread > 0) {
                Words.add(tokens, 1);
                events.signal(most());
            } else {
                take(events, tokens);
                take(events, tokens);
            }
        }

        int most() {
            return 1;
        }

        @Override
        public void check(World world) {
            assertEquals(0, Words.get(world.memory));
        }
    }

    /** Several take a token each, one gives them, a signal each, to one or to all. */
    public static class SomeTake extends Story {
        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void run(int thread, World world) {
            CpuEvents events = CpuEvents.of(world.memory, AT, LINES);
            MemorySegment tokens = world.memory.asSlice(0, Integer.BYTES);
            if (thread > 0) {
                take(events, tokens);
                return;
            }
            for (int i = 1; i < threads(); i++) {
                Words.add(tokens, 1);
                events.signal(most());
            }
        }

        int most() {
            return 1;
        }
    }

    /** As before; each signal is for all. */
    public static class SomeTakeAllAreWoken extends SomeTake {
        @Override
        int most() {
            return CpuEvents.ALL;
        }
    }

    /** All tokens are there before the one signal, which is for two: both have to wake. */
    public static class OneSignalForTwo extends SomeTake {
        @Override
        public void run(int thread, World world) {
            if (thread > 0) {
                super.run(thread, world);
                return;
            }
            Words.add(world.memory.asSlice(0, Integer.BYTES), 2);
            CpuEvents.of(world.memory, AT, LINES).signal(2);
        }
    }

    /** Whoever dies, the next signal, to all, wakes who is left. Thread 2 gives what the others lack, and says so. */
    public static class Dying extends Story {
        @Override
        public int threads() {
            return 4;
        }

        @Override
        public void run(int thread, World world) {
            CpuEvents events = CpuEvents.of(world.memory, AT, LINES);
            MemorySegment tokens = world.memory.asSlice(0, Integer.BYTES);
            if (thread == 1 || thread == 3) {
                take(events, tokens);
            } else {
                Words.add(tokens, thread == 2 ? 2 : 1);
                events.signal();
            }
        }
    }

    private static Explorer oneTakes() {
        return Explorer.of(OneTakes.class).preemptions(3);
    }

    private static Explorer someTake() {
        return Explorer.of(SomeTake.class).preemptions(2);
    }

    @Test
    void noTokenIsSleptBeside() {
        oneTakes().check();
        someTake().check();
        Explorer.of(SomeTakeAllAreWoken.class).preemptions(2).check();
        Explorer.of(OneSignalForTwo.class).preemptions(2).check();
    }

    @Test
    void whoeverDiesTheNextSignalWakesTheLiving() {
        Explorer.of(Dying.class).preemptions(1).kills(1, 0, 1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake; the gate not marked; not looked at again after that
                oneTakes().sees(Fault.answer("CpuEvents", "signal", "get", 0)),
                oneTakes().sees(Fault.answer("CpuEvents", "await", "or", 1)),
                oneTakes().sees(Fault.answer("CpuEvents", "await", "count", 0).at(2)),
                // of one signal for two, one woken
                Explorer.of(OneSignalForTwo.class).sees(Fault.answer("CpuEvents", "signal", "wake", 2).at(1)),
                // the bit is cleared, and others still sleep
                someTake().sees(Fault.number("CpuEvents", "signal", 2, 1)),
                oneTakes().sees(Fault.without("CpuEvents", "signal", "getAndAdd")));
    }
}
