package dev.knote.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Subjects measured side by side: in each round every subject runs once, one after the other, so that what disturbs the
 * machine disturbs all of them; a ratio is one of two runs of the same round.
 */
final class Race implements AutoCloseable {
    private final List<Subject> subjects = new ArrayList<>();
    private final List<Runnable> others = new ArrayList<>();
    private final int rounds;

    Race(Settings settings) {
        rounds = settings.rounds();
    }

    /** A subject: its process, how many operations a run has, and its figures, in nanoseconds an operation. */
    record Subject(String name, Child child, int count, double[] nanos) {
        Spread time() {
            return Spread.of(nanos);
        }

        /** How much longer this takes than the other. */
        Spread over(Subject other) {
            double[] ratios = new double[nanos.length];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = nanos[i] / other.nanos[i];
            }
            return Spread.of(ratios);
        }
    }

    Subject add(String name, Child child, int count) {
        Subject subject = new Subject(name, child, count, new double[rounds]);
        subjects.add(subject);
        others.add(child::close);
        return subject;
    }

    /** To do at the end. */
    void atEnd(Runnable end) {
        others.add(end);
    }

    void warmUp(int times) throws IOException {
        for (Subject subject : subjects) {
            for (int i = 0; i < times; i++) {
                subject.child.time(subject.count);
            }
        }
    }

    void run() throws IOException {
        warmUp(4);
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
