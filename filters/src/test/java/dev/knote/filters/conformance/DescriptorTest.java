package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Descriptors that are closed, doubled and used again while they are watched. */
class DescriptorTest extends FdFixture {
    @ParameterizedTest
    @ValueSource(ints = {EVFILT_READ, EVFILT_WRITE})
    @DisplayName("FD-01 EV_ADD of fd -1 or of a closed number: EBADF")
    void fd01_noDescriptor(int filter) {
        int closed = pipe()[0];
        shut(closed);
        for (int fd : new int[] {-1, closed, Integer.MAX_VALUE, -100}) {
            assertErrno(Errno.EBADF, () -> change(fd, filter, EV_ADD));
            assertNoKnote(fd, filter);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 33, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, 0xffffffffL})
    @DisplayName("FD-02 an ident that is no int: EBADF, and no fd is taken for it")
    void fd02_identTooLarge(long ident) {
        assertErrno(Errno.EBADF, () -> change(ident, EVFILT_READ, EV_ADD));
        assertErrno(Errno.EBADF, () -> change(ident, EVFILT_WRITE, EV_ADD));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-03 the watched fd is closed: its knotes are gone, EV_DELETE fails")
    void fd03_close(Closing how) {
        for (int fd : new int[] {pipe()[0], socketpair(SOCK_STREAM)[0], udp(), file(3)}) {
            change(fd, EVFILT_READ, EV_ADD);
            change(fd, EVFILT_USER, EV_ADD);
            shut(fd, how);
            none();
            assertGone(fd, EVFILT_READ);
            change(fd, EVFILT_USER, EV_DELETE);
        }
        for (int fd : new int[] {pipe()[1], socketpair(SOCK_STREAM)[0], file(3)}) {
            change(fd, EVFILT_WRITE, EV_ADD);
            next();
            shut(fd, how);
            assertGone(fd, EVFILT_WRITE);
            none();
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-03 closed with its event pending: no event, also of a regular file and of a pipe at its end")
    void fd03_closeWhilePending(Closing how) {
        int[] pipe = pipe();
        int[] ended = pipe();
        int file = file(4);
        write(pipe[1], 4);
        shut(ended[1]);
        for (int fd : new int[] {pipe[0], ended[0], file}) {
            change(fd, EVFILT_READ, EV_ADD);
            assertEquals(1, events(kq, 8, LONG).size());
            shut(fd, how);
            none();
            assertGone(fd, EVFILT_READ);
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-04 closed while a dup is open, then data comes: no event for the number that was closed")
    void fd04_closeWithDupOpen(Closing how) {
        int[] pipe = pipe();
        int twin = twin(pipe[0]);
        change(pipe[0], EVFILT_READ, EV_ADD);
        none();
        shut(pipe[0], how);
        write(pipe[1], 3);
        none();
        none();
        change(twin, EVFILT_READ, EV_ADD);
        assertEquals(twin, next().ident());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-06 closed, the number used again, EV_ADD: the new file is watched, and the old one is not")
    void fd06_reusedLevel(Closing how) {
        reuse(how, 0, true);
        reuse(how, 0, false);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-07 closed, the number used again, EV_ADD|EV_CLEAR: the new file is watched")
    void fd07_reusedClear(Closing how) {
        reuse(how, EV_CLEAR, true);
        reuse(how, EV_CLEAR, false);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-06 the number used again by a file of another kind: pipe, file, socket, in turn")
    void fd06_reusedByAnotherKind(Closing how) {
        int[] pipe = pipe();
        int number = pipe[0];
        change(number, EVFILT_READ, EV_ADD, 0, 0, "pipe");
        int file = file(5);
        shut(number, how);
        assertEquals(number, keep(must("dup", file)));
        change(number, EVFILT_READ, EV_ADD, 0, 0, "file");
        Ev event = next();
        assertEquals("file", event.udata());
        assertEquals(5, event.data());
        int[] pair = socketpair(SOCK_STREAM);
        shut(number, how);
        assertEquals(number, keep(must("dup", pair[0])));
        change(number, EVFILT_READ, EV_ADD, 0, 0, "socket");
        none();
        write(pair[1], 2);
        assertEquals("socket", next().udata());
    }

    @Test
    @DisplayName("FD-06 closed behind the queue's back, the number used again: no event of the new file until EV_ADD")
    void fd06_noEventOfTheNewFile() {
        int[] old = pipe();
        int number = old[0];
        change(number, EVFILT_READ, EV_ADD);
        for (int bytes = 1; bytes <= 2; bytes++) { // the edge of the second comes when it has been reported
            write(old[1], 1);
            assertEquals(bytes, next().data());
        }
        int[] pipe = pipe();
        write(pipe[1], 2);
        shut(number);
        assertEquals(number, keep(must("dup", pipe[0])));
        none();
        assertGone(number, EVFILT_READ);
    }

    @Test
    @DisplayName("FD-08 two numbers of one open file: an event for each; deleting one leaves the other")
    void fd08_twoNumbers() {
        int[] pipe = pipe();
        int twin = twin(pipe[0]);
        change(pipe[0], EVFILT_READ, EV_ADD);
        change(twin, EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        List<Ev> events = events(kq, 8, LONG);
        assertEquals(2, events.size(), events::toString);
        assertNotEquals(events.get(0).ident(), events.get(1).ident());
        change(pipe[0], EVFILT_READ, EV_DELETE);
        assertEquals(twin, next().ident());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("FD-09 a watched file's fd is closed, then the file is written by another fd: no event")
    void fd09_fileWrittenAfterClose(Closing how) {
        int file = file(3);
        int writer = keep(open(pathOf(file).toString(), O_WRONLY));
        seek(file, 3);
        change(file, EVFILT_READ, EV_ADD);
        none();
        shut(file, how);
        write(writer, 10);
        none();
        assertGone(file, EVFILT_READ);
    }

    @Test
    @DisplayName("FD-11 a queue is closed with knotes of every filter: at once, and it is gone")
    void fd11_closeWithKnotes() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_READ, EV_ADD);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        change(file(2), EVFILT_READ, EV_ADD);
        change(1, EVFILT_TIMER, EV_ADD, 0, 5, null);
        change(1, EVFILT_USER, EV_ADD);
        closeQueue(kq);
        assertErrno(Errno.EBADF, () -> change(1, EVFILT_USER, EV_DELETE));
        assertErrno(Errno.EBADF, () -> Kqueue.close(kq));
    }

    @Test
    @DisplayName("FD-13 a queue is closed, a new one made: it may have the number, but no old knotes")
    void fd13_closeAndMake() {
        change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        closeQueue(kq);
        int again = newQueue();
        noneIn(again);
        assertErrno(Errno.ENOENT, () -> changeIn(again, 1, EVFILT_USER, EV_DELETE));
    }

    @Test
    @DisplayName("FD-14 kevent() on a dup of the queue works as on the queue")
    void fd14_dup() {
        int twin = keep(Kqueue.dup(kq));
        assertNotEquals(kq, twin);
        changeIn(twin, 1, EVFILT_USER, EV_ADD);
        change(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
        assertEquals(1, nextIn(twin).ident());
        assertEquals(1, next().ident());
        shut(twin, Closing.KNOTE);
        assertErrno(Errno.EBADF, () -> changeIn(twin, 1, EVFILT_USER, EV_DELETE));
        assertEquals(1, next().ident());
    }

    @Test
    @DisplayName("FD-15 the queue's fd is closed while a dup is open: the queue lives on by the dup alone")
    void fd15_closeWithDupOpen() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        int twin = Kqueue.dup(kq);
        closeQueue(kq);
        assertErrno(Errno.EBADF, () -> change(1, EVFILT_USER, EV_ADD));
        write(pipe[1], 1);
        assertEquals(pipe[0], nextIn(twin).ident());
        int third = Kqueue.dup(twin);
        Kqueue.close(twin);
        assertEquals(pipe[0], nextIn(third).ident());
        Kqueue.close(third);
        assertErrno(Errno.EBADF, () -> changeIn(third, 1, EVFILT_USER, EV_ADD));
    }

    @Test
    @DisplayName("FD-24 write(2) to a queue's fd by mistake fails and does no harm")
    void fd24_writeToQueue() {
        assertEquals(-Errno.EINVAL, Libc.write(kq, 8));
        change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        next();
    }

    /** Closes a watched fd, has its number used by the end of another pipe, and watches that. */
    private void reuse(Closing how, int flags, boolean twinStaysOpen) {
        int[] old = pipe();
        int[] pipe = pipe();
        int number = old[0];
        if (twinStaysOpen) {
            twin(number);
        }
        change(number, EVFILT_READ, EV_ADD | flags, 0, 0, "old");
        shut(number, how);
        assertEquals(number, keep(must("dup", pipe[0])), "the lowest number that is free");
        change(number, EVFILT_READ, EV_ADD | flags, 0, 0, "new");
        none();
        Libc.write(old[1], 1);
        none();
        write(pipe[1], 2);
        Ev event = next();
        assertEquals("new", event.udata());
        assertEquals(2, event.data());
        assertEquals(flags, event.flags());
        assertEquals(flags == 0 ? 1 : 0, events(kq, 8, SHORT).size());
        change(number, EVFILT_READ, EV_DELETE);
        assertFalse(within(SHORT, () -> !events(kq, 8, SHORT).isEmpty()));
    }

    private void assertGone(int fd, int filter) {
        KeventException e = assertThrows(KeventException.class, () -> change(fd, filter, EV_DELETE));
        assertTrue(e.errno() == Errno.ENOENT || e.errno() == Errno.EBADF, e.getMessage());
    }
}
