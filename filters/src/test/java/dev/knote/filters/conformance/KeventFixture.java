package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** A queue for each test, short forms of kevent(2), and a count of the descriptors that a test class left open. */
@Timeout(60)
abstract class KeventFixture {
    /** For what happens: as long as the slowest machine may need. */
    static final Duration LONG = Duration.ofSeconds(5);
    /** For what does not happen. */
    static final Duration SHORT = Duration.ofMillis(30);

    private static final KeventList NONE = KeventList.allocate(0);
    private static List<String> openBefore;

    int kq;
    private final List<Integer> queues = new ArrayList<>();
    private final List<Runnable> ends = new ArrayList<>();

    /** An event as it was returned. */
    record Ev(long ident, int filter, int flags, int fflags, long data, Object udata) {
        boolean has(int bits) {
            return (flags & bits) == bits;
        }
    }

    @BeforeAll
    static void noteOpenFds() {
        Kqueue.close(kqueue());
        openBefore = OpenFds.list();
    }

    @AfterAll
    static void nothingStaysOpen() {
        OpenFds.awaitNoneBut(openBefore);
    }

    @BeforeEach
    void makeQueue() {
        kq = newQueue();
    }

    @AfterEach
    void closeQueues() {
        for (int queue : queues) {
            if (Libc.call("fcntl", queue, 1) >= 0) {
                try {
                    Kqueue.close(queue);
                } catch (KeventException e) {
                    assertEquals(Errno.EBADF, e.errno());
                }
            }
        }
        ends.forEach(Runnable::run);
    }

    /** Runs it when the test has ended. */
    void atEnd(Runnable end) {
        ends.add(end);
    }

    int newQueue() {
        int queue = kqueue();
        queues.add(queue);
        return queue;
    }

    /** The queue was closed by the test: its number may be somebody else's by now. */
    void closeQueue(int queue) {
        queues.remove((Integer) queue);
        Kqueue.close(queue);
    }

    static void changeIn(int queue, long ident, int filter, int flags, int fflags, long data, Object udata) {
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, ident, filter, flags, fflags, data, udata);
        assertEquals(0, kevent(queue, list, 1, null, 0, null));
    }

    static void changeIn(int queue, long ident, int filter, int flags) {
        changeIn(queue, ident, filter, flags, 0, 0, null);
    }

    void change(long ident, int filter, int flags, int fflags, long data, Object udata) {
        changeIn(kq, ident, filter, flags, fflags, data, udata);
    }

    void change(long ident, int filter, int flags) {
        changeIn(kq, ident, filter, flags, 0, 0, null);
    }

    static List<Ev> events(int queue, int most, Duration timeout) {
        KeventList list = KeventList.allocate(most);
        int n = kevent(queue, NONE, 0, list, most, timeout);
        return copy(list, n);
    }

    static List<Ev> copy(KeventList list, int n) {
        List<Ev> events = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            events.add(new Ev(list.ident(i), list.filter(i), list.flags(i), list.fflags(i), list.data(i),
                    list.udata(i)));
        }
        return events;
    }

    /** Waits for an event, which must be the only one. */
    static Ev nextIn(int queue) {
        List<Ev> events = events(queue, 8, LONG);
        assertEquals(1, events.size(), () -> "one event: " + events);
        return events.getFirst();
    }

    Ev next() {
        return nextIn(kq);
    }

    static void noneIn(int queue) {
        assertEquals(List.of(), events(queue, 8, SHORT));
    }

    void none() {
        noneIn(kq);
    }

    void assertNoKnote(long ident, int filter) {
        assertErrno(Errno.ENOENT, () -> change(ident, filter, EV_DELETE));
    }

    static void assertErrno(int errno, Executable call) {
        KeventException e = assertThrows(KeventException.class, call);
        assertEquals(Errno.name(errno), Errno.name(e.errno()), e.getMessage());
    }

    static boolean within(Duration time, BooleanSupplier condition) {
        long end = System.nanoTime() + time.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(1_000_000);
        }
        return true;
    }

    static void passes(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        within(time.plus(LONG), () -> System.nanoTime() - end >= 0);
    }

    /** Runs it on another thread, and gives that a moment to fall asleep; tests hold if it takes longer. */
    static <T> FutureTask<T> inBackground(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "background");
        thread.setDaemon(true);
        thread.start();
        passes(SHORT);
        return task;
    }

    static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(LONG.toMillis(), TimeUnit.MILLISECONDS);
    }
}
