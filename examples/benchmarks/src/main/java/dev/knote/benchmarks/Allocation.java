package dev.knote.benchmarks;

import java.util.List;
import java.util.Locale;

/** Row 8: what the working thread allocates, in steady state. */
final class Allocation {
    private Allocation() {}

    private record Case(String what, String operation, String argument) {}

    private static final List<Case> CASES = List.of(
            new Case("USER trigger and event, one call, owner", "user", "one,owner"),
            new Case("USER trigger and event, two calls, shared", "user", "two,shared"),
            new Case("USER trigger() and poll, owner", "user", "java,owner"),
            new Case("USER trigger() and poll, shared", "user", "java,shared"),
            new Case("READ event of a pipe", "idle", "1,level"),
            new Case("READ event of a pipe, EV_CLEAR", "idle", "1,clear"),
            new Case("WRITE event of a pipe", "writable", ""),
            new Case("TIMER event, periodic", "timer-periodic", ""),
            new Case("USERMEM wake (ANON) and event", "words", "1,1,anon,shared,owner,event"),
            new Case("USERMEM wake (queue) and event", "words", "1,1,queue,shared,owner,event"),
            new Case("USERMEM wake (queue) and event, shared queue", "words",
                    "1,1,queue,shared,shared,event"),
            new Case("USERMEM 8 wakes in a changelist, 8 events", "words", "64,8,queue,shared,owner,event"),
            new Case("USERMEM 8 wakes by ANON, 8 events", "words", "64,8,anon,shared,owner,event"),
            new Case("USERMEM PRIVATE wake (ANON) and event", "words", "1,1,anon,private,owner,event"));

    static void run(Settings settings) throws Exception {
        int count = settings.count(1_000_000);
        for (String poller : List.of("io_uring", "epoll")) {
            System.out.println("\n### Bytes allocated an operation, " + poller + "\n");
            System.out.println("| what | bytes | aim |\n|---|---|---|");
            for (Case one : CASES) {
                System.out.println("| " + one.what + " | " + bytes(settings, poller, one, count) + " | 0 |");
            }
        }
    }

    private static String bytes(Settings settings, String poller, Case one, int count) {
        try (Child child = Child.java(
                settings.cpus().one(), null, List.of("-Dknote.poller=" + poller), one.operation,
                one.argument)) {
            child.ready();
            for (int i = 0; i < 4; i++) {
                child.time(count / 8);
            }
            long bytes = Long.parseLong(child.ask("bytes " + count));
            return String.format(Locale.ROOT, "%.4f", (double) bytes / count);
        } catch (Exception e) {
            return e.getMessage();
        }
    }
}
