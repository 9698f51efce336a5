package dev.knote.benchmarks;

import dev.knote.EventQueue;
import dev.knote.benchmarks.netty.CostRows;
import dev.knote.benchmarks.netty.EchoRows;
import dev.knote.benchmarks.netty.WakeRows;
import dev.knote.benchmarks.percpu.PercpuRows;
import dev.knote.benchmarks.sync.MutexRows;
import dev.knote.benchmarks.sync.KfutexRows;
import dev.knote.benchmarks.sync.PoolRows;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks and prints Markdown tables. {@code -Dbench=NAME[,NAME]} chooses, {@code -Dbench.quick} shortens.
 * What fails is said, and fails nothing.
 */
final class Benchmarks {
    private Benchmarks() {}

    /** A benchmark. */
    private interface Part {
        void run() throws Exception;
    }

    static void main() {
        String quick = System.getProperty("bench.quick", "false");
        try (Reference reference = Reference.build()) {
            Settings settings = new Settings(!quick.equals("false"), Cpus.all(), reference);
            Map<String, Part> parts = parts(settings);
            String wanted = System.getProperty("bench", "all");
            Set<String> names = wanted.equals("all") ? parts.keySet() : Set.of(wanted.split(","));
            describe(settings);
            for (String name : names) {
                run(name, name.equals("jmh") ? Benchmarks::jmh : parts.get(name), parts.keySet());
            }
        } catch (Exception e) {
            e.printStackTrace(System.out);
        }
    }

    private static Map<String, Part> parts(Settings settings) {
        Rows rows = new Rows(settings);
        Map<String, Part> parts = new LinkedHashMap<>();
        parts.put("roundtrip", () -> RoundTrips.run(settings));
        parts.put("user", rows::user);
        parts.put("register", rows::register);
        parts.put("idle", rows::idle);
        parts.put("timer", rows::timer);
        parts.put("words", rows::words);
        parts.put("threads", rows::threads);
        parts.put("allocation", () -> Allocation.run(settings));
        parts.put("percpu", () -> PercpuRows.percpu(settings));
        parts.put("opsvector", () -> PercpuRows.opsvector(settings));
        parts.put("tokens", () -> TokenRows.run(settings));
        parts.put("latch", () -> LatchRows.run(settings));
        parts.put("netty", () -> EchoRows.run(settings));
        parts.put("nettyword", () -> WakeRows.run(settings));
        parts.put("nettycost", () -> CostRows.run(settings));
        parts.put("waitany", () -> WaitAnyRows.run(settings));
        parts.put("mutex", () -> MutexRows.run(settings));
        parts.put("kfutex", () -> KfutexRows.kfutex(settings));
        parts.put("eventring", () -> KfutexRows.eventRing(settings));
        parts.put("pool", () -> PoolRows.run(settings));
        parts.put("syscalls", () -> SystemCalls.run(settings));
        return parts;
    }

    private static void run(String name, Part part, Set<String> names) {
        if (part == null) {
            System.out.println("no such benchmark: " + name + ": expected one of " + names + ", jmh or all");
            return;
        }
        try {
            part.run();
        } catch (Exception e) {
            System.out.println("\n" + name + " failed:");
            e.printStackTrace(System.out);
        }
    }

    private static void describe(Settings settings) {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        System.out.printf(
                "Java %s, Linux %s, CPUs %s, load %.2f at the start, pollers %s, %d rounds%n",
                Runtime.version(), System.getProperty("os.version"), settings.cpus().numbers(), load,
                EventQueue.pollers(), settings.rounds());
        System.out.println("Times are medians over rounds; ratios are of two runs of the same round.");
    }

    private static void jmh() throws Exception {
        new Runner(
                new OptionsBuilder().include(HotPaths.class.getName())
                        .jvmArgs("--enable-native-access=ALL-UNNAMED").build())
                .run();
    }
}
