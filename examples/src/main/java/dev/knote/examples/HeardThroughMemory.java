package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.UserMem;
import dev.knote.kfutex.Kfutex;
import dev.knote.kfutex.Rule;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/** A timer is bound to a word: another process, which has the memory and nothing else, hears of every third tick. */
final class HeardThroughMemory {
    private HeardThroughMemory() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            listen(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(64); var kfutex = new Kfutex()) {
            MemorySegment ticks = memory.word32(0);
            kfutex.bind(Timer.every(Duration.ofMillis(2)),
                    Rule.addData(ticks).wakeAll().whenAfter(Rule.Test.GE, 3));
            new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                    HeardThroughMemory.class.getName(), memory.path().toString()).inheritIO().start()
                    .waitFor(); // no thread of this program has anything to do meanwhile
            System.out.println("the end");
        }
    }

    private static void listen(Path path) {
        try (var memory = SharedMemory.map(path); var queue = EventQueue.open()) {
            MemorySegment ticks = memory.word32(0);
            SharedMemory.store32(ticks, 0);
            queue.register(UserMem.int32(ticks, 0), null);
            while (SharedMemory.load32(ticks) < 3) {
                queue.poll(event -> {}, null);
            }
            System.out.println("three ticks or more");
        }
    }
}
