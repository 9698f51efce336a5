package dev.knote.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Row 9: the system calls of the working thread, counted between two marks in the output of strace(1). */
final class SystemCalls {
    private static final int COUNT = 2_000;
    private static final int WARM_UP = 20_000;
    private static final Pattern LINE = Pattern.compile("^(\\d+) +(\\w+)\\((.*)$");

    private SystemCalls() {}

    private record Case(String what, String operation, String argument, String aim) {}

    private static final List<Case> CASES = List.of(
            new Case("USER trigger and event", "user", "one,shared", "0"),
            new Case("trigger() of another thread's queue, its owner awake", "post", "", "0"),
            new Case("PRIVATE wake, nobody waits", "words", "1,1,anon,private,owner,none", "0"),
            new Case("PRIVATE wake and event", "words", "1,1,anon,private,owner,event", "0"),
            new Case("shared wake, nobody waits", "words", "1,1,anon,shared,owner,none", "1"),
            new Case("8 shared wakes in a changelist, nobody waits; a wake", "words",
                    "64,8,queue,shared,owner,none", "1/8"),
            new Case("wake and event", "words", "1,1,anon,shared,owner,event", "2"),
            new Case("8 wakes in a changelist, 8 events; a wake", "words", "64,8,queue,shared,owner,event",
                    ""),
            new Case("TIMER added", "timer-add", "1", "0"),
            new Case("READ: EV_ADD and EV_DELETE, pipe", "register", "one,pipe,owner", "2"),
            new Case("READ: EV_ADD and EV_DELETE, socket", "register", "one,socket,owner", "2"),
            new Case("write, kevent, read, EV_CLEAR", "idle", "1,clear", ""),
            new Case("write, kevent, read, level", "idle", "1,level", ""));

    static void run(Settings settings) throws Exception {
        if (!Cpus.isThere("strace")) {
            System.out.println("(no strace: system calls cannot be counted)");
            return;
        }
        System.out.println("\n### System calls an operation, of the working thread\n");
        System.out.println("| what | calls | which | aim |\n|---|---|---|---|");
        for (Case one : CASES) {
            String counted;
            try {
                counted = count(settings, one);
            } catch (IOException e) {
                counted = e.getMessage() + " | ";
            }
            System.out.println("| " + one.what + " | " + counted + " | " + one.aim + " |");
        }
    }

    private static String count(Settings settings, Case one) throws IOException, InterruptedException {
        Path output = Files.createTempFile("knote-bench", ".strace");
        List<String> command = new ArrayList<>(
                List.of("strace", "-f", "-qq", "-s", "0", "-o", output.toString()));
        command.addAll(Child.javaCommand(null, List.of(), one.operation, one.argument));
        try (Child child = Child.of(settings.cpus(), command)) {
            child.ready();
            child.time(WARM_UP);
            child.ask("mark " + COUNT);
            child.finish();
            return summary(between(Files.readAllLines(output)));
        } finally {
            Files.delete(output);
        }
    }

    /** Calls by name, of the thread that made the marks. */
    private static Map<String, Integer> between(List<String> lines) {
        Map<String, Integer> calls = new TreeMap<>();
        String thread = null;
        for (String line : lines) {
            Matcher call = LINE.matcher(line);
            if (!call.matches()) {
                continue;
            }
            if (line.contains("close(-1001")) {
                thread = call.group(1);
            } else if (line.contains("close(-1002")) {
                return calls;
            } else if (call.group(1).equals(thread)) {
                calls.merge(call.group(2), 1, Integer::sum);
            }
        }
        return calls;
    }

    /** Those of the JVM's own, which are rare, are left out. */
    private static String summary(Map<String, Integer> calls) {
        double sum = 0;
        List<String> names = new ArrayList<>();
        for (var call : calls.entrySet()) {
            double each = (double) call.getValue() / COUNT;
            if (each >= 0.01) {
                sum += each;
                names.add(String.format(Locale.ROOT, "%s %.3f", call.getKey(), each));
            }
        }
        return String.format(Locale.ROOT, "%.3f | %s", sum, String.join(", ", names));
    }
}
