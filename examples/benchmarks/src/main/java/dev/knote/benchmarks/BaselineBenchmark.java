package dev.knote.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Measures nothing but the clock: the floor of every other figure. */
@State(Scope.Benchmark)
public class BaselineBenchmark {
    @Benchmark
    public long nanoTime() {
        return System.nanoTime();
    }
}
