package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** Waits until a word of memory changes. The thread that changes it could as well be another process. */
final class WaitForWord {
    private WaitForWord() {}

    static void main() throws InterruptedException {
        try (var memory = SharedMemory.anonymous(64); var queue = EventQueue.open()) {
            MemorySegment word = memory.word32(0);
            queue.register(UserMem.int32(word, 0), "the word");
            System.out.println("before: " + queue.poll(event -> {}, Duration.ZERO) + " events");

            Thread writer = Thread.ofPlatform().start(() -> {
                SharedMemory.store32(word, 42);
                queue.wake(word, 1);
            });
            queue.poll(event -> System.out.println(event.attachment() + " is " + event.data()), null);
            writer.join();
        }
    }
}
