package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.sync.JobTokens;
import dev.knote.sync.Latch;
import dev.knote.sync.ProcessEnd;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;

/** Two processes that run six jobs each, at most two at a time among them all, and a third that waits for their latch. */
final class Tokens {
    private static final int REGION = 256;
    private static int running;

    private Tokens() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            work(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(4096); var queue = EventQueue.open()) {
            JobTokens tokens = JobTokens.of(memory.segment().asSlice(REGION), 2);
            Latch latch = Latch.own(memory.segment(), 0);
            for (; running < 2; running++) {
                Process worker = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        Tokens.class.getName(), memory.path().toString()).inheritIO().start();
                queue.register(ProcessEnd.of((int) worker.pid()).interest(), "end");
            }
            while (running > 0) {
                latch.reset();
                latch.poll(queue, event -> running--, null);
            }
            System.out.printf("jobs done: %d%ntokens free: %d, lost: %d%n",
                    SharedMemory.load32(memory.word32(1)), tokens.free(), tokens.lost());
        }
    }

    /** A job is a timer here; it could be a child process. */
    private static void work(Path path) {
        try (var memory = SharedMemory.map(path); var queue = EventQueue.open()) {
            JobTokens tokens = JobTokens.of(memory.segment().asSlice(REGION));
            Latch latch = Latch.of(memory.segment(), 0);
            var held = new ArrayDeque<Integer>();
            int[] left = {6};
            try (var wait = tokens.waitIn(queue, "token")) {
                while (left[0] > 0 || !held.isEmpty()) {
                    for (int token; left[0] > 0 && (token = wait.tryTake()) >= 0; left[0]--) {
                        held.add(token);
                        queue.register(Timer.after(Duration.ofMillis(10)), "job");
                    }
                    queue.poll(event -> {
                        if (event.attachment().equals("job")) {
                            tokens.release(held.remove());
                            SharedMemory.add32(memory.word32(1), 1);
                            latch.set();
                        }
                    }, null);
                }
            }
        }
    }
}
