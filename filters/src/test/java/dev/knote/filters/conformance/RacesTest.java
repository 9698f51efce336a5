package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_WRITE;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.filters.conformance.Kq.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Changes while others wait: no crash, no hang, no event of what is not there. */
@Timeout(60)
class RacesTest {
    private static final int WAITERS = 4;
    private static final int ROUNDS = 200;
    private static final long END = 1_000_000;

    private final Kq kq = new Kq();
    private final AtomicLong events = new AtomicLong();

    @AfterEach
    void close() {
        kq.close();
    }

    /** Waiters that count events, each of which has to be of this filter and ident, until a level event END. */
    private Callers<Integer> waiters(int n, int filter, LongPredicate ident, Duration timeout) {
        return Callers.start(n, () -> {
            var list = KeventList.allocate(4);
            for (int calls = 1;; calls++) {
                for (Kq.Event event : Kq.list(list, kevent(kq.fd(), null, 0, list, 4, timeout))) {
                    if (event.ident() == END) {
                        return calls;
                    }
                    assertEquals(filter, event.filter());
                    assertTrue(ident.test(event.ident()) && !event.has(EV_ERROR), event::toString);
                    events.incrementAndGet();
                }
            }
        });
    }

    private Callers<Integer> waiters(int filter, long ident) {
        return waiters(WAITERS, filter, got -> got == ident, LONG).awaitBlocked();
    }

    /** The waiters are alive, and nothing is left. */
    private void finish(Callers<Integer> waiters) {
        kq.user(END, EV_ADD, NOTE_TRIGGER);
        waiters.results();
        assertTrue(kq.delete(END, EVFILT_USER));
        kq.assertQuiet();
    }

    @Test
    @DisplayName("RACE-01 4 waiters, 200 rounds of USER add with trigger, then delete")
    void race01_user() {
        try (var waiters = waiters(EVFILT_USER, 1)) {
            var list = KeventList.allocate(2)
                    .set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, null)
                    .set(1, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
            for (int i = 0; i < ROUNDS; i++) {
                assertEquals(0, kevent(kq.fd(), list, 2, null, 0, null));
                assertTrue(kq.delete(1, EVFILT_USER));
            }
            finish(waiters);
        }
        assertTrue(events.get() <= ROUNDS, () -> events + " events");
    }

    @Test
    @DisplayName("RACE-03 4 waiters, 200 rounds of a TIMER of 1 ms: each is either an event or deleted")
    void race03_timer() {
        int deleted = 0;
        try (var waiters = waiters(EVFILT_TIMER, 1); var pause = new Kq()) {
            for (int i = 0; i < ROUNDS; i++) {
                kq.change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1, null);
                pause.events(Duration.ofNanos(900_000 + i * 1_000L));
                deleted += kq.delete(1, EVFILT_TIMER) ? 1 : 0;
            }
            finish(waiters);
        }
        assertEquals(ROUNDS, events.get() + deleted, deleted + " deleted");
    }

    @Test
    @DisplayName("RACE-07 4 waiters, 200 rounds of READ add, write, delete, drain")
    void race07_read() {
        try (var pipe = new Pipe(); var waiters = waiters(EVFILT_READ, pipe.reader())) {
            for (int i = 0; i < ROUNDS; i++) {
                kq.change(pipe.reader(), EVFILT_READ, EV_ADD);
                pipe.write(1);
                assertTrue(kq.delete(pipe.reader(), EVFILT_READ));
                assertEquals(1, pipe.drain());
            }
            finish(waiters);
        }
    }

    @Test
    @DisplayName("RACE-08 4 waiters, 200 rounds of WRITE add, delete")
    void race08_write() {
        try (var pipe = new Pipe(); var waiters = waiters(EVFILT_WRITE, pipe.writer())) {
            for (int i = 0; i < ROUNDS; i++) {
                kq.change(pipe.writer(), EVFILT_WRITE, EV_ADD);
                assertTrue(kq.delete(pipe.writer(), EVFILT_WRITE));
            }
            finish(waiters);
        }
    }

    @Test
    @DisplayName("RACE-09 4 threads, 2000 cycles of pipe, READ add, delete, close, while a thread polls")
    void race09_pipes() {
        try (var waiter = waiters(1, 0, got -> false, Duration.ofNanos(100_000));
                var threads = Callers.start(4, () -> {
                    for (int i = 0; i < 2000; i++) {
                        try (var pipe = new Pipe()) {
                            kq.change(pipe.reader(), EVFILT_READ, EV_ADD);
                            assertTrue(kq.delete(pipe.reader(), EVFILT_READ));
                        }
                    }
                    return null;
                })) {
            threads.results();
            finish(waiter);
        }
        assertEquals(0, events.get());
    }

    @Test
    @DisplayName("RACE-10 4 threads add, trigger, delete 8 USER idents for 200 ms while another polls")
    void race10_sharedIdents() {
        long end = System.nanoTime() + 200_000_000;
        long last = end + LONG.toNanos();
        try (var waiter = waiters(1, EVFILT_USER, got -> got >= 0 && got < 8, LONG);
                var threads = Callers.start(4, () -> {
                    for (int i = 0; System.nanoTime() < (events.get() == 0 ? last : end); i++) {
                        anyChange(i % 8);
                    }
                    return null;
                })) {
            threads.results();
            deleteAll(8);
            finish(waiter);
        }
        assertTrue(events.get() > 0);
    }

    @Test
    @DisplayName("RACE-13 4 threads, 200 rounds of add, trigger, delete over 16 idents, with a draining thread")
    void race13_drained() {
        var done = new AtomicBoolean();
        try (var drainer = Callers.start(() -> {
            long drained = 0;
            while (!done.get()) {
                drained += kq.events(Duration.ofMillis(1)).size();
            }
            return drained;
        });
                var threads = Callers.start(4, () -> {
                    long triggered = 0;
                    for (int i = 0; i < ROUNDS; i++) {
                        for (int ident = 0; ident < 16; ident++) {
                            triggered += anyChange(ident);
                        }
                    }
                    return triggered;
                })) {
            long triggered = threads.results().stream().mapToLong(Long::longValue).sum();
            deleteAll(16);
            done.set(true);
            long drained = drainer.result();
            assertTrue(drained <= triggered, () -> drained + " events of " + triggered + " triggers");
            kq.assertQuiet();
        }
    }

    /** Add, trigger or delete; another thread may have deleted the knote before. How many triggers that was. */
    private int anyChange(long ident) {
        try {
            switch (ThreadLocalRandom.current().nextInt(3)) {
                case 0 -> kq.addUser(ident);
                case 1 -> {
                    kq.trigger(ident);
                    return 1;
                }
                default -> kq.delete(ident, EVFILT_USER);
            }
        } catch (KeventException e) {
            assertEquals(Errno.ENOENT, e.errno(), e::getMessage);
        }
        return 0;
    }

    private void deleteAll(int idents) {
        for (int ident = 0; ident < idents; ident++) {
            kq.delete(ident, EVFILT_USER);
        }
    }
}
