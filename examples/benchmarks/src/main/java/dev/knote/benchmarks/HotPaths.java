package dev.knote.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The operations without a partner, under JMH: for its profilers. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class HotPaths {
    private static final int COUNT = 1000;

    /** Operation and argument, as {@link Operations} has them. */
    @Param({
            "user one,owner", "user one,shared", "user java,owner", "register one,pipe,owner", "idle 1,level",
            "writable ", "words 1,1,anon,private,owner,event"})
    public String operation;

    private Operation made;

    /** Makes the operation, on the thread that will run it. */
    @Setup
    public void make() throws Exception {
        String[] parts = operation.split(" ", 2);
        made = Operations.make(parts[0], parts[1]);
    }

    /** A thousand times. */
    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void run() throws Exception {
        made.run(COUNT);
    }
}
