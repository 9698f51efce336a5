package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.User;
import java.time.Duration;

/** Triggers a USER knote and retrieves its event, in one thread. */
final class UserOperation implements Operation {
    private final String face;
    private final EventQueue queue;
    private final int kq;
    private final Knote knote;
    private final KeventList changes = KeventList.allocate(1);
    private final KeventList events = KeventList.allocate(1);
    private long handled;

    /** @param argument one, two (calls of kevent) or java; and owner or shared */
    UserOperation(String argument) {
        String[] parts = argument.split(",");
        face = parts[0];
        Options options = Options.defaults();
        queue = EventQueue.open(parts[1].equals("owner") ? options.singleOwner() : options);
        kq = queue.fd();
        knote = queue.register(User.of(1).clear(), null);
        EV_SET(changes, 0, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
    }

    @Override
    public void run(int n) {
        long before = handled;
        switch (face) {
            case "one" -> oneCall(n);
            case "two" -> twoCalls(n);
            default -> javaFace(n);
        }
        if (handled - before != n) {
            throw new IllegalStateException(handled - before + " events of " + n);
        }
    }

    private void oneCall(int n) {
        for (int i = 0; i < n; i++) {
            handled += kevent(kq, changes, 1, events, 1, Duration.ZERO);
        }
    }

    private void twoCalls(int n) {
        for (int i = 0; i < n; i++) {
            kevent(kq, changes, 1, null, 0, null);
            handled += kevent(kq, null, 0, events, 1, Duration.ZERO);
        }
    }

    private void javaFace(int n) {
        EventHandler handler = event -> handled++;
        for (int i = 0; i < n; i++) {
            knote.trigger();
            queue.poll(handler, Duration.ZERO);
        }
    }
}
