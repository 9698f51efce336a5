package dev.knote.benchmarks.netty;

import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Race;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Table;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Echo servers on our transport, on Netty's and in C, with one client for all, in C: time a message. */
public final class EchoRows {
    private static final int WARM_UP_RUNS = 6;
    private static final int WARM_UP_COUNT = 50_000;
    private static final long ROW_WARM_UP_NANOS = 250_000_000;

    private final Settings settings;
    private final Cpus cpus;
    private final boolean together;
    private final Map<Transport, Server.Started> servers = new EnumMap<>(Transport.class);

    /** What the client does. */
    record Row(String name, String what, int connections, int inFlight, int size, boolean awake, int count) {
        static final List<Row> ALL = List.of(
                new Row("1", "64 bytes, 1 connection", 1, 1, 64, false, 3_000),
                new Row("awake", "64 bytes, 1 connection, client awake", 1, 1, 64, true, 3_000),
                new Row("64", "64 bytes, 64 connections", 64, 1, 64, false, 12_000),
                new Row("512", "64 bytes, 512 connections", 512, 1, 64, false, 12_000),
                new Row("64x16", "64 bytes, 64 connections, 16 in flight", 64, 16, 64, false, 100_000),
                new Row("16k", "16 KiB, 16 connections", 16, 1, 16 * 1024, false, 6_000));

        String[] arguments(String port) {
            return new String[] {"echo", port, String.valueOf(connections), String.valueOf(inFlight),
                    String.valueOf(size), awake ? "awake" : "asleep"};
        }
    }

    private EchoRows(Settings settings, Cpus cpus) {
        this.settings = settings;
        this.cpus = cpus;
        this.together = cpus.count() == 1;
    }

    /**
     * Prints the tables. {@code -Dbench.only}, separated by commas: one or two, for the processors; rows, by name;
     * transports, by the name of their constants.
     */
    public static void run(Settings settings) throws Exception {
        if (settings.reference() == null || !Cpus.canPin()) {
            System.out.println("(no gcc or no taskset: Netty's transports cannot be compared)");
            return;
        }
        if (isWanted("one", Set.of("two"))) {
            new EchoRows(settings, settings.cpus().one()).run();
        }
        if (settings.cpus().count() > 1 && isWanted("two", Set.of("one"))) {
            new EchoRows(settings, settings.cpus().two()).run();
        }
    }

    /** Whether it is named, or none of the others is. */
    private static boolean isWanted(String name, Set<String> others) {
        List<String> only = List.of(System.getProperty("bench.only", "").split(","));
        return only.contains(name) || only.stream().noneMatch(others::contains);
    }

    private static boolean isWanted(Row row) {
        return isWanted(row.name, Row.ALL.stream().map(Row::name).collect(Collectors.toSet()));
    }

    private static boolean isWanted(Transport transport) {
        return isWanted(
                transport.name(),
                Arrays.stream(Transport.values()).map(Transport::name).collect(Collectors.toSet()));
    }

    private void run() throws Exception {
        try {
            for (Transport transport : Transport.values()) {
                if (isWanted(transport) && !(together && transport.isSpinning())) {
                    servers.put(transport, start(transport));
                }
            }
            warmUp();
            System.out.println("\n### Echo on Netty, " + (together ? "one CPU" : "two CPUs") + "\n");
            System.out.println("| what | transport | a message | Knote over it: median [least..most] |");
            System.out.println("|---|---|---|---|");
            for (Row row : Row.ALL) {
                if (isWanted(row) && (!together || !row.awake)) {
                    run(row);
                }
            }
        } finally {
            servers.values().forEach(server -> server.child().close());
        }
    }

    /** With two processors, on the one that the client is not on. */
    private Server.Started start(Transport transport) throws IOException {
        if (transport.isFloor()) {
            return Server.Started
                    .of(settings.reference().program(cpus.only(cpus.count() - 1), "echo", transport.floor));
        }
        Integer pin = together ? null : Integer.valueOf(cpus.get(1));
        return Server.start(cpus, pin, "echo", transport.name());
    }

    private void warmUp() throws IOException {
        for (Server.Started server : servers.values()) {
            for (Row row : List.of(Row.ALL.get(2), Row.ALL.get(5))) {
                try (var client = settings.reference().load(cpus.only(0), row.arguments(server.where()))) {
                    client.ready();
                    for (int i = 0; i < WARM_UP_RUNS; i++) {
                        client.time(WARM_UP_COUNT / (row.size > 64 ? 8 : 1));
                    }
                }
            }
        }
    }

    private void run(Row row) throws IOException {
        Map<Transport, Race.Subject> subjects = new EnumMap<>(Transport.class);
        try (Race race = new Race(settings, ROW_WARM_UP_NANOS)) {
            for (var server : servers.entrySet()) {
                var client = settings.reference()
                        .load(cpus.only(0), row.arguments(server.getValue().where()));
                client.ready();
                subjects.put(
                        server.getKey(),
                        race.add(server.getKey().title, client, settings.count(row.count)));
            }
            race.run();
        }
        print(row.what, subjects);
    }

    private static void print(String what, Map<Transport, Race.Subject> subjects) {
        Race.Subject ours = subjects.get(Transport.KNOTE);
        subjects.forEach((transport, subject) -> System.out.println(
                "| " + String.join(
                        " | ", what, transport.title, Table.nanos(subject.time().median()),
                        ours == null || subject == ours ? "" : ours.over(subject).toString())
                        + " |"));
        Race.Subject spinning = subjects.get(Transport.KNOTE_SPINNING);
        if (spinning != null) {
            Race.Subject best = subjects.entrySet().stream().filter(entry -> entry.getKey().isNettys())
                    .map(Map.Entry::getValue).min(Comparator.comparing(s -> s.time().median()))
                    .orElse(spinning);
            System.out.println(
                    "| " + String.join(" | ", what, best.name() + " over Knote spinning", "",
                            best.over(spinning).toString()) + " |");
        }
        System.out.flush();
    }
}
