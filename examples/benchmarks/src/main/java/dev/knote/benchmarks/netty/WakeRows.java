package dev.knote.benchmarks.netty;

import dev.knote.SharedMemory;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Race;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;

/** From the moment before a process in C wakes a loop to the handler on it. */
public final class WakeRows {
    private static final int COUNT = 2_000;

    private final Settings settings;
    private final Cpus cpus;
    private final boolean together;

    private WakeRows(Settings settings, Cpus cpus) {
        this.settings = settings;
        this.cpus = cpus;
        this.together = cpus.count() == 1;
    }

    /** Prints the tables. {@code -Dbench.only}: one or two, for the processors. */
    public static void run(Settings settings) throws Exception {
        if (settings.reference() == null || !Cpus.canPin()) {
            System.out.println("(no gcc or no taskset: wakes cannot be compared)");
            return;
        }
        String only = System.getProperty("bench.only", "");
        if (!only.equals("two")) {
            new WakeRows(settings, settings.cpus().one()).run();
        }
        if (settings.cpus().count() > 1 && !only.equals("one")) {
            new WakeRows(settings, settings.cpus().two()).run();
        }
    }

    private void run() throws Exception {
        Map<Wakes, Race.Subject> subjects = new EnumMap<>(Wakes.class);
        try (Race race = new Race(settings)) {
            for (Wakes way : Wakes.values()) {
                if (!together || !way.isSpinning()) {
                    subjects.put(way, subject(race, way));
                }
            }
            race.run();
        }
        print(subjects);
    }

    private Race.Subject subject(Race race, Wakes way) throws IOException {
        SharedMemory memory = SharedMemory.anonymous(4096);
        Path directory = Files.createTempDirectory("knote-bench");
        race.atEnd(() -> {
            memory.close();
            delete(directory);
        });
        String path = memory.path().toString();
        var server = start(way, path, directory.toString());
        race.atEnd(server.child()::close);
        var client = settings.reference().load(
                cpus.only(0), "wake", way.kind, path, server.where(), together ? "one" : "two");
        client.ready();
        return race.add(way.title, client, settings.count(COUNT));
    }

    /** With two processors, on the one that the client is not on. */
    private Server.Started start(Wakes way, String path, String directory) throws IOException {
        if (!way.isFloor()) {
            Integer pin = together ? null : Integer.valueOf(cpus.get(1));
            return Server.start(cpus, pin, "wake", way.name(), path, directory);
        }
        return Server.Started.of(
                settings.reference().program(
                        cpus.only(cpus.count() - 1), "floor", way.floor, path, directory));
    }

    private void print(Map<Wakes, Race.Subject> subjects) {
        System.out.println(
                "\n### From a wake in C to the handler, " + (together ? "one CPU" : "two CPUs") + "\n");
        System.out
                .println("| by | time | over the best of Netty's: median [least..most] | over C's best fd |");
        System.out.println("|---|---|---|---|");
        Race.Subject nettys = bestFd(subjects, false);
        Race.Subject floor = bestFd(subjects, true);
        for (Race.Subject subject : subjects.values()) {
            System.out.println(
                    "| " + String.join(" | ", subject.name(), Table.nanos(subject.time().median()),
                            subject.over(nettys).toString(), subject.over(floor).toString()) + " |");
        }
        System.out.flush();
    }

    private static Race.Subject bestFd(Map<Wakes, Race.Subject> subjects, boolean inC) {
        return subjects.entrySet().stream()
                .filter(entry -> !entry.getKey().isWord() && entry.getKey().isFloor() == inC)
                .map(Map.Entry::getValue).min(Comparator.comparing(s -> s.time().median())).orElseThrow();
    }

    private static void delete(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve("socket"));
            Files.delete(directory);
        } catch (IOException e) {
            System.out.println("(left behind: " + directory + ": " + e.getMessage() + ")");
        }
    }
}
