package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import java.time.Duration;
import java.util.Locale;

/** Operations on timers, on a queue with a single owner. */
final class TimerOperations {
    private static final int HOUR_MILLIS = 3_600_000;
    private static final int MILLION = 1_000_000;

    private TimerOperations() {}

    private static int queue() {
        return EventQueue.open(Options.defaults().singleOwner()).fd();
    }

    /** Adds timers, {@code perCall} a call; those of the run before are deleted first, untimed. */
    static Operation add(int perCall) {
        return add(queue(), perCall);
    }

    private static Operation add(int kq, int perCall) {
        return new Operation() {
            private final KeventList list = KeventList.allocate(perCall);
            private int there;

            @Override
            public void prepare() {
                for (; there > 0; there--) {
                    EV_SET(list, 0, there - 1, EVFILT_TIMER, EV_DELETE, 0, 0, null);
                    kevent(kq, list, 1, null, 0, null);
                }
            }

            @Override
            public void run(int n) {
                while (there < n) {
                    for (int i = 0; i < perCall; i++) {
                        // Deadlines in no order, as connections have them.
                        long millis = HOUR_MILLIS + (there * 7919L & 0xffff);
                        EV_SET(list, i, there++, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, millis, null);
                    }
                    kevent(kq, list, perCall, null, 0, null);
                }
            }
        };
    }

    /** Retrieves the events of a periodic timer, as they come. */
    static Operation periodic() {
        int kq = queue();
        KeventList events = KeventList.allocate(1);
        EV_SET(events, 0, 1, EVFILT_TIMER, EV_ADD, NOTE_NSECONDS, 1, null);
        kevent(kq, events, 1, null, 0, null);
        return n -> {
            for (int i = 0; i < n; i++) {
                if (kevent(kq, null, 0, events, 1, null) != 1) {
                    throw new IllegalStateException("not one event");
                }
            }
        };
    }

    /** A million timers; the run adds one that expires at once among them, and retrieves it. */
    static Operation million() {
        return new Operation() {
            private final int kq = queue();
            private final Operation million = add(kq, 1);
            private final KeventList events = KeventList.allocate(1);
            private String report;

            @Override
            public void run(int n) {
                for (int i = 0; i < n; i++) {
                    EV_SET(events, 0, MILLION + 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, 0, null);
                    if (kevent(kq, events, 1, events, 1, null) != 1) {
                        throw new IllegalStateException("not one event");
                    }
                }
            }

            /** {@code nanoseconds bytes descriptors}, each a timer but the last. */
            @Override
            public String report() throws Exception {
                if (report == null) {
                    report = fill();
                }
                return report;
            }

            private String fill() throws Exception {
                try (EventQueue another = EventQueue.open(Options.defaults().singleOwner())) {
                    add(another.fd(), 1).run(MILLION); // or what is measured is the compiler
                }
                int fds = Linux.openFds();
                long bytes = heap();
                long from = System.nanoTime();
                million.run(MILLION);
                long nanos = System.nanoTime() - from;
                bytes = heap() - bytes;
                return String.format(
                        Locale.ROOT, "%.1f %.1f %d", (double) nanos / MILLION, (double) bytes / MILLION,
                        Linux.openFds() - fds);
            }
        };
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    /** How late the event of a timer of a millisecond is, asleep; nanoseconds a timer. */
    static Operation lateness() {
        int kq = queue();
        KeventList events = KeventList.allocate(1);
        return n -> {
            for (int i = 0; i < n; i++) {
                EV_SET(events, 0, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, 1000, null);
                if (kevent(kq, events, 1, events, 1, Duration.ofSeconds(1)) != 1) {
                    throw new IllegalStateException("not one event");
                }
            }
        };
    }
}
