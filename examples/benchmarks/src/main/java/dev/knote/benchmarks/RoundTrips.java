package dev.knote.benchmarks;

import dev.knote.SharedMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Row 1: there and back between two processes. */
final class RoundTrips {
    private static final int COUNT = 10_000;

    private final Settings settings;
    private final Cpus cpus;
    private final boolean together;
    private final Race race;
    private final List<Race.Subject> knotes = new ArrayList<>();

    /** Pairs of processes on the given one processor, or each on its own of the given two. */
    private RoundTrips(Settings settings, Cpus cpus, Race race) {
        this.settings = settings;
        this.cpus = cpus;
        this.together = cpus.count() == 1;
        this.race = race;
    }

    static void run(Settings settings) throws Exception {
        if (!Cpus.canPin()) {
            System.out.println("(no taskset: round trips cannot be measured)");
            return;
        }
        boolean two = settings.cpus().count() > 1;
        if (isWanted("one")) {
            on(settings, settings.cpus().one(), "1.4x");
        }
        if (two && isWanted("two")) {
            on(settings, settings.cpus().two(), "1.1x");
        }
        if (two && isWanted("awake")) {
            spinning(settings, settings.cpus().two());
        }
    }

    /** {@code -Dbench.only}: one, two or awake; all of them without it. */
    private static boolean isWanted(String part) {
        String only = System.getProperty("bench.only", "");
        return only.isEmpty() || only.equals(part);
    }

    private static void on(Settings settings, Cpus cpus, String aim) throws Exception {
        try (Race race = new Race(settings)) {
            RoundTrips trips = new RoundTrips(settings, cpus, race);
            Race.Subject c = trips.c("");
            for (RoundTrip.Style style : RoundTrip.Style.values()) {
                trips.knotes("Java and Java, owner", style, "owner", "");
            }
            trips.knotes("Java and Java, shared", RoundTrip.Style.PERSISTENT, "shared", "");
            trips.knotes("Java and Java, shared", RoundTrip.Style.ONESHOT, "shared", "");
            trips.knoteAndC("Java and C, owner", RoundTrip.Style.PERSISTENT);
            trips.knoteAndC("Java and C, owner", RoundTrip.Style.ONESHOT);
            trips.knotes("Java and Java, epoll", RoundTrip.Style.PERSISTENT_ANON, "owner", "epoll");
            List<Race.Subject> bytes = trips.bytes();
            race.run();
            String where = cpus.count() == 1 ? "one CPU" : "two CPUs";
            Table.begin("USERMEM round trip, " + where, "C and C, futex(2)");
            for (Race.Subject knote : trips.knotes) {
                print(knote, c, aim);
            }
            Race.Subject best = trips.best();
            Table.begin("Beside it, " + where + ": " + best.name(), "peer");
            for (Race.Subject peer : bytes) {
                Table.row(peer.name(), Table.nanos(best), Table.nanos(peer), best.over(peer).toString(),
                        "< 1");
            }
        }
    }

    private static void spinning(Settings settings, Cpus cpus) throws Exception {
        try (Race race = new Race(settings)) {
            RoundTrips trips = new RoundTrips(settings, cpus, race);
            Race.Subject c = trips.c("-spinning");
            for (RoundTrip.Style style : RoundTrip.Style.values()) {
                trips.knotes("Java and Java, owner, spin(20 us)", style, "spin", "");
            }
            race.run();
            Table.begin("USERMEM round trip, two CPUs, awake", "C and C, no call at all");
            for (Race.Subject knote : trips.knotes) {
                print(knote, c, "Knote < 1 us");
            }
        }
    }

    private static void print(Race.Subject knote, Race.Subject c, String aim) {
        String ratio = c == null ? "" : knote.over(c).toString();
        Table.row(knote.name(), Table.nanos(knote), c == null ? "" : Table.nanos(c), ratio, aim);
    }

    private Race.Subject best() {
        return knotes.stream().filter(knote -> knote.name().startsWith("Java and Java"))
                .min(Comparator.comparing(knote -> knote.time().median())).orElseThrow();
    }

    private Race.Subject c(String how) throws IOException {
        if (settings.reference() == null) {
            return null;
        }
        String path = memory();
        Child pong = started(settings.reference().start(pongCpus(), "pong" + how, path));
        pong.ready();
        Child ping = settings.reference().start(cpus.only(0), "ping" + how, path);
        ping.ready();
        return race.add("C", ping, settings.count(COUNT));
    }

    private void knotes(String name, RoundTrip.Style style, String queue, String poller) throws IOException {
        List<String> options = poller.isEmpty() ? List.of() : List.of("-Dknote.poller=" + poller);
        String argument = style + "," + queue + "," + memory();
        knotes.add(pair(name + ", " + style, options, "ping", "pong", argument));
    }

    private void knoteAndC(String name, RoundTrip.Style style) throws IOException {
        if (settings.reference() != null) {
            String path = memory();
            started(settings.reference().start(pongCpus(), "pong", path)).ready();
            Child ping = Child.java(cpus, pin(0), List.of(), "ping", style + ",owner," + path);
            ping.ready();
            knotes.add(race.add(name + ", " + style, ping, settings.count(COUNT)));
        }
    }

    /** What else there is in Java between processes. */
    private List<Race.Subject> bytes() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("knote-bench");
        race.atEnd(() -> delete(directory));
        String path = directory.toString();
        for (String fifo : List.of("ping", "pong")) {
            new ProcessBuilder("mkfifo", directory.resolve(fifo).toString()).inheritIO().start().waitFor();
        }
        return List.of(
                pair("a byte, FIFO, FileChannel", List.of(), "fifo-ping", "fifo-pong", path),
                pair("a byte, Unix socket, SocketChannel", List.of(), "unix-ping", "unix-pong", path),
                pair("eventfd, read and write by FFM", List.of(), "eventfd-ping", "eventfd-pong", ""));
    }

    private Race.Subject pair(String name, List<String> options, String ping, String pong, String argument)
            throws IOException {
        Child pongs = started(Child.java(cpus, pin(1), options, pong, argument));
        String address = pongs.ready();
        Child pings = Child.java(cpus, pin(0), options, ping, address.isEmpty() ? argument : address);
        pings.ready();
        return race.add(name, pings, settings.count(COUNT));
    }

    private Child started(Child child) {
        race.atEnd(child::close);
        return child;
    }

    private String memory() {
        SharedMemory memory = SharedMemory.anonymous(4096);
        race.atEnd(memory::close);
        return memory.path().toString();
    }

    private Cpus pongCpus() {
        return together ? cpus : cpus.only(1);
    }

    /** Only the working thread of a JVM has its processor: its compiler would be in the way. */
    private Integer pin(int index) {
        return together ? null : Integer.valueOf(cpus.get(index));
    }

    private static void delete(Path directory) {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(directory);
        } catch (IOException e) {
            System.out.println("(left behind: " + directory + ": " + e.getMessage() + ")");
        }
    }
}
