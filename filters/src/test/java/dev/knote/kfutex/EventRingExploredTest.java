package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The ring in every order of its steps: each event is taken once, and whole, and nobody sleeps beside one, or beside room. */
@Tag("once")
class EventRingExploredTest {
    private static final int SLOTS = 2;

    /** Thread 0 puts, in their order, and closes; the others take until then. */
    public static class Some extends Story {
        int events() {
            return 3;
        }

        @Override
        public int threads() {
            return 3;
        }

        @Override
        public void begin(World world) {
            EventRing made = EventRing.create(world.memory, SLOTS);
            assertEquals(0, made.size());
        }

        @Override
        public void run(int thread, World world) {
            if (thread == 0) {
                put(world, EventRing.create(world.memory, SLOTS));
            } else {
                take(world, EventRing.open(world.memory), thread);
            }
        }

        void put(World world, EventRing ring) {
            KeventList list = KeventList.allocate(1);
            for (int i = 1; i <= events(); i++) {
                list.set(0, i, 0, 0, 0, -i, null);
                list.ext(0, 3, i);
                while (ring.put(list, 0, 1) == 0) {
                    assertTrue(ring.awaitRoom(null));
                }
            }
            end(world, ring);
        }

        void end(World world, EventRing ring) {
            ring.close();
        }

        void take(World world, EventRing ring, int thread) {
            KeventList list = KeventList.allocate(2);
            long last = 0;
            for (int n; (n = ring.take(list, 2, null)) > 0;) {
                for (int i = 0; i < n; i++) {
                    long event = list.ident(i);
                    assertEquals(-event, list.data(i), "half an event");
                    assertEquals(event, list.ext(i, 3), "half an event");
                    assertTrue(event > last, "out of order");
                    last = event;
                    assertEquals(0, world.notes[(int) event]++, "taken twice");
                }
            }
        }

        @Override
        public void check(World world) {
            int missing = 0;
            for (int i = 1; i <= events(); i++) {
                missing += world.notes[i] == 1 ? 0 : 1;
            }
            assertTrue(missing == 0 || world.hasDead() && missing <= 2, "an event is lost");
        }
    }

    /** One consumer, who is too slow. */
    public static class One extends Some {
        @Override
        public int threads() {
            return 2;
        }

        @Override
        int events() {
            return 4;
        }
    }

    /** Consumers that may die; the producer reminds the others, as a feed does. */
    public static class Dying extends Some {
        @Override
        int events() {
            return 2;
        }

        @Override
        void end(World world, EventRing ring) {
            while (ring.size() > 0) {
                ring.remind();
                Thread.onSpinWait();
            }
            ring.close();
        }
    }

    /** Two who take one each, and go; nobody closes. */
    public static class Each extends Some {
        @Override
        int events() {
            return 2;
        }

        @Override
        void end(World world, EventRing ring) {
            assertEquals(0, world.notes[0]);
        }

        @Override
        void take(World world, EventRing ring, int thread) {
            KeventList list = KeventList.allocate(1);
            assertEquals(1, ring.take(list, 1, null));
            world.notes[(int) list.ident(0)]++;
        }
    }

    private static Explorer each() {
        return Explorer.of(Each.class).preemptions(2);
    }

    private static Explorer some() {
        return Explorer.of(Some.class).preemptions(1);
    }

    private static Explorer one() {
        return Explorer.of(One.class).preemptions(2);
    }

    private static Explorer dying() {
        return Explorer.of(Dying.class).preemptions(1).kills(1, 1, 2);
    }

    @Test
    void eachEventIsTakenOnceAndNobodySleepsBesideOne() {
        some().check();
        each().check();
        each().preemptions(1).delays(1).check();
        one().check();
        one().preemptions(1).delays(1).check();
    }

    @Test
    void aConsumerThatDiesHoldsUpNobody() {
        dying().check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake of a consumer; not looked at again before the sleep; not odd again though more sleep
                one().sees(Fault.without("EventRing", "publish", "ring")),
                one().sees(Fault.answer("EventRing", "sleep", "isEmpty", 1)),
                each().sees(Fault.without("EventRing", "ring", "or")),
                // tail without a barrier before the look at the bell
                each().delays(1).sees(Fault.weaken("EventRing", "publish", "setVolatile")),
                // no wake of the producer; not looked at again before he sleeps
                one().sees(Fault.without("EventRing", "tellOfRoom", "wake")),
                one().sees(Fault.answer("EventRing", "awaitRoom", "hasRoom", 0).at(2)),
                // taken without being compared; published before it is written
                some().sees(Fault.answer("EventRing", "claim", "compareAndSet", 1)),
                some().sees(Fault.without("EventRing", "put", "copyIn")),
                // closed, and nobody is told
                some().sees(Fault.without("EventRing", "close", "wake")),
                // nobody is reminded
                dying().sees(Fault.without("EventRing", "remind", "ring")));
    }
}
