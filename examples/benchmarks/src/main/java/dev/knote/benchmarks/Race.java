package dev.knote.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Subjects measured side by side: in each round every subject runs once, one after the other, so that what disturbs the
 * machine disturbs all of them; a ratio is one of two runs of the same round.
 */
public final class Race implements AutoCloseable {
    private static final int STEADY_RUNS = 12;
    private static final int WARM_AFTER = 200_000;
    private static final int RUNS_ALONE = 5;
    private static final double IMPROVED = 0.97;
    private static final long MOST_WARM_UP_NANOS = 4_000_000_000L;

    private final List<Subject> subjects = new ArrayList<>();
    private final List<Runnable> others = new ArrayList<>();
    private final int rounds;
    private final long mostWarmUpNanos;

    public Race(Settings settings) {
        this(settings, MOST_WARM_UP_NANOS);
    }

    /** Of subjects that are warm, or almost. */
    public Race(Settings settings, long mostWarmUpNanos) {
        rounds = settings.rounds();
        this.mostWarmUpNanos = mostWarmUpNanos;
    }

    /** A subject: its process, how many operations a run has, and its figures, in nanoseconds an operation. */
    public record Subject(String name, Child child, int count, double[] nanos) {
        public Spread time() {
            return Spread.of(nanos);
        }

        /** How much longer this takes than the other. */
        public Spread over(Subject other) {
            double[] ratios = new double[nanos.length];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = nanos[i] / other.nanos[i];
            }
            return Spread.of(ratios);
        }
    }

    public Subject add(String name, Child child, int count) {
        Subject subject = new Subject(name, child, count, new double[rounds]);
        subjects.add(subject);
        others.add(child::close);
        return subject;
    }

    /** To do at the end. */
    public void atEnd(Runnable end) {
        others.add(end);
    }

    /**
     * Until compiled code is all there: a JVM that shares its processor with its compiler takes some 150,000 operations
     * to get there, and is four times as slow before.
     */
    private static void warmUp(Subject subject, long mostNanos) throws IOException {
        long from = System.nanoTime();
        long best = Long.MAX_VALUE;
        int steady = 0;
        for (int done = 0; done < WARM_AFTER || steady < STEADY_RUNS; done += subject.count) {
            long nanos = subject.child.time(subject.count);
            if (System.nanoTime() - from > mostNanos) {
                break;
            }
            steady = nanos < best * IMPROVED ? 0 : steady + 1;
            best = Math.min(best, nanos);
        }
    }

    /** Measures one that lives in no other's company, for those that would disturb others by being there. */
    static double alone(Child child, int count) throws IOException {
        try (child) {
            child.ready();
            Subject subject = new Subject("", child, count, new double[RUNS_ALONE]);
            warmUp(subject, MOST_WARM_UP_NANOS);
            for (int i = 0; i < RUNS_ALONE; i++) {
                subject.nanos[i] = (double) child.time(count) / count;
            }
            return subject.time().median();
        }
    }

    public void run() throws IOException {
        for (Subject subject : subjects) {
            warmUp(subject, mostWarmUpNanos);
        }
        for (int round = 0; round < rounds; round++) {
            for (Subject subject : subjects) {
                subject.nanos[round] = (double) subject.child.time(subject.count) / subject.count;
            }
        }
    }

    @Override
    public void close() {
        for (Runnable other : others.reversed()) {
            other.run();
        }
    }
}
