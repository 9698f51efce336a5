package dev.knote.explore;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * Runs a {@link Story} in every order of its steps within limits, with the classes of the product as they are compiled:
 * one thread goes on at a time, and at each step on shared memory it is decided whether another one does, or a process is
 * killed. The kernel's part (futex, clock, processes) is played here, so that a wake that is missing is seen as somebody
 * who sleeps for ever, or until time passes.
 *
 * <p>Memory is sequentially consistent, but for {@link #delays}: stores without a barrier may then be seen by others
 * after what the thread reads next, as on x86.
 */
public final class Explorer {
    private static final int MOST_SECONDS = 60;
    private static final int MOST_STEPS = 3000;

    private final Class<? extends Story> type;
    private int preemptions = 2;
    private int kills;
    private int victims = -1;
    private int timeouts;
    private int delays;
    private long tickNanos = 1000;
    private int spins;
    private boolean oneCpu;
    private List<Fault> faults = List.of();
    private long runs;
    private long most = Long.MAX_VALUE;

    private Explorer(Class<? extends Story> type) {
        this.type = type;
    }

    /** Explores a story, with two preemptions. */
    public static Explorer of(Class<? extends Story> type) {
        return new Explorer(type);
    }

    /** A thread that could go on has to let another one up to {@code most} times in a run. */
    public Explorer preemptions(int most) {
        preemptions = most;
        return this;
    }

    /** Up to {@code most} of these processes are killed, at any step. */
    public Explorer kills(int most, int... processes) {
        kills = most;
        victims = processes.length == 0 ? -1 : 0;
        for (int process : processes) {
            victims |= 1 << process;
        }
        return this;
    }

    /** Up to {@code most} sleeps end by their timeout at any step. */
    public Explorer timeouts(int most) {
        timeouts = most;
        return this;
    }

    /** Up to {@code most} stores are delayed. */
    public Explorer delays(int most) {
        delays = most;
        return this;
    }

    /** How long a look at the clock takes. */
    public Explorer tickNanos(long nanos) {
        tickNanos = nanos;
        return this;
    }

    /** Who waits without sleep looks so often in a row. */
    public Explorer spins(int looks) {
        spins = looks;
        return this;
    }

    /** All threads are on one processor; else each has its own. */
    public Explorer oneCpu() {
        oneCpu = true;
        return this;
    }

    /** Plants faults. */
    public Explorer with(Fault... planted) {
        faults = List.of(planted);
        return this;
    }

    /** How many runs there were. */
    public long runs() {
        return runs;
    }

    /** Explores all; AssertionError with all steps of the first run that fails. */
    public Explorer check() {
        String failed = explore();
        if (failed != null) {
            throw new AssertionError(failed);
        }
        return this;
    }

    /** A test that fails unless a run fails with the fault, and as many without it do not. */
    public DynamicTest sees(Fault fault) {
        return DynamicTest.dynamicTest(type.getSimpleName() + " sees " + fault, () -> {
            List<Fault> others = faults;
            faults = Stream.concat(others.stream(), Stream.of(fault)).toList();
            if (explore() == null) {
                throw new AssertionError("nobody sees it in " + runs + " runs: " + fault);
            }
            most = runs;
            faults = others;
            String other = explore();
            if (other != null) {
                throw new AssertionError("without the fault: " + other);
            }
        });
    }

    /** Explores until a run fails: how, or null. */
    public String explore() {
        World world = new World();
        runs = 0;
        try {
            Woven[] loaders = null;
            int processes = 1;
            for (int p = 0; p < processes; p++) {
                Woven loader = new Woven(faults);
                Story story = make(loader);
                if (loaders == null) {
                    processes = story.processes();
                    loaders = new Woven[processes];
                }
                loaders[p] = loader;
            }
            return explore(world, loaders);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private String explore(World world, Woven[] loaders) throws ReflectiveOperationException {
        Story[] stories = stories(loaders);
        Path path = new Path();
        Limits limits = new Limits(preemptions, kills, victims, timeouts, delays, MOST_STEPS, tickNanos,
                spins, oneCpu);
        Scheduler scheduler = new Scheduler(world, limits, path, stories[0].threads());
        Steps.scheduler = scheduler;
        for (Actor actor : scheduler.actors) {
            actor.start();
        }
        long end = System.nanoTime() + MOST_SECONDS * 1_000_000_000L;
        try {
            do {
                Throwable failure = run(scheduler, stories(loaders), false);
                runs++;
                if (failure != null) {
                    return report(run(scheduler, stories(loaders), true), failure, scheduler);
                }
                if (System.nanoTime() > end) {
                    throw new IllegalStateException(
                            "not explored in " + MOST_SECONDS + " s, after " + runs + " runs");
                }
            } while (runs < most && path.next());
            for (Fault fault : faults) {
                if (Arrays.stream(loaders).noneMatch(loader -> loader.hasPlanted(fault))) {
                    throw new IllegalStateException("no place for " + fault);
                }
            }
            return null;
        } finally {
            for (Actor actor : scheduler.actors) {
                actor.endThread();
            }
            Steps.scheduler = null;
        }
    }

    private Throwable run(Scheduler scheduler, Story[] stories, boolean traces) {
        World world = scheduler.world;
        world.clear(stories.length);
        for (int p = 0; p < stories.length; p++) {
            Steps.beginning = p;
            stories[p].begin(world);
        }
        Steps.beginning = 0;
        for (Actor actor : scheduler.actors) {
            int process = stories[0].process(actor.number);
            actor.clear(stories[process], process);
        }
        Throwable failure = scheduler.run(traces);
        if (failure == null) {
            failure = judge(stories[0], world);
        }
        scheduler.unwind();
        return failure;
    }

    private Throwable judge(Story story, World world) {
        if (world.timeouts > 0 && !world.hasDead()) {
            return new AssertionError("somebody slept until the time was over, though nobody was killed");
        }
        try {
            story.check(world);
            return null;
        } catch (Throwable thrown) {
            return thrown;
        }
    }

    private Story[] stories(Woven[] loaders) throws ReflectiveOperationException {
        Story[] stories = new Story[loaders.length];
        for (int p = 0; p < loaders.length; p++) {
            stories[p] = make(loaders[p]);
        }
        return stories;
    }

    private Story make(Woven loader) throws ReflectiveOperationException {
        var constructor = loader.loadClass(type.getName()).getDeclaredConstructor();
        constructor.setAccessible(true);
        return (Story) constructor.newInstance();
    }

    private String report(Throwable again, Throwable failure, Scheduler scheduler) {
        StringBuilder said = new StringBuilder(type.getSimpleName()).append(": run ").append(runs)
                .append(": ")
                .append(failure);
        for (StackTraceElement at : failure.getStackTrace()) {
            if (at.getClassName().startsWith("dev.knote") && !at.getClassName().contains("explore")) {
                said.append("\n    at ").append(at);
            }
        }
        if (again == null) {
            said.append("\n(not again when repeated)");
        }
        return said.append("\nsteps, by thread:").append(scheduler.trace()).toString();
    }
}
