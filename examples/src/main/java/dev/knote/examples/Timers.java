package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.filters.Timer;
import java.time.Duration;
import java.time.Instant;

/** A timer that repeats, one for a moment of the wall clock, and one that ends it all. */
final class Timers {
    private static boolean done;

    private Timers() {}

    static void main() {
        try (var queue = EventQueue.open()) {
            Knote tick = queue.register(Timer.every(Duration.ofMillis(40)), "tick");
            queue.register(Timer.at(Instant.now().plusMillis(100)), "the moment has come");
            queue.register(Timer.after(Duration.ofMillis(300)), "the end");
            while (!done) {
                queue.poll(event -> {
                    System.out.println(event.attachment());
                    if (event.attachment().equals("the moment has come")) {
                        tick.cancel();
                    }
                    done = event.attachment().equals("the end");
                }, null);
            }
        }
    }
}
