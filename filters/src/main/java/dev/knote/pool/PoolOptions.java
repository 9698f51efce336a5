package dev.knote.pool;

import java.time.Duration;
import java.util.Objects;
import java.util.function.BiConsumer;

/** How to start a {@link LeaderFollowers}. Immutable; each method returns another one. */
public final class PoolOptions {
    private static final PoolOptions DEFAULTS = new PoolOptions(
            "knote-pool", 1, Runtime.getRuntime().availableProcessors(), Policy.thrifty(),
            Duration.ofMillis(20), Duration.ofSeconds(10), PoolOptions::print);

    final String name;
    final int min;
    final int max;
    final Policy policy;
    final Duration bound;
    final Duration keepIdle;
    final BiConsumer<Thread, Throwable> uncaught;

    private PoolOptions(String name, int min, int max, Policy policy, Duration bound, Duration keepIdle,
            BiConsumer<Thread, Throwable> uncaught) {
        this.name = Objects.requireNonNull(name, "PoolOptions.name: it is null");
        this.min = min;
        this.max = max;
        this.policy = Objects.requireNonNull(policy, "PoolOptions.policy: it is null");
        this.bound = positive("bound", bound);
        this.keepIdle = positive("keepIdle", keepIdle);
        this.uncaught = Objects.requireNonNull(uncaught, "PoolOptions.uncaught: it is null");
        checkThreads("PoolOptions.threads", min, max);
    }

    /** As many threads as processors, {@link Policy#thrifty()}, a bound of 20 ms, what is thrown is printed. */
    public static PoolOptions defaults() {
        return DEFAULTS;
    }

    /** The names of the threads begin with this. */
    public PoolOptions name(String prefix) {
        return new PoolOptions(prefix, min, max, policy, bound, keepIdle, uncaught);
    }

    /** At most {@code most} threads; {@code least} stay, even if there is nothing to do. Started when they are needed. */
    public PoolOptions threads(int least, int most) {
        return new PoolOptions(name, least, most, policy, bound, keepIdle, uncaught);
    }

    /** Who is woken, and when. */
    public PoolOptions policy(Policy decides) {
        return new PoolOptions(name, min, max, decides, bound, keepIdle, uncaught);
    }

    /**
     * For how long nobody may wait in the queue because a handler did not return: then a thread is woken, or started.
     * While handlers run, a thread of its own looks twice in that time: two context switches, and a processor taken
     * from a handler perhaps, each time.
     */
    public PoolOptions bound(Duration most) {
        return new PoolOptions(name, min, max, policy, most, keepIdle, uncaught);
    }

    /** For how long threads beyond the least that stay have to have been of no use to be ended. */
    public PoolOptions keepIdle(Duration time) {
        return new PoolOptions(name, min, max, policy, bound, time, uncaught);
    }

    /** Told what a handler, or a policy, has thrown, on its thread. */
    public PoolOptions uncaught(BiConsumer<Thread, Throwable> handler) {
        return new PoolOptions(name, min, max, policy, bound, keepIdle, handler);
    }

    static void checkThreads(String what, int min, int max) {
        if (min < 1 || max < min) {
            throw new IllegalArgumentException(
                    what + ": least is " + min + ", most is " + max + ": expected 1 <= least <= most");
        }
    }

    private static Duration positive(String what, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(
                    "PoolOptions." + what + ": it is " + duration + ": expected more than none");
        }
        return duration;
    }

    private static void print(Thread thread, Throwable thrown) {
        Thread.UncaughtExceptionHandler handler = Thread.getDefaultUncaughtExceptionHandler();
        if (handler != null) {
            handler.uncaughtException(thread, thrown);
        } else {
            System.err.print("Exception in thread \"" + thread.getName() + "\" ");
            thrown.printStackTrace();
        }
    }
}
