package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.junit.jupiter.api.function.Executable;

/** A queue by its C face, with the few calls that tests of words make of it. */
final class Queue implements AutoCloseable {
    /** How long to wait for what must come. */
    static final Duration LONG = Duration.ofSeconds(10);

    /** How long to wait for what must not come. */
    static final Duration SHORT = Duration.ofMillis(15);

    final int kq = Kqueue.kqueue();
    final KeventList list = KeventList.allocate(64);
    private boolean closed;

    /** Waits for {@code word}, which is expected to hold {@link Width#VALUE}. */
    void add(MemorySegment word, Width width) {
        add(word, width, 0);
    }

    void add(MemorySegment word, Width width, int flags) {
        change(word, EV_ADD | flags, width.fflags, Width.VALUE);
    }

    void change(MemorySegment word, int flags, int fflags, long data) {
        list.set(0, word, EVFILT_USERMEM, flags, fflags, data, null);
        assertEquals(0, Kqueue.kevent(kq, list, 1, null, 0, null));
    }

    /** A wake posted through this queue. */
    void wake(MemorySegment word, long count) {
        change(word, EV_ANON, NOTE_TRIGGER, count);
    }

    /** Waits for events; how many came. */
    int poll(Duration timeout) {
        return Kqueue.kevent(kq, null, 0, list, list.size(), timeout);
    }

    /** One event must come, for {@code word}; returns its data. */
    long await(MemorySegment word) {
        assertEquals(1, poll(LONG), "events");
        assertEquals(word.address(), list.ident(0), "the event's ident");
        assertEquals(EVFILT_USERMEM, list.filter(0), "the event's filter");
        assertEquals(0, list.flags(0) & EV_ERROR, "EV_ERROR, data " + list.data(0));
        return list.data(0);
    }

    void assertQuiet() {
        assertEquals(0, poll(SHORT), "no event");
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Kqueue.close(kq);
        }
    }

    /** The wake that is a system-wide one, without any queue. */
    static void anonWake(MemorySegment word, long count, int fflags) {
        KeventList change = KeventList.allocate(1);
        change.set(0, word, EVFILT_USERMEM, 0, NOTE_TRIGGER | fflags, count, null);
        assertEquals(0, Kqueue.kevent(Kqueue.KQUEUE_FD_ANON, change, 1, null, 0, null));
    }

    static void assertErrno(int errno, Executable call) {
        KeventException e = assertThrows(KeventException.class, call);
        assertEquals(errno, e.errno(), e.getMessage());
    }
}
