package dev.knote.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rows 2 to 7: one process each, on one CPU; threads on two. */
final class Rows {
    private final Settings settings;

    Rows(Settings settings) {
        this.settings = settings;
    }

    void user() throws Exception {
        try (Race race = new Race(settings)) {
            Race.Subject c = c(race, 50_000, "eventfd");
            List<Race.Subject> knotes = new ArrayList<>();
            for (String queue : List.of("owner", "shared")) {
                for (String face : List.of("one", "two", "java")) {
                    knotes.add(java(race, 500_000, "user", face + "," + queue));
                }
            }
            race.run();
            Table.begin("USER: trigger and retrieve, one thread", "C: write, epoll_wait, read of an eventfd");
            for (Race.Subject knote : knotes) {
                print(knote, c, "<= 0.1 (10 times as many)");
            }
        }
    }

    void register() throws Exception {
        Table.begin("READ: EV_ADD and EV_DELETE", "C: EPOLL_CTL_ADD and _DEL");
        for (String kind : List.of("pipe", "socket")) {
            try (Race race = new Race(settings)) {
                Race.Subject c = c(race, 20_000, "register-" + kind);
                Race.Subject threaded = c(race, 20_000, "register-" + kind, "2");
                Race.Subject raw = java(race, 20_000, "register-raw", kind);
                List<Race.Subject> knotes = new ArrayList<>();
                for (String queue : List.of("owner", "shared")) {
                    for (String calls : List.of("one", "two")) {
                        knotes.add(java(race, 20_000, "register", calls + "," + kind + "," + queue));
                    }
                }
                race.run();
                for (Race.Subject knote : knotes) {
                    print(knote, c, "<= 1.11 (0.9 times as many)");
                }
                row("Java, the two epoll_ctl alone, " + kind, raw, c, "");
                if (threaded != null) {
                    row("C with a second thread, asleep, " + kind, threaded, c, "");
                    for (Race.Subject knote : knotes) {
                        row(knote.name() + ", over that", knote, threaded, "");
                    }
                }
            }
        }
    }

    void idle() throws Exception {
        for (String mode : List.of("level", "clear")) {
            try (Race race = new Race(settings)) {
                List<Race.Subject> knotes = new ArrayList<>();
                List<Race.Subject> cs = new ArrayList<>();
                for (String idle : List.of("1", "1000", "10000")) {
                    knotes.add(java(race, 20_000, "idle", idle + "," + mode));
                    cs.add(c(race, 20_000, "idle", idle));
                }
                race.run();
                Table.begin("One active among idle fds, " + mode + ": write, kevent, read", "C: epoll");
                for (int i = 0; i < knotes.size(); i++) {
                    print(knotes.get(i), cs.get(i), "");
                }
                for (Race.Subject knote : knotes.subList(1, knotes.size())) {
                    row(knote.name() + " over 1 idle", knote, knotes.get(0), "1 (flat)");
                }
            }
        }
    }

    void timer() throws Exception {
        try (Race race = new Race(settings)) {
            Race.Subject c = c(race, 5_000, "timerfd");
            Race.Subject few = java(race, 1_000, "timer-add", "1");
            Race.Subject one = java(race, 100_000, "timer-add", "1");
            Race.Subject many = java(race, 99_968, "timer-add", "64");
            race.run();
            Table.begin("TIMER", "C: timerfd_create, _settime, close");
            row(few.count() + " added, one a call", few, c, "< 300 ns");
            row(one.count() + " added, one a call", one, c, "< 300 ns");
            row(many.count() + " added, 64 a call", many, c, "< 300 ns");
        }
        try (Race race = new Race(settings)) {
            Child child = Child.java(
                    settings.cpus().one(), null, List.of("-Xmx1g", "-Xms1g"), "timer-million", "");
            Race.Subject million = race.add("one expires", child, settings.count(50_000));
            child.ready();
            String[] report = child.ask("report").split(" ");
            race.run();
            Table.row("a million added", report[0] + " ns each", "", "", "< 300 ns");
            Table.row("a million armed", report[1] + " bytes of heap each", "", "", "");
            Table.row("a million armed", report[2] + " fds", "", "", "0");
            Table.row("added, expires at once, is retrieved, among a million", Table.nanos(million), "", "",
                    "");
        }
        try (Race race = new Race(settings)) {
            Race.Subject late = java(race, 200, "timer-lateness", "");
            race.run();
            double micros = late.time().median() / 1000 - 1000;
            Table.row("lateness of 1 ms, asleep", String.format(Locale.ROOT, "%.1f us", micros), "", "", "");
        }
    }

