package dev.knote.pool;

/**
 * What a {@link LeaderFollowers} has done so far; each figure as of its own moment.
 *
 * @param events handled, or in a handler
 * @param promotions of them for which the policy had a thread woken or started to lead
 * @param wakeups of threads out of their private sleep, for whatever reason but their end
 * @param wasted of them, after which the thread went back to its private sleep without having handled an event
 * @param early wakeups after which nothing was ready yet, so that the new leader went to sleep in the queue
 * @param rescues times that nobody led for the bound, as all handlers that ran did not return
 * @param looks of the pool's own watching thread: no thread of the pool is woken for them
 * @param started threads
 * @param threads that there are
 * @param idle threads that are in their private sleep
 */
public record PoolStatistics(long events, long promotions, long wakeups, long wasted, long early,
        long rescues,
        long looks, long started, int threads, int idle) {}
