package dev.knote.examples;

import dev.knote.KeventList;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.kfutex.EventFeed;
import dev.knote.kfutex.EventRing;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A queue's events go into a ring of shared memory; another process takes them, and sleeps only while there are none. */
final class EventsFromRing {
    private static final int SLOTS = 64;

    private EventsFromRing() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            consume(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(EventRing.bytes(SLOTS));
                var feed = new EventFeed(EventRing.create(memory.segment(), SLOTS), EventFeed.Full.WAIT)) {
            feed.register(User.of(1), 100).trigger();
            Process other = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                    EventsFromRing.class.getName(), memory.path().toString()).inheritIO().start();
            feed.register(Timer.after(Duration.ofMillis(500)), 200);
            other.waitFor();
        }
    }

    private static void consume(Path path) {
        try (var memory = SharedMemory.map(path)) {
            EventRing ring = EventRing.open(memory.segment());
            KeventList events = KeventList.allocate(8);
            for (int taken = 0, n; taken < 2; taken += n) {
                n = ring.take(events, events.size(), null);
                for (int i = 0; i < n; i++) {
                    System.out.println("event " + EventRing.udata(events, i));
                }
            }
        }
    }
}
