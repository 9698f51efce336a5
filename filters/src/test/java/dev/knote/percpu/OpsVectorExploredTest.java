package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Vectors in every order of their steps, and with a death at each: all or nothing, for everybody who looks. */
@Tag("once")
class OpsVectorExploredTest {
    private static final int FROM = 512;
    private static final int TO = 576;
    private static final int START = 10;

    static OpsVector move(World world) {
        return OpsVector.on(world.memory, 0).add(FROM, -1).add(TO, 1);
    }

    /** Two processes move 1, and the last looks. */
    public static class Moves extends Story {
        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void begin(World world) {
            world.memory.set(ValueLayout.JAVA_LONG, FROM, START);
        }

        @Override
        public void run(int thread, World world) {
            if (thread < 2) {
                assertEquals(OpsVector.DONE, move(world).run());
                world.notes[thread]++;
            } else {
                look(world);
            }
        }

        static long look(World world) {
            OpsVector look = OpsVector.on(world.memory, 0).get(FROM).get(TO);
            assertEquals(OpsVector.DONE, look.run());
            assertEquals(START, look.value(0) + look.value(1));
            return look.value(1);
        }

        @Override
        public void check(World world) {
            long moved = look(world);
            long done = world.notes[0] + world.notes[1];
            assertTrue(moved == done || world.hasDead() && moved == done + 1,
                    () -> moved + " moved, not " + done);
        }
    }

    /** Both move, if there is something: one fails. */
    public static class Compared extends Moves {
        @Override
        public int threads() {
            return 2;
        }

        @Override
        public void run(int thread, World world) {
            int failed = OpsVector.on(world.memory, 0).equal(TO, 0).add(FROM, -1).add(TO, 1).run();
            world.notes[thread] = failed == OpsVector.DONE ? 1 : 0;
        }

        @Override
        public void check(World world) {
            long moved = look(world);
            assertTrue(moved == 1 || world.hasDead() && moved == 0);
            assertTrue(world.hasDead() || world.notes[0] + world.notes[1] == 1);
        }
    }

    private static Explorer moves() {
        return Explorer.of(Moves.class).preemptions(2);
    }

    @Test
    void allOrNothingIsSeenByEverybody() {
        moves().check();
        moves().preemptions(1).delays(1).check();
        Explorer.of(Compared.class).preemptions(3).check();
    }

    @Test
    void whereverOneDiesAllOrNothingIsDone() {
        moves().preemptions(1).kills(1).check();
        Explorer.of(Compared.class).preemptions(2).kills(1).check();
    }

    /** The one that waits for a lock for too long finds its owner alive. */
    @Test
    void whoLivesIsNotTakenFrom() {
        Explorer.of(Compared.class).preemptions(2).timeouts(1).check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        Explorer killing = moves().preemptions(1).kills(1);
        return Stream.of(
                // without the wake of an unlock; without bit 31, of who waits
                moves().sees(Fault.without("OpsLog", "unlock", "wake")),
                moves().sees(Fault.answer("OpsLog", "lockSlowly", "compareAndSet", 1).at(2)),
                // stored without having been decided; what was decided is not completed
                killing.sees(Fault.without("OpsLog", "decide", "setRelease")),
                moves().preemptions(1).kills(1).sees(Fault.answer("OpsLog", "lock", "isWriting", 0)),
                // the dead keep the lock; the living lose it
                moves().preemptions(1).kills(1).sees(Fault.answer("OpsLog", "lockSlowly", "isDead", 0)),
                Explorer.of(Compared.class).timeouts(1)
                        .sees(Fault.answer("OpsLog", "lockSlowly", "isDead", 1)),
                // no lock
                Explorer.of(Compared.class).sees(Fault.answer("OpsLog", "lock", "compareAndSet", 1)),
                // read in the midst of writing
                moves().sees(Fault.answer("OpsVector", "look", "isWriting", 0)));
    }
}
