package dev.knote.pool;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for conditions. */
final class Eventually {
    static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private static final long SHORT_NANOS = 4_000_000_000L;

    private Eventually() {}

    /** Whether one more of so many is wanted: a short run is short on a busy machine as well. */
    static boolean goesOn(long done, long wanted, long beginNanos) {
        return done < wanted && (FULL || System.nanoTime() - beginNanos < SHORT_NANOS);
    }

    /** Fails, with what there is to know, if the condition does not come to hold. */
    static void await(Supplier<String> state, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                StringBuilder text = new StringBuilder("waited in vain: " + state.get());
                Thread.getAllStackTraces().forEach((thread, frames) -> {
                    if (!thread.getName().matches("(pool|ranks).*")) {
                        return;
                    }
                    text.append("\n  ").append(thread.getName()).append(' ').append(thread.getState());
                    for (int i = 0; i < Math.min(8, frames.length); i++) {
                        text.append("\n    ").append(frames[i]);
                    }
                });
                throw new AssertionError(text.toString());
            }
            Thread.yield();
        }
    }
}
