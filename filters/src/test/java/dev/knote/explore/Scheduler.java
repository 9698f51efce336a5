package dev.knote.explore;

import dev.knote.explore.Actor.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/** One run of a story at a time: whose turn it is, by a {@link Path} of decisions; and the kernel's futexes. */
final class Scheduler {
    private static final int KILL = 100;
    private static final int TIME_OUT = 200;
    private static final int LET_TIME_PASS = 300;

    final World world;
    final Actor[] actors;
    volatile Actor turn;
    private final Limits limits;
    private final Path path;
    private final Semaphore finished = new Semaphore(0);
    private final List<Actor> sleepers = new ArrayList<>();
    private final StringBuilder trace = new StringBuilder();
    private boolean traces;
    private boolean aborting;
    private Throwable failure;
    private long now;
    private int steps;
    private int preemptions;
    private int kills;
    private int earlyTimeouts;
    private int delays;
    private boolean wokeSomebody;

    Scheduler(World world, Limits limits, Path path, int threads) {
        this.world = world;
        this.limits = limits;
        this.path = path;
        actors = new Actor[threads];
        Arrays.setAll(actors, i -> new Actor(this, i));
    }

    /** One run; what went wrong, or null. */
    Throwable run(boolean withTrace) {
        traces = withTrace;
        trace.setLength(0);
        aborting = false;
        failure = null;
        now = 1_000_000_000L;
        steps = 0;
        preemptions = limits.preemptions();
        kills = limits.kills();
        earlyTimeouts = limits.timeouts();
        delays = limits.delays();
        sleepers.clear();
        path.restart();
        pick(null, false);
        finished.acquireUninterruptibly();
        return failure;
    }

    /** Ends those that were killed, or are stuck. */
    void unwind() {
        aborting = true;
        for (Actor actor : actors) {
            if (actor.state != State.ENDED) {
                give(actor);
                finished.acquireUninterruptibly();
            }
        }
        turn = null;
    }

    String trace() {
        return trace.toString();
    }

    int steps() {
        return steps;
    }

    /** Before something that others may see: perhaps it is another one's turn first. */
    void step(Actor me, String site) {
        check(me);
        if (traces) {
            trace.append("\n  ").append(me.number).append("  ").append(site);
        }
        if (++steps > limits.steps()) {
            fail(me, new AssertionError("more than " + limits.steps() + " steps: it does not end"));
            throw Actor.Killed.ONE;
        }
        for (Actor actor : actors) {
            actor.spins &= actor == me;
        }
        me.spins = false;
        pick(me, true);
    }

    void spin(Actor me, String site) {
        check(me);
        steps++;
        boolean goesOn = ++me.spun < limits.spins();
        me.spins = !goesOn;
        if (steps > limits.steps()) {
            fail(me, new AssertionError("more than " + limits.steps() + " steps: " + site + " does not end"));
            throw Actor.Killed.ONE;
        }
        pick(me, goesOn);
    }

    /** Until woken, which gives the word's index, or the time is over: -1. */
    int sleep(Actor me, long deadline) {
        me.state = State.ASLEEP;
        me.deadline = deadline;
        sleepers.add(me);
        pick(me, false);
        return me.answer;
    }

    int wake(long address, int count) {
        int woken = 0;
        for (int i = 0; i < sleepers.size() && woken < count;) {
            Actor sleeper = sleepers.get(i);
            int index = sleeper.words.indexOf(address);
            if (index >= 0) {
                rouse(sleeper, index);
                woken++;
            } else {
                i++;
            }
        }
        wokeSomebody |= woken > 0;
        return woken;
    }

    private void rouse(Actor sleeper, int answer) {
        sleepers.remove(sleeper);
        sleeper.words.clear();
        sleeper.answer = answer;
        sleeper.state = State.RUNNABLE;
    }

    boolean delays(Actor me) {
        if (delays == 0 || path.decide(2) == 0) {
            return false;
        }
        delays--;
        note(me.number, "delays that");
        return true;
    }

    long nanoTime() {
        now += limits.tickNanos();
        return now;
    }

    int cpu(Actor me) {
        return limits.oneCpu() ? 0 : me.number;
    }

    boolean isDead(int process) {
        return world.killed[process];
    }

    int processOf(int thread) {
        return actors[thread].process;
    }

    void fail(Actor me, Throwable thrown) {
        if (failure == null && !aborting) {
            failure = thrown;
        }
    }

    void ended(Actor me) {
        if (!me.killed && !aborting) {
            me.drain();
        }
        me.state = State.ENDED;
        if (aborting) {
            turn = null;
            finished.release();
        } else {
            pick(me, false);
        }
    }

    private void check(Actor me) {
        if (aborting || me.killed) {
            throw Actor.Killed.ONE;
        }
    }

