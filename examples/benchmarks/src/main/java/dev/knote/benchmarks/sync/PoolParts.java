package dev.knote.benchmarks.sync;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Settings;
import dev.knote.benchmarks.Spread;
import dev.knote.benchmarks.Table;
import dev.knote.filters.User;
import dev.knote.words.Words;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * What a pool of threads could be made of: its private sleep, and a queue that all threads share or that goes from owner to
 * owner. A process of its own for each, that answers {@code time N}.
 */
final class PoolParts {
    private static final int COUNT = 20_000;
    private static final Map<String, String> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("park", "LockSupport.park, there and back");
        PARTS.put("futex", "a futex word, there and back");
        PARTS.put("shared", "trigger and take one event, shared queue");
        PARTS.put("owner", "the same, single owner");
        PARTS.put("owners", "the same, takeOver before each");
    }

    private PoolParts() {}

    static void run(Settings settings, Cpus cpus) throws Exception {
        Map<String, Child> children = new LinkedHashMap<>();
        Map<String, double[]> figures = new LinkedHashMap<>();
        try {
            for (String part : PARTS.keySet()) {
                List<String> command = Child.jvm(null, List.of());
                command.addAll(List.of(PoolParts.class.getName(), part));
                Child child = Child.of(cpus, command);
                children.put(part, child);
                child.ready();
                child.time(3 * COUNT);
                figures.put(part, new double[settings.rounds()]);
            }
            for (int round = 0; round < settings.rounds(); round++) {
                for (String part : PARTS.keySet()) {
                    figures.get(part)[round] = (double) children.get(part).time(COUNT) / COUNT;
                }
            }
        } finally {
            children.values().forEach(Child::close);
        }
        System.out.println("\n### What a pool could be made of, on "
                + (cpus.count() == 1 ? "one CPU" : cpus.count() + " CPUs") + "\n");
        System.out.println("| what | time: median | [least..most], ns |");
        System.out.println("|---|---|---|");
        figures.forEach((part, nanos) -> System.out.println("| " + PARTS.get(part) + " | "
                + Table.nanos(Spread.of(nanos).median()) + " | " + Spread.of(nanos) + " |"));
    }

    static void main(String[] args) throws IOException {
        Part part = switch (args[0]) {
            case "park" -> new Parked();
            case "futex" -> new Slept();
            default -> taken(args[0]);
        };
        System.out.println("ready");
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            int n = Integer.parseInt(line.split(" ")[1]);
            long from = System.nanoTime();
            part.run(n);
            System.out.println(System.nanoTime() - from);
        }
        System.exit(0);
    }

    private interface Part {
        void run(int n);
    }

    private static Part taken(String how) {
        EventQueue queue = EventQueue
                .open(how.equals("shared") ? Options.defaults() : Options.defaults().singleOwner());
        Knote knote = queue.register(User.of(1).clear(), null);
        EventHandler handler = event -> {};
        boolean takes = how.equals("owners");
        return n -> {
            for (int i = 0; i < n; i++) {
                if (takes) {
                    queue.takeOver();
                }
                knote.trigger();
                queue.pollNanos(handler, 1, 0);
            }
        };
    }

    private static final class Parked implements Part {
        private final Thread main = Thread.currentThread();
        private final Thread other = Thread.ofPlatform().daemon().unstarted(this::answer);
        private volatile int turn;

        Parked() {
            other.start();
        }

        private void answer() {
            for (;;) {
                await(1);
                turn = 0;
                LockSupport.unpark(main);
            }
        }

        private void await(int value) {
            while (turn != value) {
                LockSupport.park();
            }
        }

        @Override
        public void run(int n) {
            for (int i = 0; i < n; i++) {
                turn = 1;
                LockSupport.unpark(other);
                await(0);
            }
        }
    }

    private static final class Slept implements Part {
        private final List<MemorySegment> words = new ArrayList<>();

        Slept() {
            words.add(Arena.global().allocate(64, 64));
            words.add(Arena.global().allocate(64, 64));
            Thread.ofPlatform().daemon().start(() -> {
                for (;;) {
                    await(1);
                    wake(0);
                }
            });
        }

        private void await(int who) {
            MemorySegment word = words.get(who);
            while (!Words.swap(word, 1, 0)) {
                boolean ignored = Words.sleep(word, 0, Words.NEVER);
            }
        }

        private void wake(int who) {
            Words.set(words.get(who), 1);
            Words.wake(words.get(who), 1);
        }

        @Override
        public void run(int n) {
            for (int i = 0; i < n; i++) {
                wake(1);
                await(0);
            }
        }
    }
}
