package dev.knote.benchmarks.sync;

import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Plot;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Spread;
import dev.knote.benchmarks.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Ways to have several threads handle the events of one queue: each a server process of its own, with a client in C. All
 * of them take one event at a time and enable its knote again when it is handled.
 */
public final class PoolRows {
    private static final Map<String, String> SUBJECTS = new LinkedHashMap<>();
    private static final int LINES = 64;
    private static final int BUSY_NANOS = 50_000;
    private static final int GAP_NANOS = 100_000;
    private static final int WARM = 40_000;

    static {
        SUBJECTS.put("mutex", "a mutex: lock, wait, unlock, handle");
        SUBJECTS.put("queue", "all threads wait in the queue");
        SUBJECTS.put("executor", "one thread waits, ThreadPoolExecutor");
        SUBJECTS.put("thrifty", "LeaderFollowers, thrifty");
        SUBJECTS.put("lifo", "LeaderFollowers, LIFO");
    }

    private final Settings settings;
    private final Cpus cpus;

    private PoolRows(Settings settings, Cpus cpus) {
        this.settings = settings;
        this.cpus = cpus;
    }

    /** A server and its client, and what each round has shown. */
    private static final class Subject implements AutoCloseable {
        final String name;
        final Path directory = Files.createTempDirectory("knote-bench");
        final Child server;
        final Child client;
        final List<double[]> rounds = new ArrayList<>();
        String last = "";

        Subject(String name, Settings settings, Cpus cpus, int threads, int nanos) throws Exception {
            this.name = name;
            List<String> fifos = new ArrayList<>(List.of("mkfifo", directory.resolve("back").toString()));
            for (int i = 0; i < LINES; i++) {
                fifos.add(directory.resolve(String.valueOf(i)).toString());
            }
            new ProcessBuilder(fifos).inheritIO().start().waitFor();
            List<String> command = Child.jvm(null, List.of());
            command.addAll(List.of(PoolServer.class.getName(), name, String.valueOf(threads),
                    String.valueOf(nanos), String.valueOf(LINES), directory.toString()));
            server = Child.of(cpus, command);
            server.ready();
            client = settings.reference().program(cpus.only(0), "pool", directory.toString(),
                    String.valueOf(LINES));
            client.ready();
        }

        /** ns an event, median and 99 % of its latency, switches an event: voluntary, forced. */
        double[] measure(String command, int n) throws IOException {
            String[] before = server.ask("report").split(" ");
            double nanos = Double.parseDouble(client.ask(command)) / n;
            String report = server.ask("report");
            String[] after = report.split(" ");
            last = report.replaceFirst("\\S+ \\S+ ?", "");
            String[] latency = client.ask("latency").split(" ");
            return new double[] {nanos, Double.parseDouble(latency[0]), Double.parseDouble(latency[1]),
                    (Double.parseDouble(after[0]) - Double.parseDouble(before[0])) / n,
                    (Double.parseDouble(after[1]) - Double.parseDouble(before[1])) / n};
        }

        Spread figure(int which) {
            return Spread.of(rounds.stream().mapToDouble(round -> round[which]).toArray());
        }

        /** Context switches of both kinds, over another's of the same round. */
        Spread switchesOver(Subject other) {
            double[] ratios = new double[rounds.size()];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = switches(rounds.get(i)) / switches(other.rounds.get(i));
            }
            return Spread.of(ratios);
        }

        Spread timeOver(Subject other) {
            double[] ratios = new double[rounds.size()];
            for (int i = 0; i < ratios.length; i++) {
                ratios[i] = rounds.get(i)[0] / other.rounds.get(i)[0];
            }
            return Spread.of(ratios);
        }

        private static double switches(double[] round) {
            return round[3] + round[4];
        }

