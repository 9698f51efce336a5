package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.UserMem;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/** A latch that two other JVMs count down: a word of memory, and a limit on how long to wait for it. */
final class CrossProcessLatch {
    private static final int WORKERS = 2;
    private static boolean late;

    private CrossProcessLatch() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            work(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(64); var queue = EventQueue.open()) {
            MemorySegment latch = memory.word32(0);
            SharedMemory.store32(latch, WORKERS);
            queue.register(UserMem.int32(latch, WORKERS), "latch");
            queue.register(Timer.after(Duration.ofSeconds(30)), "limit");
            for (int i = 0; i < WORKERS; i++) {
                new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        CrossProcessLatch.class.getName(), memory.path().toString()).inheritIO().start();
            }
            while (SharedMemory.load32(latch) > 0 && !late) {
                queue.poll(event -> late |= event.attachment().equals("limit"), null);
            }
            System.out.println(late ? "too late" : "the latch is open");
        }
    }

    private static void work(Path memoryPath) {
        try (var memory = SharedMemory.map(memoryPath); var queue = EventQueue.open()) {
            System.out.println("a worker is done");
            SharedMemory.add32(memory.word32(0), -1);
            queue.wake(memory.word32(0), Integer.MAX_VALUE);
        }
    }
}
