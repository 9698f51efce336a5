package dev.knote.benchmarks;

import static dev.knote.Kqueue.*;
import static dev.knote.SharedMemory.load32;
import static dev.knote.SharedMemory.store32;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/**
 * One side of a ping-pong by two words of shared memory: the ping writes the first, wakes, and waits for the second;
 * the pong does the contrary.
 */
final class RoundTrip implements Operation {
    /** How a side waits, and how it wakes. */
    enum Style {
        /** A knote for good: each wake is an event. The wake is in the changelist of the call that waits. */
        PERSISTENT(false, false),
        /** The same, the wake by a call of its own through KQUEUE_FD_ANON. */
        PERSISTENT_ANON(false, true),
        /** EV_ADD and EV_ONESHOT with the value expected in the call that waits, and the wake in it, too. */
        ONESHOT(true, false),
        /** The same, the wake by a call of its own through KQUEUE_FD_ANON. */
        ONESHOT_ANON(true, true);

        final boolean oneShot;
        final boolean anon;

        Style(boolean oneShot, boolean anon) {
            this.oneShot = oneShot;
            this.anon = anon;
        }
    }

    private final SharedMemory memory;
    private final MemorySegment mine;
    private final MemorySegment theirs;
    private final Style style;
    private final int kq;
    private final KeventList wake = KeventList.allocate(1);
    private final KeventList changes = KeventList.allocate(2);
    private final KeventList events = KeventList.allocate(1);
    private int seen;
    private int value;

    /** @param argument style, queue (owner, shared or spin) and the memory's path */
    RoundTrip(boolean pings, String argument) {
        String[] parts = argument.split(",", 3);
        style = Style.valueOf(parts[0]);
        memory = SharedMemory.map(Path.of(parts[2]));
        mine = memory.word32(pings ? 0 : 1);
        theirs = memory.word32(pings ? 1 : 0);
        Options options = switch (parts[1]) {
            case "owner" -> Options.defaults().singleOwner();
            case "spin" -> Options.defaults().singleOwner().spin(Duration.ofNanos(20_000));
            default -> Options.defaults();
        };
        EventQueue queue = EventQueue.open(options);
        kq = queue.fd();
        EV_SET(wake, 0, mine, EVFILT_USERMEM, EV_ANON, NOTE_TRIGGER, 1, null);
        EV_SET(changes, 0, mine, EVFILT_USERMEM, EV_ANON, NOTE_TRIGGER, 1, null);
        EV_SET(changes, 1, theirs, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        if (!style.oneShot) {
            EV_SET(events, 0, theirs, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
            kevent(kq, events, 1, null, 0, null);
        }
    }

    @Override
    public void run(int n) {
        for (int i = 0; i < n; i++) {
            exchange(++value);
        }
    }

    /** The side that answers. */
    Operation.Server pong() {
        return this::serve;
    }

    private void serve() {
        while (load32(theirs) == seen) {
            again();
        }
        seen = load32(theirs);
        for (;;) {
            exchange(seen);
        }
    }

    private void exchange(int newValue) {
        store32(mine, newValue);
        if (style.anon) {
            kevent(KQUEUE_FD_ANON, wake, 1, null, 0, null);
        }
        if (style.oneShot) {
            addTheirs();
            kevent(kq, style.anon ? events : changes, style.anon ? 1 : 2, events, 1, null);
        } else {
            kevent(kq, changes, style.anon ? 0 : 1, events, 1, null);
        }
        int now;
        while ((now = load32(theirs)) == seen) {
            again();
        }
        seen = now;
    }

    private void addTheirs() {
        KeventList list = style.anon ? events : changes;
        EV_SET(
                list, style.anon ? 0 : 1, theirs, EVFILT_USERMEM, EV_ADD | EV_ONESHOT, NOTE_USERMEM_INT, seen,
                null);
    }

    private void again() {
        if (style.oneShot) {
            EV_SET(events, 0, theirs, EVFILT_USERMEM, EV_ADD | EV_ONESHOT, NOTE_USERMEM_INT, seen, null);
        }
        kevent(kq, events, style.oneShot ? 1 : 0, events, 1, null);
    }
}
