package dev.knote.benchmarks;

/**
 * @param quick fewer rounds, fewer operations
 * @param cpus the processors there are
 * @param reference the C program, or null
 */
record Settings(boolean quick, Cpus cpus, Reference reference) {
    int rounds() {
        return quick ? 5 : 15;
    }

    /** Operations of a run. */
    int count(int full) {
        return quick ? Math.max(1, full / 4) : full;
    }
}
