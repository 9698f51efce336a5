package dev.knote.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Job tokens in words, by the protocol of JobTokens, beside a token pipe with poll: eight processes in C. */
final class TokenRows {
    private static final int TOTAL = 100_000;
    private static final int[] JOBS = {2, 4, 8, 32, 104};
    /** On one CPU two jobs of computing are as many as can be of use. */
    private static final int[] FEW = {2, 8};

    private TokenRows() {}

    /**
     * With NEXT, who has another job to do goes on by JobTokens.next. With NONE nobody waits for tokens: what the timers of
     * the jobs cost by themselves.
     */
    private enum Way {
        PIPE, WORDS, NEXT, NONE
    }

    /** What a run took, in the order in which sync.c says it. */
    private enum Figure {
        WALL, USER, SYSTEM, SWITCHES, WOKEN, VAIN
    }

    /** Prints the tables. {@code -Dbench.only}: one or two, for the processors. */
    static void run(Settings settings) throws Exception {
        if (settings.reference() == null || !Cpus.canPin()) {
            System.out.println("(no gcc or no taskset: tokens cannot be compared)");
            return;
        }
        String only = System.getProperty("bench.only", "");
        if (settings.cpus().count() > 1 && !only.equals("one")) {
            table(settings, settings.cpus().two(), "two CPUs", JOBS, "10", "work");
            table(settings, settings.cpus().two(), "two CPUs", JOBS, "50", null);
        }
        if (!only.equals("two")) {
            table(settings, settings.cpus().one(), "one CPU", FEW, "10", "work");
            table(settings, settings.cpus().one(), "one CPU", FEW, "50", null);
        }
    }

    private static void table(Settings settings, Cpus cpus, String where, int[] jobs, String micros,
            String work)
            throws Exception {
        int total = settings.count(TOTAL);
        int rounds = settings.quick() ? 3 : 5;
        String title = (work == null ? "Jobs that are timers, " : "Jobs that compute, ") + where;
        System.out.printf(Locale.ROOT, "%n### %s: 8 processes, %d tokens, %s us each, %d rounds%n%n", title,
                total, micros, rounds);
        System.out.println("| jobs at a time | by | wall | user + system | system | switches a token | "
                + "woken a token | in vain | system over the pipe's: median [least..most] | aim |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|");
        Plot plot = new Plot(
                "tokens-" + (work == null ? "timer" : "work") + "-" + cpus.count(), title,
                "ms of system time");
        List<Way> ways = work == null ? List.of(Way.values()) : List.of(Way.PIPE, Way.WORDS);
        for (int most : jobs) {
            Map<Way, List<double[]>> runs = new EnumMap<>(Way.class);
            for (int round = 0; round < rounds; round++) {
                for (Way way : ways) {
                    runs.computeIfAbsent(way, each -> new ArrayList<>())
                            .add(once(settings, cpus, way, most, total, micros, work));
                }
            }
            for (Way way : ways) {
                print(most, way, runs, total);
                Spread system = spread(runs.get(way), Figure.SYSTEM, 1e6);
                plot.bar(way.name().toLowerCase(Locale.ROOT) + ", " + most, system);
            }
        }
        plot.write();
    }

    private static void print(int most, Way way, Map<Way, List<double[]>> runs, int total) {
        List<double[]> mine = runs.get(way);
        double[] over = new double[mine.size()];
        double[] cpu = new double[mine.size()];
        for (int i = 0; i < over.length; i++) {
            double[] one = mine.get(i);
            over[i] = one[Figure.SYSTEM.ordinal()]
                    / Math.max(1, runs.get(Way.PIPE).get(i)[Figure.SYSTEM.ordinal()]);
            cpu[i] = (one[Figure.USER.ordinal()] + one[Figure.SYSTEM.ordinal()]) / 1e6;
        }
        System.out.println(
                "| " + String.join(" | ", "" + most, way.name().toLowerCase(Locale.ROOT),
                        spread(mine, Figure.WALL, 1e6) + " ms", Spread.of(cpu) + " ms",
                        spread(mine, Figure.SYSTEM, 1e6) + " ms",
                        spread(mine, Figure.SWITCHES, total).toString(),
                        spread(mine, Figure.WOKEN, total).toString(),
                        spread(mine, Figure.VAIN, total).toString(), Spread.of(over).toString(),
                        way == Way.WORDS || way == Way.NEXT ? "< 0.42" : "") + " |");
    }

    private static Spread spread(List<double[]> runs, Figure figure, double unit) {
        return Spread.of(runs.stream().mapToDouble(run -> run[figure.ordinal()] / unit).toArray());
    }

    private static double[] once(Settings settings, Cpus cpus, Way way, int most, int total, String micros,
            String work) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                settings.reference().directory().resolve("sync").toString(), "tokens",
                way.name().toLowerCase(Locale.ROOT), "" + most, "" + total, micros));
        if (work != null) {
            command.add(work);
        }
        Process process = new ProcessBuilder(cpus.command(command)).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException("tokens by " + way + " failed: " + said);
        }
        String[] figures = said.split(" ");
        double[] run = new double[Figure.values().length];
        for (int i = 0; i < run.length; i++) {
            run[i] = Double.parseDouble(figures[i]);
        }
        return run;
    }
}
