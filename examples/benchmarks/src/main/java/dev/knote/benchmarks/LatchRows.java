package dev.knote.benchmarks;

import dev.knote.SharedMemory;
import java.io.IOException;
import java.util.List;

/** Latches beside what databases use: there and back between two processes, and setting what is set. */
final class LatchRows {
    private static final int COUNT = 10_000;

    private LatchRows() {}

    static void run(Settings settings) throws Exception {
        if (settings.reference() == null || !Cpus.canPin()) {
            System.out.println("(no gcc or no taskset: latches cannot be compared)");
            return;
        }
        trips(settings, settings.cpus().one(), "one CPU");
        if (settings.cpus().count() > 1) {
            trips(settings, settings.cpus().two(), "two CPUs");
        }
        sets(settings, settings.cpus().one());
    }

    private static void trips(Settings settings, Cpus cpus, String where) throws IOException {
        boolean together = cpus.count() == 1;
        try (Race race = new Race(settings)) {
            var both = race.add("Latch in queues, Java and Java", java(settings, race, cpus, true),
                    settings.count(COUNT));
            var mixed = race.add("Latch in a queue, Java and C", java(settings, race, cpus, false),
                    settings.count(COUNT));
            var words = c(settings, race, cpus, "the same word in C, without a queue", "latch", "words");
            var eventFd = c(settings, race, cpus, "eventfd and poll in C", "latch", "eventfd");
            var signal = c(settings, race, cpus, "SIGURG, signalfd and poll in C", "latch", "signal");
            race.run();
            Plot plot = new Plot("latch-" + (together ? "one" : "two"), "Latch: there and back, " + where,
                    "microseconds");
            Table.begin("Latch, set and wait, there and back, " + where, "SIGURG, signalfd, poll in C");
            for (Race.Subject subject : new Race.Subject[] {both, mixed, words, eventFd, signal}) {
                Table.row(subject.name(), Table.nanos(subject), Table.nanos(signal),
                        subject.over(signal).toString(), "< 1");
                Spread time = subject.time();
                plot.bar(subject.name(), time.median() / 1000, time.least() / 1000, time.most() / 1000);
            }
            plot.write();
        }
    }

    private static void sets(Settings settings, Cpus cpus) throws IOException {
        try (Race race = new Race(settings)) {
            var memory = memory(race);
            Child child = Child.java(cpus, null, List.of(), "latch-set", memory.path().toString());
            child.ready();
            var knote = race.add("Latch.set of what is set", child, 200 * COUNT);
            var eventFd = c(settings, race, cpus, "write to an eventfd", "set", "eventfd");
            var words = c(settings, race, cpus, "the same word in C", "set", "words");
            race.run();
            Table.begin("Setting what is set", "eventfd in C");
            for (Race.Subject subject : new Race.Subject[] {knote, words}) {
                Table.row(subject.name(), Table.nanos(subject), Table.nanos(eventFd),
                        subject.over(eventFd).toString(), "no system call");
            }
        }
    }

    private static Race.Subject c(Settings settings, Race race, Cpus cpus, String name, String what,
            String way)
            throws IOException {
        Child child = settings.reference().program(cpus, "sync", what, way);
        child.ready();
        return race.add(name, child, settings.count(COUNT));
    }

    /** A pair whose first side is a JVM, and whose second is one, too, or the C program. */
    private static Child java(Settings settings, Race race, Cpus cpus, boolean two) throws IOException {
        String path = memory(race).path().toString();
        boolean together = cpus.count() == 1;
        Child pong = two
                ? Child.java(cpus, together ? null : cpus.get(1), List.of(), "latch-pong", path)
                : settings.reference().program(together ? cpus : cpus.only(1), "sync", "latch", "words",
                        path);
        race.atEnd(pong::close);
        Child ping = Child.java(cpus, together ? null : cpus.get(0), List.of(), "latch", path);
        pong.ready();
        ping.ready();
        return ping;
    }

    private static SharedMemory memory(Race race) {
        SharedMemory memory = SharedMemory.anonymous(LatchOperation.BYTES);
        race.atEnd(memory::close);
        return memory;
    }
}
