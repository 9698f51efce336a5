package dev.knote.pool;

import java.time.Duration;

/**
 * Who is woken, and when: the decisions of a {@link LeaderFollowers}. Each is made by the thread that leads, while it
 * has an event in hand, without a lock but for {@link #next}. One object may serve several pools; methods are called by
 * several threads.
 */
public interface Policy {
    /** What the leader knows when it has taken an event and not handled it yet. Good until {@link #promotes} returns. */
    interface Moment {
        /** Whether more events are known to be there. */
        boolean isMoreReady();

        /** How many threads neither sleep nor are known to block, with the one that asks. */
        int running();

        /** How many threads sleep and could be woken. */
        int idle();

        /** How long the handler of this event is likely to take, in nanoseconds: as before; 0 if it is new. */
        long expectedNanos();

        /** For how long, so to speak, events have been waiting behind those that this thread handled: the sum. */
        long backlogNanos();
    }

    /**
     * Whether a thread is to be woken, or started if there may be one more, to lead while this event is handled. If not,
     * nobody leads until a handler returns, or, if none does, for the pool's {@link PoolOptions#bound}.
     */
    boolean promotes(Moment moment);

    /**
     * Who is woken: 0 is who has been asleep for longest, {@code idle - 1} who was active last. Called under a lock: short,
     * and without any call of the pool.
     */
    int next(int idle);

    /** Always promotes, who was active last: its memory is still in the cache. */
    static Policy lifo() {
        return new Always(true);
    }

    /** Always promotes, who has been asleep for longest: all threads are used alike. */
    static Policy fifo() {
        return new Always(false);
    }

    /** As {@link #thrifty(Duration, Duration, int)}: 50 microseconds, half a millisecond, as many threads as processors. */
    static Policy thrifty() {
        return thrifty(
                Duration.ofNanos(50_000), Duration.ofNanos(500_000),
                Runtime.getRuntime().availableProcessors());
    }

    /**
     * Wakes nobody for what this thread will have done before another is awake: it promotes, who was active last,
     *
     * <ul><li>before a handler that is expected to take {@code most} or longer, as it may block; and
     * <li>if more events are ready, handlers of {@code least} or longer in all have been or are in front of them, and
     * fewer than {@code parallel} threads run.</ul>
     *
     * @param least some times what waking a thread takes
     * @param most for how long an event may have to wait for a handler that runs
     */
    static Policy thrifty(Duration least, Duration most, int parallel) {
        return new Thrifty(least.toNanos(), most.toNanos(), parallel);
    }
}
