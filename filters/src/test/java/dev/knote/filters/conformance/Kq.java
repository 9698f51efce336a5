package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.Kqueue.kqueue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.function.Executable;

/** A queue by its C face, with one-liners for what tests do all the time. */
public final class Kq implements AutoCloseable {
    public static final Duration NOW = Duration.ZERO;
    /** For what has to happen: a test that needs it has failed. */
    public static final Duration LONG = Duration.ofSeconds(20);

    private static final int MOST = 64;

    private final int fd = kqueue();
    private boolean closed;

    /** One entry of an eventlist. */
    public record Event(long ident, int filter, int flags, int fflags, long data, Object udata) {
        public boolean has(int flag) {
            return (flags & flag) != 0;
        }
    }

    public int fd() {
        return fd;
    }

    /** One change, in a call without an eventlist. */
    public void change(long ident, int filter, int flags, int fflags, long data, Object udata) {
        var list = KeventList.allocate(1).set(0, ident, filter, flags, fflags, data, udata);
        assertEquals(0, kevent(fd, list, 1, null, 0, null));
    }

    public void change(long ident, int filter, int flags) {
        change(ident, filter, flags, 0, 0, null);
    }

    public void user(long ident, int flags) {
        change(ident, EVFILT_USER, flags, 0, 0, null);
    }

    public void user(long ident, int flags, int fflags) {
        change(ident, EVFILT_USER, flags, fflags, 0, null);
    }

    /** EV_ADD with EV_CLEAR. */
    public void addUser(long ident) {
        user(ident, EV_ADD | EV_CLEAR);
    }

    public void trigger(long ident) {
        user(ident, 0, NOTE_TRIGGER);
    }

    /** What a call with these changes, at most 64 events and this timeout returns. */
    public List<Event> call(KeventList changes, Duration timeout) {
        var events = KeventList.allocate(MOST);
        int nchanges = changes == null ? 0 : changes.size();
        return list(events, kevent(fd, changes, nchanges, events, MOST, timeout));
    }

    public List<Event> events(Duration timeout) {
        return call(null, timeout);
    }

    /** The idents of what is pending. */
    public List<Long> pending() {
        return events(NOW).stream().map(Event::ident).toList();
    }

    /** The one event there is, or that comes. */
    public Event one() {
        List<Event> events = events(LONG);
        assertEquals(1, events.size(), events::toString);
        return events.getFirst();
    }

    public void assertQuiet() {
        assertEquals(List.of(), events(NOW));
    }

    /** Whether EV_DELETE finds the knote, which is then gone. */
    public boolean delete(long ident, int filter) {
        try {
            change(ident, filter, Kqueue.EV_DELETE);
            return true;
        } catch (KeventException e) {
            if (e.errno() == Errno.ENOENT) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Kqueue.close(fd);
        }
    }

    public static List<Event> list(KeventList events, int n) {
        List<Event> list = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            list.add(new Event(events.ident(i), events.filter(i), events.flags(i), events.fflags(i),
                    events.data(i), events.udata(i)));
        }
        return list;
    }

    public static void expectErrno(int errno, Executable call) {
        var thrown = assertThrows(KeventException.class, call);
        assertEquals(Errno.name(errno), Errno.name(thrown.errno()), thrown::getMessage);
    }

    /** Waits for what has to become true, without an event that tells. */
    public static void await(String what, BooleanSupplier condition) {
        await(what, condition, () -> "");
    }

    /** As {@link #await(String, BooleanSupplier)}; what is instead is said if that fails. */
    static void await(String what, BooleanSupplier condition, Supplier<String> instead) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                fail("waited in vain: " + what + ". " + instead.get());
            }
            Thread.onSpinWait();
            Thread.yield();
        }
    }
}
