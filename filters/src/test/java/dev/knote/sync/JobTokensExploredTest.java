package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.explore.Explorer;
import dev.knote.explore.Fault;
import dev.knote.explore.Story;
import dev.knote.explore.World;
import dev.knote.words.Words;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Job tokens in every order of their steps, and with a death at each: a token has one holder, nobody sleeps beside one
 * that is free, and the tokens of the dead come back.
 */
@Tag("once")
class JobTokensExploredTest {
    /** Each process takes a token and gives it back. */
    public abstract static class Users extends Story {
        private final int tokens;

        Users(int tokens) {
            this.tokens = tokens;
        }

        @Override
        public int threads() {
            return 3;
        }

        JobTokens tokens(World world) {
            return JobTokens.of(world.memory, tokens);
        }

        int take(World world, JobTokens from, Duration timeout) {
            int token = from.take(timeout);
            if (token >= 0) {
                int holder = (int) world.notes[token];
                assertTrue(holder == 0 || world.isKilled(holder - 1),
                        () -> token + " is of process " + holder);
                world.notes[token] = 1 + me(from, token);
            }
            return token;
        }

        private static int me(JobTokens from, int token) {
            return from.holderPid(token) - 100;
        }

        void release(World world, JobTokens to, int token) {
            world.notes[token] = 0;
            to.release(token);
        }

        @Override
        public void run(int thread, World world) {
            JobTokens mine = tokens(world);
            int token = take(world, mine, null);
            release(world, mine, token);
        }

        @Override
        public void check(World world) {
            JobTokens all = tokens(world);
            int found = world.hasDead() ? all.recover() : 0;
            assertTrue(found <= tokens);
            assertEquals(tokens, all.free());
            if (!world.hasDead()) {
                assertEquals(0, Words.get(world.memory.asSlice(8)) & 0xffff, "waiters");
                assertEquals(0, all.lost());
            }
        }
    }

    /** Three take one. */
    public static class Three extends Users {
        public Three() {
            super(1);
        }
    }

    /** Process 0 has both from the beginning, gives them back one after the other, and the others wait for them. */
    public static class Both extends Users {
        public Both() {
            super(2);
        }

        @Override
        public void begin(World world) {
            if (world.notes[0] == 0) {
                JobTokens mine = tokens(world);
                take(world, mine, null);
                take(world, mine, null);
            }
        }

        @Override
        public void run(int thread, World world) {
            JobTokens mine = tokens(world);
            if (thread == 0) {
                release(world, mine, 0);
                release(world, mine, 1);
                return;
            }
            int token = take(world, mine, timeout(thread));
            world.notes[10 + thread] = token < 0 ? 1 : 0;
            if (token >= 0 && gives(thread)) {
                release(world, mine, token);
            }
        }

        boolean gives(int thread) {
            return false;
        }

        Duration timeout(int thread) {
            return null;
        }

        @Override
        public void check(World world) {
            JobTokens all = tokens(world);
            int found = world.hasDead() ? all.recover() : 0;
            assertTrue(found <= 2);
            long held = 0;
            for (int thread = 1; thread < threads(); thread++) {
                held += world.notes[10 + thread] != 0 || gives(thread) || world.isKilled(thread) ? 0 : 1;
            }
            assertEquals(2 - held, all.free());
        }
    }

    /** Process 1 does not wait for ever: when its time is over as it is woken, the wake is for process 2. */
    public static class Impatient extends Both {
        @Override
        Duration timeout(int thread) {
            return thread == 1 ? Duration.ofMillis(100) : null;
        }

        @Override
        public boolean mayBeLate(int thread) {
            return thread == 1;
        }

        @Override
        public void run(int thread, World world) {
            JobTokens mine = tokens(world);
            if (thread == 0) {
                release(world, mine, 0);
            } else {
                int token = take(world, mine, timeout(thread));
                world.notes[10 + thread] = token < 0 ? 1 : 0;
                if (token >= 0) {
                    release(world, mine, token);
                }
            }
        }

        @Override
        boolean gives(int thread) {
            return true;
        }

        @Override
        public void check(World world) {
            assertEquals(1, tokens(world).free());
        }
    }

    /** Process 1 dies while it waits, or is about to; process 0 gives and takes so often that this is noticed. */
    public static class Counted extends Users {
        private static final int ENOUGH = 26;

        public Counted() {
            super(1);
        }

        @Override
        public int threads() {
            return 2;
        }