    /** One process at a time: words that others have armed are in the kernel's way, which has one table for all. */
    void words() throws Exception {
        for (String poller : List.of("io_uring", "epoll")) {
            List<Race.Subject> knotes = new ArrayList<>();
            List<Race.Subject> cs = new ArrayList<>();
            for (int armed : poller.equals("io_uring") ? new int[] {10, 1_000, 10_000}
                    : new int[] {10, 1_000}) {
                knotes.add(new Race.Subject(armed + " armed", null, armed, new double[settings.rounds()]));
                cs.add(new Race.Subject(armed + " armed", null, armed, new double[settings.rounds()]));
            }
            for (int round = 0; round < settings.rounds(); round++) {
                for (int i = 0; i < knotes.size(); i++) {
                    words(poller, knotes.get(i), cs.get(i), round);
                }
            }
            words(poller, knotes, cs);
        }
    }

    private void words(String poller, Race.Subject knote, Race.Subject c, int round) throws IOException {
        int armed = knote.count();
        int count = settings.count(10_000);
        Cpus cpus = settings.cpus().one();
        String argument = armed + ",1,anon,shared,owner,event";
        Child java = Child.java(cpus, null, List.of("-Dknote.poller=" + poller), "words", argument);
        knote.nanos()[round] = Race.alone(java, count);
        if (settings.reference() != null) {
            Child reference = settings.reference().start(cpus, "words", String.valueOf(armed));
            c.nanos()[round] = Race.alone(reference, count);
        }
    }

    private void words(String poller, List<Race.Subject> knotes, List<Race.Subject> cs) {
        boolean none = settings.reference() == null;
        Table.begin("A wake and its event among armed words, " + poller, "C: futex(2) and an io_uring");
        for (int i = 0; i < knotes.size(); i++) {
            print(knotes.get(i), none ? null : cs.get(i), "");
        }
        for (int i = 1; i < knotes.size(); i++) {
            row(knotes.get(i).name() + " over 10", knotes.get(i), knotes.get(0), "<= 1.5");
            if (!none) {
                row("C: the same", cs.get(i), cs.get(0), "");
            }
        }
    }

    void threads() throws Exception {
        if (settings.cpus().count() < 2) {
            System.out.println("(one CPU: threads cannot be measured)");
            return;
        }
        threads("-XX:+UseG1GC", "G1, what a JVM takes by itself on two processors");
        threads("-XX:+UseSerialGC", "the serial collector");
    }

    private void threads(String collector, String name) throws Exception {
        Table.begin("Two threads that trigger, over one: triggers a second, " + name, "one thread");
        for (String how : List.of("batch", "single", "java", "drained")) {
            try (Child child = Child.java(settings.cpus().two(), null, List.of(collector), "threads", how)) {
                child.ready();
                threads(child, how);
            }
        }
    }

    private void threads(Child child, String how) throws Exception {
        int count = settings.count(800_000);
        int rounds = 2 * settings.rounds();
        double[] one = new double[rounds];
        double[] two = new double[rounds];
        double[] gain = new double[rounds];
        double[] machine = new double[rounds];
        for (int round = -rounds; round < rounds; round++) {
            child.time(count);
            String[] nanos = child.ask("report").split(" ");
            int at = Math.max(0, round); // the first half warms up
            one[at] = count * 1000.0 / Long.parseLong(nanos[0]);
            two[at] = 2 * count * 1000.0 / Long.parseLong(nanos[1]);
            gain[at] = two[at] / one[at];
            machine[at] = 2 * count * 1000.0 / Long.parseLong(nanos[2]) / one[at];
        }
        Table.row("one queue; " + describe(how), rate(two), rate(one), Spread.of(gain).toString(), ">= 1.5");
        if (!how.equals("drained")) {
            Table.row("a queue each: what the machine gives", "", "", Spread.of(machine).toString(), "");
        }
    }

    private static String describe(String how) {
        return switch (how) {
            case "batch" -> "a kevent call triggers 16 and takes up to 16";
            case "single" -> "a kevent call triggers one and takes one";
            case "java" -> "16 times trigger(), then poll";
            default -> "a kevent call triggers 16, one more thread takes all";
        };
    }

    private static String rate(double[] millions) {
        return String.format(Locale.ROOT, "%.1f M/s", Spread.of(millions).median());
    }

    private Race.Subject java(Race race, int count, String operation, String argument) throws IOException {
        Child child = Child.java(settings.cpus().one(), null, List.of(), operation, argument);
        child.ready();
        return race.add(argument.replace(",", ", "), child, settings.count(count));
    }

    private Race.Subject c(Race race, int count, String... arguments) throws IOException {
        if (settings.reference() == null) {
            return null;
        }
        Child child = settings.reference().start(settings.cpus().one(), arguments);
        child.ready();
        return race.add("C", child, settings.count(count));
    }

    private static void print(Race.Subject knote, Race.Subject c, String aim) {
        row(knote.name(), knote, c, aim);
    }

    private static void row(String what, Race.Subject knote, Race.Subject peer, String aim) {
        boolean none = peer == null;
        Table.row(
                what, Table.nanos(knote), none ? "" : Table.nanos(peer),
                none ? "" : knote.over(peer).toString(), aim);
    }
}
