package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The README's example of the Java face. */
final class JavaFace {
    private JavaFace() {}

    static void main() {
        try (var queue = EventQueue.open(); var memory = SharedMemory.anonymous(4096)) {
            MemorySegment word = memory.word32(0); // other processes open memory.path()
            queue.register(UserMem.int32(word, 0), "word");
            queue.register(Timer.after(Duration.ofMillis(100)), "timer");
            Knote user = queue.register(User.of(1).oneShot(), "user");

            Thread.startVirtualThread(() -> {
                user.trigger();
                SharedMemory.store32(word, 7);
                queue.wake(word, 1);
            });
            for (int events = 0; events < 3;) {
                events += queue.poll(e -> System.out.println(e.attachment() + " " + e.data()), null);
            }
        }
    }
}