        @Override
        public void run(int thread, World world) {
            if (thread == 1) {
                super.run(thread, world);
                return;
            }
            JobTokens mine = tokens(world);
            for (int i = 0; i < ENOUGH; i++) {
                int token = take(world, mine, null);
                world.notes[20] += world.isKilled(1) ? 1 : 0;
                release(world, mine, token);
            }
        }

        @Override
        public void check(World world) {
            super.check(world);
            if (world.notes[20] >= ENOUGH - 2) {
                assertEquals(0, Words.get(world.memory.asSlice(8)) & 0xffff, "waiters");
            }
        }
    }

    /** Process 0 has the only one from the beginning, and another job; processes 1 and 2 wait, 1 not for ever. */
    public static class GoesOn extends Users {
        public GoesOn() {
            super(1);
        }

        @Override
        public void begin(World world) {
            if (world.notes[0] == 0) {
                take(world, tokens(world), null);
            }
        }

        @Override
        public boolean mayBeLate(int thread) {
            return thread == 1;
        }

        @Override
        public void run(int thread, World world) {
            JobTokens mine = tokens(world);
            if (thread != 0) {
                int token = take(world, mine, thread == 1 ? Duration.ofMillis(100) : null);
                if (token >= 0) {
                    release(world, mine, token);
                }
                return;
            }
            world.notes[0] = 0;
            int token = mine.next(0);
            if (token >= 0) {
                world.notes[0] = 1;
            } else {
                token = take(world, mine, null);
            }
            release(world, mine, token);
        }
    }

    private static Explorer three() {
        return Explorer.of(Three.class).preemptions(2);
    }

    private static Explorer goesOn() {
        return Explorer.of(GoesOn.class).preemptions(1).timeouts(1);
    }

    private static Explorer both() {
        return Explorer.of(Both.class).preemptions(2);
    }

    private static Explorer impatient() {
        return Explorer.of(Impatient.class).preemptions(1).timeouts(1);
    }

    private static Explorer dying() {
        return Explorer.of(Three.class).preemptions(1).kills(1, 1, 2);
    }

    /** A wake is fresh for five looks at the clock. */
    private static Explorer counted() {
        return Explorer.of(Counted.class).preemptions(1).kills(1, 1).tickNanos(200_000);
    }

    @Test
    void nobodySleepsBesideAFreeToken() {
        three().check();
        both().check();
    }

    @Test
    void whoGoesOnOrLeavesItToOthersGetsOneAgain() {
        goesOn().check();
        Explorer.of(GoesOn.class).preemptions(2).check();
        Explorer.of(GoesOn.class).preemptions(1).kills(1, 1, 2).check();
    }

    @Test
    void whoseTimeIsOverPassesTheWakeOn() {
        impatient().check();
    }

    @Test
    void whoeverDiesTheLivingHaveTheirTurnAndTheTokensComeBack() {
        dying().check();
        Explorer.of(Both.class).preemptions(1).kills(1, 1).check();
    }

    @Test
    void whoDiedWaitingIsForgottenAfterSixteenWakesInVain() {
        counted().check();
    }

    @TestFactory
    Stream<DynamicTest> eachFaultIsSeen() {
        return Stream.of(
                // no wake; not counted; counted, and not looked again; not counted out
                three().sees(Fault.without("JobTokens", "release", "wakeOne")),
                three().sees(Fault.answer("TokenWaiters", "enter", "swap", 1)),
                three().sees(Fault.without("JobTokens", "sleepFor", "leave")),
                // the sequence stays, so that who is about to sleep is not woken
                three().sees(Fault.without("TokenWaiters", "tell", "add").at(1)),
                // a wake is not passed on by who takes, though there is more
                both().sees(Fault.without("JobTokens", "sleepFor", "wakeNext")),
                // a wake is on its way for ever
                three().sees(Fault.without("JobTokens", "sleepFor", "looks")),
                // taken though it is another's
                three().sees(Fault.answer("JobTokens", "tryTake", "compareAndSet", 1)),
                // left to one who was woken long ago, or to nobody
                goesOn().sees(Fault.answer("JobTokens", "tryTake", "isOneOnHisWay", 1)),
                goesOn().sees(Fault.answer("JobTokens", "next", "compareAndSet", 1)),
                // the dead keep theirs; nobody looks for the dead
                dying().sees(Fault.answer("JobTokens", "recover", "isDead", 0)),
                dying().sees(Fault.without("JobTokens", "sleepFor", "lookIfDue")),
                // the living lose theirs
                three().timeouts(1).sees(Fault.answer("JobTokens", "recover", "isDead", 1)),
                // the dead are counted for ever
                counted().sees(Fault.answer("TokenWaiters", "tell", "swap", 0)));
    }
}
