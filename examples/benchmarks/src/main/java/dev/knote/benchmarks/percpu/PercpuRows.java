package dev.knote.benchmarks.percpu;

import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Plot;
import dev.knote.benchmarks.Race;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Words for each processor, and vectors, beside their peers: threads of one process, on one processor and on two. */
public final class PercpuRows {
    private static final int COUNT = 1_000_000;
    private static final int[] THREADS = {1, 2, 4, 8, 16};
    private static final long WARM_UP_NANOS = 1_000_000_000;

    private PercpuRows() {}

    /** Counters and free lists. */
    public static void percpu(Settings settings) throws Exception {
        table(settings, "counter", "A counter, one added by each thread in turn", THREADS,
                List.of("CpuWords", "LongAdder", "AtomicLong", "word"), List.of("xadd", "line", "rseq"));
        table(settings, "freelist", "A free list of 64: pop and push", THREADS,
                List.of("CpuFreeList", "ConcurrentLinkedQueue", "ArrayBlockingQueue"), List.of());
    }

    /** Vectors. */
    public static void opsvector(Settings settings) throws Exception {
        table(settings, "opsvector", "Two words changed if a third is 0", new int[] {1, 2, 4},
                List.of("OpsVector", "ReentrantLock", "CAS"), List.of("robust"));
        table(settings, "opslook", "Three words looked at", new int[] {1, 2, 4},
                List.of("look", "ReentrantLock"), List.of());
    }

    private static void table(Settings settings, String file, String title, int[] threads, List<String> kinds,
            List<String> cs) throws IOException {
        List<Cpus> places = settings.cpus().count() < 2 ? List.of(settings.cpus().one())
                : List.of(settings.cpus().one(), settings.cpus().two());
        for (Cpus cpus : places) {
            String where = cpus.count() == 1 ? "one CPU" : "two CPUs";
            List<Child> children = new ArrayList<>();
            List<String> names = new ArrayList<>(kinds);
            try {
                for (String kind : kinds) {
                    children.add(java(cpus, kind));
                }
                for (String kind : settings.reference() == null ? List.<String>of() : cs) {
                    children.add(settings.reference().program(cpus, "percpu", kind));
                    names.add("C: " + kind);
                }
                rows(settings, file, title + ", " + where + ": wall time an operation", threads, names,
                        children);
            } finally {
                children.forEach(Child::close);
            }
        }
    }

    private static Child java(Cpus cpus, String kind) throws IOException {
        List<String> command = Child.jvm(null, List.of());
        command.addAll(List.of(PercpuWorker.class.getName(), kind));
        return Child.of(cpus, command);
    }

    private static void rows(Settings settings, String file, String title, int[] threads, List<String> names,
            List<Child> children) throws IOException {
        for (Child child : children) {
            child.ready();
        }
        System.out.println("\n### " + title + "\n");
        System.out
                .println("| threads | " + String.join(" | ", names) + " | ratios over each of the others |");
        System.out.println("|---" + "|---".repeat(names.size() + 1) + "|");
        Plot plot = new Plot(file + (title.contains("two CPUs") ? "-2" : "-1"), title, "ns");
        for (int count : threads) {
            List<Race.Subject> subjects = race(settings, count, names, children);
            List<String> cells = new ArrayList<>(List.of("" + count));
            List<String> ratios = new ArrayList<>();
            for (Race.Subject subject : subjects) {
                cells.add(Table.nanos(subject.time().median()));
                if (subject != subjects.getFirst()) {
                    ratios.add(subjects.getFirst().over(subject).toString());
                }
                plot.bar(subject.name() + ", " + count, subject.time());
            }
            cells.add(String.join(", ", ratios));
            System.out.println("| " + String.join(" | ", cells) + " |");
        }
        plot.write();
    }

    /** The children live on, for another number of threads. */
    private static List<Race.Subject> race(Settings settings, int threads, List<String> names,
            List<Child> children)
            throws IOException {
        Race race = new Race(settings, threads == 1 ? WARM_UP_NANOS : WARM_UP_NANOS / 16);
        List<Race.Subject> subjects = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            children.get(i).ask("threads " + threads);
            subjects.add(race.add(names.get(i), children.get(i), settings.count(COUNT)));
        }
        race.run();
        return subjects;
    }
}
