package dev.knote.benchmarks.netty;

import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/** What an echoed message costs the loop besides time: system calls, by strace(1), and bytes of the heap. */
public final class CostRows {
    private static final int WARM_UP = 200_000;
    private static final int MEASURED = 20_000;
    private static final int TRACED = 3_000;
    private static final int MOST_TRIES = 200;
    private static final double LEAST_SHOWN = 0.01;

    private final Settings settings;

    private CostRows(Settings settings) {
        this.settings = settings;
    }

    /** Prints the table. */
    public static void run(Settings settings) throws Exception {
        if (settings.reference() == null) {
            System.out.println("(no gcc: what messages cost cannot be told)");
            return;
        }
        System.out.println("\n### What a message of 64 bytes costs the loop\n");
        System.out.println("| transport | connections | bytes of the heap | system calls | which |");
        System.out.println("|---|---|---|---|---|");
        for (Transport transport : Transport.values()) {
            if (!transport.isSpinning() && !transport.isFloor()) {
                new CostRows(settings).run(transport);
            }
        }
    }

    private void run(Transport transport) throws Exception {
        var server = Server.start(settings.cpus(), null, "echo", transport.name());
        try (Child child = server.child()) {
            for (int connections : List.of(1, 64)) {
                try (var client = settings.reference().load(
                        settings.cpus(), "echo", server.where(), String.valueOf(connections), "1", "64",
                        "asleep")) {
                    client.ready();
                    client.time(WARM_UP);
                    child.ask("bytes");
                    long from = Long.parseLong(child.ask("bytes"));
                    client.time(MEASURED);
                    double bytes = (double) (Long.parseLong(child.ask("bytes")) - from) / MEASURED;
                    System.out.println(
                            "| " + String.join(
                                    " | ", transport.title, String.valueOf(connections),
                                    String.format(Locale.ROOT, "%.1f", bytes), calls(server.tid(), client))
                                    + " |");
                }
            }
        }
    }

    /** The sum, and each by name. */
    private static String calls(int tid, Child client) throws IOException, InterruptedException {
        if (!Cpus.isThere("strace")) {
            return "(no strace) | ";
        }
        Path output = Files.createTempFile("knote-bench", ".strace");
        Process strace = new ProcessBuilder(
                "strace", "-c", "-p", String.valueOf(tid), "-o", output.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            if (!awaitTracer(tid)) {
                return "(strace could not attach) | ";
            }
            client.time(TRACED);
            new ProcessBuilder("kill", "-INT", String.valueOf(strace.pid())).start().waitFor();
            strace.waitFor();
            return summary(Files.readAllLines(output));
        } finally {
            strace.destroyForcibly();
            Files.delete(output);
        }
    }

    private static boolean awaitTracer(int tid) throws IOException, InterruptedException {
        Path status = Path.of("/proc", String.valueOf(tid), "status");
        for (int i = 0; i < MOST_TRIES; i++) {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith("TracerPid:")
                        && !line.substring("TracerPid:".length()).strip().equals("0")) {
                    return true;
                }
            }
            LockSupport.parkNanos(10_000_000);
        }
        return false;
    }

    /** Lines are: share of time, seconds, microseconds a call, calls, errors if any, name. */
    private static String summary(List<String> lines) {
        double sum = 0;
        List<String> names = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.strip().split(" +");
            if (words.length < 5 || !Character.isDigit(words[0].charAt(0))
                    || words[words.length - 1].equals("total")) {
                continue;
            }
            double each = Double.parseDouble(words[3]) / TRACED;
            if (each >= LEAST_SHOWN) {
                sum += each;
                names.add(String.format(Locale.ROOT, "%s %.2f", words[words.length - 1], each));
            }
        }
        return String.format(Locale.ROOT, "%.2f | %s", sum, String.join(", ", names));
    }
}