    /** Decides who goes on, and returns when {@code me} does; with {@code null}, or one that has ended, at once. */
    private void pick(Actor me, boolean goesOn) {
        boolean mayGoOn = goesOn;
        while (true) {
            if (failure != null) {
                finish(me);
                return;
            }
            int[] options = options(me, mayGoOn);
            if (options.length == 0) {
                if (Arrays.stream(actors).anyMatch(Actor::lives)) {
                    fail(me, new AssertionError(
                            "nobody goes on: " + Arrays.stream(actors).filter(Actor::lives)
                                    .map(actor -> "thread " + actor.number).toList() + " sleep for ever"));
                }
                finish(me);
                return;
            }
            int option = options[options.length == 1 ? 0 : path.decide(options.length)];
            if (option < KILL) {
                Actor next = actors[option];
                preemptions -= costs(me, mayGoOn, next) ? 1 : 0;
                if (next != me) {
                    boolean hasEnded = hasEnded(me);
                    give(next);
                    suspend(me, hasEnded);
                }
                return;
            }
            apply(option);
            mayGoOn &= me == null || me.lives();
        }
    }

    private boolean costs(Actor me, boolean mayGoOn, Actor next) {
        return next != me && mayGoOn || me != null && me.spins && me.lives() && next != after(me);
    }

    private int[] options(Actor me, boolean mayGoOn) {
        List<Integer> options = new ArrayList<>();
        if (mayGoOn) {
            options.add(me.number);
            if (preemptions > 0) {
                runnable(me, true, true).forEach(options::add);
            }
        } else if (me != null && me.spins && me.lives()) {
            options.add(after(me).number);
            if (preemptions > 0) {
                runnable(me, true, false).stream().filter(i -> i != (int) options.getFirst())
                        .forEach(options::add);
            }
        } else {
            runnable(me, false, false).forEach(options::add);
            if (options.isEmpty()) {
                runnable(me, false, true).forEach(options::add);
            }
        }
        if (options.isEmpty() && sleepers.stream().anyMatch(actor -> actor.deadline != Long.MAX_VALUE)) {
            options.add(LET_TIME_PASS);
        }
        if (options.isEmpty()) {
            return new int[0];
        }
        addKills(me, mayGoOn, options);
        if (earlyTimeouts > 0) {
            sleepers.stream().filter(actor -> actor.deadline != Long.MAX_VALUE)
                    .forEach(actor -> options.add(TIME_OUT + actor.number));
        }
        return options.stream().mapToInt(i -> i).toArray();
    }

    /** One that runs may be killed where it stands; one that sleeps, or was just woken, when another one's turn begins. */
    private void addKills(Actor me, boolean mayGoOn, List<Integer> options) {
        if (kills == 0) {
            return;
        }
        boolean all = !mayGoOn || wokeSomebody;
        wokeSomebody = false;
        for (int p = 0; p < world.killed.length; p++) {
            int process = p;
            if (!world.killed[p] && limits.mayKill(p) && (all || me.process == p)
                    && Arrays.stream(actors).anyMatch(actor -> actor.process == process && actor.lives())) {
                options.add(KILL + p);
            }
        }
    }

    /** {@code me} is among them if a sleep of its has ended while it was decided. */
    private List<Integer> runnable(Actor me, boolean goesOn, boolean spinners) {
        List<Integer> found = new ArrayList<>();
        for (int i = 1; i <= actors.length; i++) {
            Actor actor = actors[((me == null ? actors.length - 1 : me.number) + i) % actors.length];
            boolean isOther = actor != me || !goesOn && !actor.spins;
            if (isOther && actor.lives() && actor.state == State.RUNNABLE && (spinners || !actor.spins)) {
                found.add(actor.number);
            }
        }
        return found;
    }

    /** Whose turn it is by default when {@code me} waits for others without sleep. */
    private Actor after(Actor me) {
        List<Integer> others = runnable(me, true, false);
        if (others.isEmpty()) {
            others = runnable(me, true, true);
        }
        return others.isEmpty() ? me : actors[others.getFirst()];
    }

    private void apply(int option) {
        if (option == LET_TIME_PASS) {
            Actor first = sleepers.stream().min((a, b) -> Long.compare(a.deadline, b.deadline)).orElseThrow();
            now = Math.max(now, first.deadline);
            world.timeouts += first.story.mayBeLate(first.number) ? 0 : 1;
            note(first.number, "time passes");
            rouse(first, -1);
        } else if (option >= TIME_OUT) {
            Actor one = actors[option - TIME_OUT];
            earlyTimeouts--;
            now = Math.max(now, one.deadline);
            note(one.number, "its time is over");
            rouse(one, -1);
        } else {
            kills--;
            world.killed[option - KILL] = true;
            for (Actor actor : actors) {
                if (actor.process == option - KILL && actor.lives()) {
                    actor.killed = true;
                    sleepers.remove(actor);
                    note(actor.number, "killed");
                }
            }
        }
    }

    private void note(int number, String what) {
        if (traces) {
            trace.append("\n  ").append(number).append("  -- ").append(what);
        }
    }

    private void give(Actor next) {
        turn = next;
        LockSupport.unpark(next);
    }

    /** To be asked before another one goes on, who may begin the next run. */
    private static boolean hasEnded(Actor me) {
        return me == null || me.state == State.ENDED;
    }

    private void suspend(Actor me, boolean hasEnded) {
        if (!hasEnded) {
            if (!me.awaitTurn()) {
                throw Actor.Killed.ONE;
            }
            check(me);
            me.spun = 0;
        }
    }

    private void finish(Actor me) {
        boolean hasEnded = hasEnded(me);
        turn = null;
        finished.release();
        suspend(me, hasEnded);
    }
}
