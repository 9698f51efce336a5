package dev.knote.filters.stress;

import java.time.Duration;

/** How much the stress tests do: {@code -Dknote.stress=full}, or short, the default. */
final class StressSize {
    static final boolean FULL = "full".equals(System.getProperty("knote.stress"));

    /** After so long without any progress, something was lost. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long SHORT_NANOS = 4_000_000_000L;

    private StressSize() {}

    static int of(int full, int brief) {
        return FULL ? full : brief;
    }

    /** Whether it is time for another round: a short run is short on a busy machine as well. */
    static boolean goesOn(int round, int rounds, long beginNanos) {
        return round <= rounds && (FULL || System.nanoTime() - beginNanos < SHORT_NANOS);
    }

    /** The seed of random tests: {@code -Dknote.seed=...}, or a new one. */
    static long seed() {
        Long given = Long.getLong("knote.seed");
        return given != null ? given : System.nanoTime();
    }
}
