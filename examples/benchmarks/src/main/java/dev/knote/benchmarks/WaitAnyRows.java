package dev.knote.benchmarks;

import dev.knote.SharedMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One of many, made available by another process, and waited for. The other one is a C program for all of them. */
final class WaitAnyRows {
    private static final int COUNT = 10_000;
    private static final int MANY = 1000;
    private static final int MOST_DIRECT = 128;
    private static final long WARM_UP_NANOS = 2_500_000_000L;

    private final Settings settings;
    private final Cpus cpus;
    private final Race race;

    private WaitAnyRows(Settings settings, Cpus cpus, Race race) {
        this.settings = settings;
        this.cpus = cpus;
        this.race = race;
    }

    static void run(Settings settings) throws Exception {
        if (!Cpus.canPin() || settings.reference() == null) {
            System.out.println("(no taskset or no gcc: waiting for any cannot be measured)");
            return;
        }
        String only = System.getProperty("bench.only", "");
        int[] sizes = only.startsWith("ways") ? new int[] {1, 4, 8, 16, 32, MOST_DIRECT}
                : new int[] {1, 16, MOST_DIRECT, MANY};
        if (!only.endsWith("two")) {
            on(settings, settings.cpus().one(), sizes, only.startsWith("ways"));
        }
        if (settings.cpus().count() > 1 && !only.endsWith("one")) {
            on(settings, settings.cpus().two(), sizes, only.startsWith("ways"));
        }
    }

    /** @param ways also those that the set would not choose: {@code -Dbench.only=ways}, ways-one, ways-two */
    private static void on(Settings settings, Cpus cpus, int[] sizes, boolean ways) throws Exception {
        String where = cpus.count() == 1 ? "one CPU" : "two CPUs";
        Plot plot = new Plot("waitany-" + where.replace(" ", "-").toLowerCase(Locale.ROOT),
                "waitAny and back, " + where,
                "µs");
        for (int n : sizes) {
            try (Race race = new Race(settings, WARM_UP_NANOS)) {
                new WaitAnyRows(settings, cpus, race).among(n, where, plot, ways);
            }
        }
        plot.write();
    }

    private void among(int n, String where, Plot plot, boolean ways) throws IOException {
        List<Race.Subject> peers = new ArrayList<>();
        if (n <= MOST_DIRECT) {
            peers.add(c("waitv", "futex_waitv", n));
        }
        if (n == MANY) {
            peers.add(c("epoll", "eventfd, epoll", n));
            peers.add(c("poll", "eventfd, poll", n));
        }
        List<Race.Subject> knotes = new ArrayList<>();
        if (ways) {
            knotes.add(java(n, "words", "words, by a queue", List.of("-Dknote.waitset.direct=0")));
            knotes.add(java(n, "words", "words, by futex_waitv", List.of("-Dknote.waitset.direct=128")));
        } else {
            knotes.add(java(n, "words", "words", List.of()));
            knotes.add(java(n, "events", "events", List.of()));
        }
        race.run();
        for (Race.Subject peer : peers) {
            Table.begin("waitAny among " + n + " and back, " + where, "C: " + peer.name());
            plot.bar(n + " C, " + peer.name(), micros(peer));
            for (Race.Subject knote : knotes) {
                Table.row(knote.name(), Table.nanos(knote), Table.nanos(peer), knote.over(peer).toString(),
                        "");
            }
        }
        knotes.forEach(knote -> plot.bar(n + " " + knote.name(), micros(knote)));
    }

    private static Spread micros(Race.Subject subject) {
        Spread time = subject.time();
        return new Spread(time.median() / 1000, time.least() / 1000, time.most() / 1000);
    }

    private Race.Subject c(String how, String name, int n) throws IOException {
        Child child = settings.reference().program(cpus, "waitany", how, "" + n, "" + cpus.get(0),
                "" + cpus.get(cpus.count() - 1));
        child.ready();
        return race.add(name, child, settings.count(COUNT));
    }

    private Race.Subject java(int n, String what, String name, List<String> options) throws IOException {
        SharedMemory memory = SharedMemory.anonymous((n + 1L) * SharedMemory.LINE);
        race.atEnd(memory::close);
        String path = memory.path().toString();
        Cpus other = cpus.only(cpus.count() - 1);
        Child echo = settings.reference().program(other, "waitany", "echo", path, "" + n, what);
        race.atEnd(echo::close);
        echo.ready();
        Integer pin = cpus.count() == 1 ? null : Integer.valueOf(cpus.get(0));
        Child child = Child.java(cpus, pin, options, "waitany", n + "," + what + "," + path);
        child.ready();
        return race.add(name, child, settings.count(COUNT));
    }
}
