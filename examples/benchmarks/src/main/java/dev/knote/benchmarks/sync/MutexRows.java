package dev.knote.benchmarks.sync;

import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Plot;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Spread;
import dev.knote.benchmarks.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Threads of one process that lock, work, unlock, and work as long outside. */
public final class MutexRows {
    private static final int[] THREADS = {2, 4, 16};
    private static final int WARM_UPS = 10;
    private static final int MILLIS = 150;

    private final Settings settings;
    private final Cpus cpus;
    private final String where;
    private final List<Subject> subjects = new ArrayList<>();

    /** @param name of the kind of section; its length is that of {@code work} rounds of about 2 ns */
    private record Section(String name, int work) {}

    private static final List<Section> SECTIONS = List.of(
            new Section("short", 25), new Section("long", 10_000));

    /** What a run has said: nanoseconds a section, most over least sections of a thread, CPU time a section. */
    private record Figures(double[] nanos, double[] unfairness, double[] cpu) {
        static Figures of(int rounds) {
            return new Figures(new double[rounds], new double[rounds], new double[rounds]);
        }

        void set(int round, String answer) {
            String[] words = answer.split(" ");
            double sections = Double.parseDouble(words[0]);
            nanos[round] = Double.parseDouble(words[1]) / sections;
            unfairness[round] = Double.parseDouble(words[2]) / Math.max(1, Double.parseDouble(words[3]));
            cpu[round] = Double.parseDouble(words[4]) / sections;
        }
    }

    private record Subject(String name, Child child, String kind, List<Figures> figures) {}

    private MutexRows(Settings settings, Cpus cpus) {
        this.settings = settings;
        this.cpus = cpus;
        where = cpus.count() == 1 ? "one CPU" : "two CPUs";
    }

    /** Runs them on one processor, and on two where there are. */
    public static void run(Settings settings) throws Exception {
        if (!Cpus.canPin()) {
            System.out.println("(no taskset: mutexes cannot be measured)");
            return;
        }
        String only = System.getProperty("bench.only", "");
        if (!only.equals("two")) {
            new MutexRows(settings, settings.cpus().one()).run();
        }
        if (settings.cpus().count() > 1 && !only.equals("one")) {
            new MutexRows(settings, settings.cpus().two()).run();
        }
    }

    private void run() throws IOException {
        try {
            java("SharedMutex", "knote");
            java("plain futex mutex, Java", "plain");
            java("ReentrantLock", "reentrant");
            if (settings.reference() != null) {
                c("plain futex mutex, C", "plain");
                c("robust pthread mutex, C", "robust");
            }
            for (Subject subject : subjects) {
                for (int i = 0; i < WARM_UPS; i++) {
                    ask(subject, THREADS[i % 2], SECTIONS.get(i % 4 / 3));
                }
            }
            for (int round = 0; round < settings.rounds(); round++) {
                for (int i = 0; i < THREADS.length * SECTIONS.size(); i++) {
                    for (Subject subject : subjects) {
                        subject.figures.get(i).set(round, ask(subject, threads(i), section(i)));
                    }
                }
            }
        } finally {
            subjects.forEach(subject -> subject.child.close());
        }
        for (int i = 0; i < THREADS.length * SECTIONS.size(); i++) {
            print(i);
        }
        for (int i = 0; i < SECTIONS.size(); i++) {
            plot(SECTIONS.get(i), i * THREADS.length);
        }
    }

    private void plot(Section section, int first) {
        Plot plot = new Plot(
                "mutex-" + section.name + "-" + cpus.count(),
                "Mutexes, " + section.name + " sections, " + where,
                "ns a section");
        for (int i = 0; i < THREADS.length; i++) {
            for (Subject subject : subjects) {
                plot.bar(subject.name + ", " + THREADS[i], Spread.of(subject.figures.get(first + i).nanos));
            }
        }
        plot.write();
    }

    private static int threads(int index) {
        return THREADS[index % THREADS.length];
    }

    private static Section section(int index) {
        return SECTIONS.get(index / THREADS.length);
    }

    private void print(int index) {
        Figures knote = subjects.getFirst().figures.get(index);
        Section section = section(index);
        System.out.printf(
                "%n### Mutexes, %s: %d threads, %s sections%n%n", where, threads(index), section.name);
        System.out
                .println("| what | a section | SharedMutex over it | CPU time a section | most over least |");
        System.out.println("|---|---|---|---|---|");
        for (Subject subject : subjects) {
            Figures figures = subject.figures.get(index);
            System.out.printf(
                    Locale.ROOT, "| %s | %s | %s | %s | %s |%n", subject.name,
                    nanos(figures.nanos), ratio(knote.nanos, figures.nanos),
                    Table.nanos(Spread.of(figures.cpu).median()), Spread.of(figures.unfairness));
        }
    }

    private static String nanos(double[] nanos) {
        Spread spread = Spread.of(nanos);
        return Table.nanos(spread.median()) + " [" + Table.nanos(spread.least()) + ".."
                + Table.nanos(spread.most()) + "]";
    }

    private static String ratio(double[] mine, double[] peer) {
        double[] ratios = new double[mine.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = mine[i] / peer[i];
        }
        return mine == peer ? "" : Spread.of(ratios).toString();
    }

    private static String ask(Subject subject, int threads, Section section) throws IOException {
        return subject.child.ask(
                "run " + subject.kind + " " + threads + " " + section.work + " " + section.work + " "
                        + MILLIS);
    }

    private void java(String name, String kind) throws IOException {
        List<String> command = new ArrayList<>(Child.jvm(null, List.of()));
        command.addAll(List.of(MutexWorker.class.getName(), kind));
        add(name, Child.of(cpus, command), kind);
    }

    private void c(String name, String kind) throws IOException {
        add(name, settings.reference().program(cpus, "mutexes"), kind);
    }

    private void add(String name, Child child, String kind) throws IOException {
        child.ready();
        List<Figures> figures = new ArrayList<>();
        for (int i = 0; i < THREADS.length * SECTIONS.size(); i++) {
            figures.add(Figures.of(settings.rounds()));
        }
        subjects.add(new Subject(name, child, kind, figures));
    }
}
