package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.filters.conformance.Libc.AF_INET;
import static dev.knote.filters.conformance.Libc.SOCK_DGRAM;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A queue with several names, which are closed in any order, and more than once. */
class QueueNamesTest extends FdFixture {
    @Test
    @DisplayName("FD-15 a name closed twice is EBADF the second time, and takes nothing from the other name")
    void fd15_closedTwice() {
        int twin = Kqueue.dup(kq);
        closeQueue(kq);
        assertErrno(Errno.EBADF, () -> Kqueue.close(kq));
        assertErrno(Errno.EBADF, () -> Kqueue.dup(kq));
        int[] pipe = pipe();
        changeIn(twin, pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        assertEquals(pipe[0], nextIn(twin).ident());
        Kqueue.close(twin);
        assertErrno(Errno.EBADF, () -> Kqueue.close(twin));
    }

    @Test
    @DisplayName("FD-15 a name that was closed is no descriptor for other queues either")
    void fd15_closedNameAsIdent() {
        int other = newQueue();
        int twin = Kqueue.dup(kq);
        changeIn(other, kq, EVFILT_READ, EV_ADD);
        changeIn(other, twin, EVFILT_READ, EV_ADD);
        closeQueue(kq);
        assertErrno(Errno.EBADF, () -> changeIn(other, kq, EVFILT_READ, EV_ADD));
        changeIn(twin, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(twin, nextIn(other).ident(), "the name that is left");
        Kqueue.close(twin);
        noneIn(other);
    }

    @ParameterizedTest
    @ValueSource(strings = {"012", "021", "102", "120", "201", "210"})
    @DisplayName("FD-15 three names, closed in every order: the last one ends the queue, nothing stays open")
    void fd15_everyOrder(String order) {
        int second = Kqueue.dup(kq);
        int[] names = {kq, second, Kqueue.dup(second)};
        changeIn(kq, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        for (int i = 0; i < 3; i++) {
            int name = names[order.charAt(i) - '0'];
            assertEquals(1, nextIn(name).ident());
            Kqueue.close(name);
            assertErrno(Errno.EBADF, () -> events(name, 1, SHORT));
            assertErrno(Errno.EBADF, () -> Kqueue.close(name));
        }
        assertTrue(OpenFds.numbers().stream().noneMatch(fd -> fd == names[0] || fd == names[1]));
    }

    @Test
    @DisplayName("FD-15 one name closed by two threads at once is closed once; the queue lives on by the other")
    void fd15_closedAtOnce() throws Exception {
        for (int round = 0; round < 200; round++) {
            int name = Kqueue.kqueue();
            int twin = Kqueue.dup(name);
            var together = new CyclicBarrier(2);
            var closers = List.of(closer(name, together), closer(name, together));
            int closed = result(closers.get(0)) + result(closers.get(1));
            assertEquals(1, closed, "times that it was closed");
            changeIn(twin, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
            assertEquals(1, nextIn(twin).ident());
            Kqueue.close(twin);
        }
    }

    private static FutureTask<Integer> closer(int name, CyclicBarrier together) {
        FutureTask<Integer> task = new FutureTask<>(() -> {
            together.await();
            try {
                Kqueue.close(name);
                return 1;
            } catch (KeventException e) {
                assertEquals(Errno.EBADF, e.errno());
                return 0;
            }
        });
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    @Test
    @DisplayName("FD-15 when the queue has ended, its numbers are free for others")
    void fd15_numbersAreFree() {
        int twin = Kqueue.dup(kq);
        closeQueue(kq);
        Kqueue.close(twin);
        int fd = socket(AF_INET, SOCK_DGRAM);
        int other = newQueue();
        changeIn(other, fd, EVFILT_READ, EV_ADD);
        shut(fd, Closing.KNOTE);
        assertErrno(Errno.EBADF, () -> changeIn(other, fd, EVFILT_READ, EV_ADD));
    }
}
