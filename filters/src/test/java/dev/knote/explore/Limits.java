package dev.knote.explore;

/**
 * How far a story is explored.
 *
 * @param preemptions how often a thread that could go on has to let another one
 * @param kills how many processes are killed
 * @param victims bit p: process p may be killed
 * @param timeouts how many sleeps with a timeout end by it although others could go on
 * @param delays how many stores without a barrier are delayed until the thread's next barrier, with those after them
 * @param steps of a run, at most
 * @param tickNanos what each look at the clock takes
 * @param spins how often who waits without sleep looks until another one's turn comes by itself
 * @param oneCpu whether all threads are on one processor
 */
record Limits(int preemptions, int kills, int victims, int timeouts, int delays, int steps, long tickNanos,
        int spins, boolean oneCpu) {
    boolean mayKill(int process) {
        return (victims >> process & 1) != 0;
    }
}