        @Override
        public void close() throws IOException {
            client.close();
            server.close();
            try (var files = Files.newDirectoryStream(directory)) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    /** Prints the tables. {@code -Dbench.only}: one or two, for the processors. */
    public static void run(Settings settings) throws Exception {
        if (settings.reference() == null) {
            System.out.println("(no gcc: there is no client for the pools)");
            return;
        }
        String only = System.getProperty("bench.only", "");
        if (!only.equals("one")) {
            new PoolRows(settings, settings.cpus().two()).run();
        }
        if (!only.equals("two")) {
            new PoolRows(settings, settings.cpus().one()).run();
        }
    }

    private void run() throws Exception {
        PoolParts.run(settings, cpus);
        for (int threads : new int[] {2, 8}) {
            run(threads, 0, List.of(
                    new Load("full-short", "64 in flight, short handlers", "time %d 64",
                            settings.count(60_000)),
                    new Load("some-short", "4 in flight, short handlers", "time %d 4",
                            settings.count(60_000)),
                    new Load("trickle", "one at a time, short handlers", "trickle %d " + GAP_NANOS,
                            settings.count(2_000))));
            run(threads, BUSY_NANOS, List.of(
                    new Load("full-long", "64 in flight, handlers of 50 us", "time %d 64",
                            settings.count(16_000)),
                    new Load("some-long", "4 in flight, handlers of 50 us", "time %d 4",
                            settings.count(16_000))));
        }
    }

    /** What a client does: the command has a place for the number of messages. */
    private record Load(String key, String title, String command, int messages) {}

    private void run(int threads, int nanos, List<Load> loads) throws Exception {
        Map<String, Subject> subjects = new LinkedHashMap<>();
        try {
            for (String name : SUBJECTS.keySet()) {
                Subject subject = new Subject(name, settings, cpus, threads, nanos);
                subjects.put(name, subject);
                subject.measure("time %d 64".formatted(warm(nanos)), warm(nanos));
            }
            for (Load load : loads) {
                subjects.values().forEach(subject -> subject.rounds.clear());
                for (int round = 0; round < settings.rounds(); round++) {
                    for (Subject subject : subjects.values()) {
                        subject.rounds
                                .add(subject.measure(load.command.formatted(load.messages), load.messages));
                    }
                }
                String where = threads + " threads on "
                        + (cpus.count() == 1 ? "one CPU" : cpus.count() + " CPUs");
                print(subjects, where + ", " + load.title);
                plot(subjects, "pool-" + threads + "-on-" + cpus.count() + "-" + load.key,
                        where + ", " + load.title);
            }
        } finally {
            for (Subject subject : subjects.values()) {
                subject.close();
            }
        }
    }

    private static int warm(int nanos) {
        return nanos == 0 ? WARM : WARM / 6;
    }

    private static void print(Map<String, Subject> subjects, String title) {
        System.out.println("\n### " + title + "\n");
        System.out.println(
                "| by | time an event | over the mutex's | latency, median | 99 % | switches an event | forced |"
                        + " switches over the mutex's: median [least..most] |");
        System.out.println("|---|---|---|---|---|---|---|---|");
        Subject mutex = subjects.get("mutex");
        for (Subject subject : subjects.values()) {
            System.out.println("| " + String.join(" | ", SUBJECTS.get(subject.name),
                    Table.nanos(subject.figure(0).median()), subject.timeOver(mutex).toString(),
                    Table.nanos(subject.figure(1).median()), Table.nanos(subject.figure(2).median()),
                    number(subject.figure(3).median()), number(subject.figure(4).median()),
                    subject.switchesOver(mutex).toString()) + " |");
        }
        subjects.values().stream().filter(subject -> !subject.last.isEmpty())
                .forEach(subject -> System.out.println("\n" + subject.name + ": " + subject.last));
    }

    private static void plot(Map<String, Subject> subjects, String file, String title) {
        Plot plot = new Plot(file, title, "context switches an event");
        for (Subject subject : subjects.values()) {
            plot.bar(SUBJECTS.get(subject.name),
                    Spread.of(subject.rounds.stream().mapToDouble(Subject::switches).toArray()));
        }
        plot.write();
    }

    private static String number(double figure) {
        return String.format(Locale.ROOT, "%.3f", figure);
    }
}
