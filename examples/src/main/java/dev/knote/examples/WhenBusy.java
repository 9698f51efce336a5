package dev.knote.examples;

import static dev.knote.Kqueue.*;
import static dev.knote.examples.LoadFilter.EVFILT_LOAD;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventList;
import dev.knote.Options;
import java.time.Duration;

/** Uses a filter that is not Knote's own, from both faces. Every machine has a load of 0 or more. */
final class WhenBusy {
    private WhenBusy() {}

    static void main() {
        Options options = Options.defaults().filter(new LoadFilter());
        try (var queue = EventQueue.open(options)) {
            queue.register(Interest.of(EVFILT_LOAD, 1).data(0).oneShot(), "load");
            queue.poll(event -> System.out.println(event.attachment() + " reached: " + (event.data() >= 0)),
                    null);

            KeventList list = KeventList.allocate(1);
            EV_SET(list, 0, 2, EVFILT_LOAD, EV_ADD, 0, Long.MAX_VALUE, "load");
            int n = kevent(queue.fd(), list, 1, list, 1, Duration.ofMillis(10));
            System.out.println("load never reached: " + (n == 0));
        }
    }
}
