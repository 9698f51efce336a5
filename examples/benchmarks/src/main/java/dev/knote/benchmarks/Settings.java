package dev.knote.benchmarks;

/**
 * @param quick fewer rounds, fewer operations
 * @param cpus the processors there are
 * @param reference the C program, or null
 */
public record Settings(boolean quick, Cpus cpus, Reference reference) {
    public int rounds() {
        return quick ? 5 : 15;
    }

    /** Operations of a run. */
    public int count(int full) {
        return quick ? Math.max(1, full / 4) : full;
    }
}
