package dev.knote.benchmarks.sync;

import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Plot;
import dev.knote.benchmarks.Race;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Spread;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Kfutex and EventRing beside what is used today. */
public final class KfutexRows {
    private static final int COUNT = 4_000;
    private static final int EVENTS = 1 << 16;
    private static final long WARM_NANOS = 1_500_000_000L;

    private final Settings settings;
    private final Cpus cpus;
    private final Race race;
    private final Map<String, Race.Subject> subjects = new LinkedHashMap<>();

    private KfutexRows(Settings settings, Cpus cpus, Race race) {
        this.settings = settings;
        this.cpus = cpus;
        this.race = race;
    }

    /** From a socket that is ready to a thread of another process in futex(2); and what a binding costs. */
    public static void kfutex(Settings settings) throws Exception {
        for (Cpus cpus : places(settings)) {
            try (Race race = new Race(settings, WARM_NANOS)) {
                KfutexRows rows = new KfutexRows(settings, cpus, race);
                rows.told("Kfutex, the waiter in futex(2)", "kfutex", "futex");
                rows.told("a thread in kevent(), a store and FUTEX_WAKE by hand", "futex", "futex");
                rows.told("the same, a queue of a single owner", "owner", "futex");
                rows.told("a thread in kevent() that writes an eventfd", "eventfd", "eventfd");
                rows.told("a thread in kevent() that writes a pipe", "pipe", "pipe");
                rows.add("C alone: epoll, a store and FUTEX_WAKE", rows.c("alone"), COUNT);
                rows.print("kfutex", "From a byte to a socket until another process has it",
                        "Kfutex, the waiter in futex(2)");
            }
        }
        try (Race race = new Race(settings, WARM_NANOS)) {
            KfutexRows rows = new KfutexRows(settings, settings.cpus().one(), race);
            rows.add("bind and unbind", rows.java(KfutexWork.class, "bind"), 20_000);
            rows.add("register with a queue, and cancel", rows.java(KfutexWork.class, "register"), 20_000);
            rows.print("kfutexbind", "A binding of a pipe", "bind and unbind");
        }
    }

    /** An event from a ring. */
    public static void eventRing(Settings settings) throws Exception {
        try (Race race = new Race(settings, WARM_NANOS)) {
            KfutexRows rows = new KfutexRows(settings, settings.cpus().one(), race);
            rows.ring("read from the ring, 64 at a time", "read");
            rows.ring("read from the ring, one at a time", "read1");
            rows.ring("put into the ring, 64 at a time", "put");
            rows.ring("kevent(), 64 events that are there", "kevent");
            rows.add("C: read from an io_uring's CQ, 64 of 16 bytes", rows.c("cqes"), EVENTS);
            rows.print("eventringread", "An event that is there", "read from the ring, 64 at a time");
        }
        for (Cpus cpus : places(settings)) {
            try (Race race = new Race(settings, WARM_NANOS)) {
                KfutexRows rows = new KfutexRows(settings, cpus, race);
                rows.ring("ring, 64 at a time, the consumer sleeps", "asleep64");
                rows.ring("ring, one at a time, the consumer sleeps", "asleep1");
                if (cpus.count() > 1) {
                    rows.ring("ring, 64 at a time, it never sleeps", "awake64");
                    rows.ring("ring, one at a time, it never sleeps", "awake1");
                }
                rows.add("C: pipe of structs, 64 at a time", rows.c("structs", "64"), EVENTS);
                rows.add("C: pipe of structs, one at a time", rows.c("structs", "1"), EVENTS);
                rows.ring("64 USER knotes triggered, by the feed and the ring", "feed");
                rows.ring("64 USER knotes triggered, by kevent()", "trigger");
                rows.print("eventring", "An event from thread to thread",
                        "ring, 64 at a time, the consumer sleeps");
            }
        }
    }

    private static List<Cpus> places(Settings settings) {
        List<Cpus> places = new ArrayList<>();
        if (!"two".equals(System.getProperty("bench.only"))) {
            places.add(settings.cpus().one());
        }
        if (settings.cpus().count() > 1 && !"one".equals(System.getProperty("bench.only"))) {
            places.add(settings.cpus().two());
        }
        return places;
    }

    /** The process that waits is in C; the one that tells it is in Java. */
    private void told(String name, String how, String hears) throws IOException {
        Child waiter = c(hears);
        if (waiter == null) {
            return;
        }
        List<String> arguments = new ArrayList<>(List.of(how));
        arguments.addAll(Arrays.asList(waiter.ready().split(" ")));
        Child teller = java(KfutexWork.class, arguments.toArray(String[]::new));
        race.atEnd(teller::close);
        teller.ready();
        subjects.put(name, race.add(name, waiter, settings.count(COUNT)));
    }

    private void ring(String name, String how) throws IOException {
        add(name, java(EventRingWork.class, how), EVENTS);
    }

    private void add(String name, Child child, int count) throws IOException {
        if (child != null) {
            child.ready();
            subjects.put(name, race.add(name, child, settings.count(count)));
        }
    }

    private Child c(String... arguments) throws IOException {
        return settings.reference() == null ? null : settings.reference().program(cpus, "kfutex", arguments);
    }

    private Child java(Class<?> main, String... arguments) throws IOException {
        List<String> command = Child.jvm(null, List.of());
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return Child.of(cpus, command);
    }

    private void print(String file, String title, String ours) throws IOException {
        race.run();
        String where = cpus.count() == 1 ? "one CPU" : "two CPUs";
        System.out.println(
                "\n### " + title + ", " + where + "\n\n| what | ns [least..most] | M/s | times ours |");
        System.out.println("|---|---|---|---|");
        Plot plot = new Plot(file + (cpus.count() == 1 ? "-one" : "-two"), title + ", " + where, "ns");
        Race.Subject first = subjects.get(ours);
        subjects.forEach((name, subject) -> {
            Spread time = subject.time();
            System.out.printf(java.util.Locale.ROOT, "| %s | %s | %.2f | %s |%n", name, time,
                    1000 / time.median(), first == null ? "" : subject.over(first));
            plot.bar(name, time);
        });
        plot.write();
        System.out.flush();
    }
}
