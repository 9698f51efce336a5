package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** EVFILT_READ: how events are delivered, shown on pipes and pairs of sockets. */
class ReadTest extends FdFixture {
    @Test
    @DisplayName("READ-02 a change without EV_ADD of an fd that is not registered: ENOENT, and no knote")
    void read02_changeWithoutAdd() {
        int[] pipe = pipe();
        write(pipe[1], 1);
        assertErrno(Errno.ENOENT, () -> change(pipe[0], EVFILT_READ, 0));
        assertErrno(Errno.ENOENT, () -> change(pipe[0], EVFILT_READ, EV_ENABLE));
        none();
    }

    @Test
    @DisplayName("READ-04 EV_ONESHOT: one event, none for later data, no knote left")
    void read04_oneShot() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_ONESHOT);
        write(pipe[1], 1);
        assertTrue(next().has(EV_ONESHOT));
        write(pipe[1], 1);
        none();
        assertNoKnote(pipe[0], EVFILT_READ);
    }

    @Test
    @DisplayName("READ-05 EV_CLEAR: 2 bytes are data 2, once; reading one byte is no event; new data is")
    void read05_clear() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(pipe[1], 2);
        assertEquals(2, next().data());
        none();
        read(pipe[0], 1);
        none();
        write(pipe[1], 4);
        assertEquals(5, next().data());
    }

    @Test
    @DisplayName("READ-07 EV_DISPATCH: one event, none until EV_ENABLE, then again while there is data")
    void read07_dispatch() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_DISPATCH);
        write(pipe[1], 3);
        assertEquals(3, next().data());
        write(pipe[1], 1);
        none();
        change(pipe[0], EVFILT_READ, EV_ENABLE);
        assertEquals(4, next().data());
        drain(pipe[0]);
        change(pipe[0], EVFILT_READ, EV_ENABLE);
        none();
    }

    @Test
    @DisplayName("READ-08 EV_DISABLE, then data: no event; EV_ENABLE: the event with the data")
    void read08_disabledThenEnabled() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        change(pipe[0], EVFILT_READ, EV_DISABLE);
        write(pipe[1], 6);
        none();
        change(pipe[0], EVFILT_READ, EV_ENABLE);
        assertEquals(6, next().data());
    }

    @Test
    @DisplayName("READ-09 data, then EV_DISABLE before the event is retrieved: no event")
    void read09_dataThenDisable() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        change(pipe[0], EVFILT_READ, EV_DISABLE);
        none();
    }

    @Test
    @DisplayName("READ-10 data, then EV_DELETE before the event is retrieved: no event")
    void read10_dataThenDelete() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        change(pipe[0], EVFILT_READ, EV_DELETE);
        none();
    }

    @Test
    @DisplayName("READ-11 EV_CLEAR, reported: EV_DISABLE and EV_ENABLE report what is still there again")
    void read11_clearEnableAgain() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(pipe[1], 2);
        next();
        change(pipe[0], EVFILT_READ, EV_DISABLE);
        none();
        change(pipe[0], EVFILT_READ, EV_ENABLE);
        assertEquals(2, next().data());
        none();
    }

    @Test
    @DisplayName("READ-12 EV_CLEAR, reported: EV_ADD|EV_CLEAR again reports what is still there again")
    void read12_clearAddAgain() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(pipe[1], 2);
        next();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        assertEquals(2, next().data());
        none();
    }

    @Test
    @DisplayName("READ-13 EV_ADD again on a pipe and a socket: no error, udata and mark replaced")
    void read13_addAgain() {
        for (int[] pair : List.of(pipe(), socketpair(Libc.SOCK_STREAM))) {
            change(pair[0], EVFILT_READ, EV_ADD, 0, 0, "first");
            change(pair[0], EVFILT_READ, EV_ADD, NOTE_LOWAT, 3, "second");
            write(pair[1], 2);
            none();
            write(pair[1], 1);
            assertEquals("second", next().udata());
            change(pair[0], EVFILT_READ, EV_DELETE);
        }
    }

    @Test
    @DisplayName("READ-14 EV_ADD|EV_CLEAR again with other udata: the event carries the new one")
    void read14_newUdata() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, "first");
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, "second");
        write(pipe[1], 1);
        assertEquals("second", next().udata());
    }

    @ParameterizedTest
    @ValueSource(ints = {EV_ADD | EV_CLEAR, EV_ENABLE})
    @DisplayName("READ-14, WRITE-09 an EV_CLEAR knote that is changed before its event is retrieved: one event, with the new udata")
    void read14_changedBeforeRetrieval(int flags) {
        int file = file(3);
        int[] pipe = pipe();
        write(pipe[1], 3);
        for (int fd : new int[] {pipe[0], file}) {
            changedBeforeRetrieval(fd, EVFILT_READ, flags);
        }
        for (int fd : new int[] {pipe[1], socketpair(Libc.SOCK_STREAM)[0]}) {
            changedBeforeRetrieval(fd, EVFILT_WRITE, flags);
        }
    }

    private void changedBeforeRetrieval(int fd, int filter, int flags) {
        change(fd, filter, EV_ADD | EV_CLEAR, 0, 0, "first");
        change(fd, filter, flags, 0, 0, "second");
        assertEquals("second", next().udata());
        none();
        change(fd, filter, EV_DELETE);
    }

    @Test
    @DisplayName("READ-15 EV_CLEAR in a later EV_ADD does not change a level-triggered knote")
    void read15_staysLevel() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(pipe[1], 1);
        assertFalse(next().has(EV_CLEAR));
        assertEquals(1, next().data());
    }

    @Test
    @DisplayName("READ-17 EV_ADD of an fd that has data: an event on the next call")
    void read17_initialData() {
        int[] pipe = pipe();
        write(pipe[1], 7);
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        List<Ev> events = events(kq, 8, Duration.ZERO);
        assertEquals(List.of(new Ev(pipe[0], EVFILT_READ, EV_CLEAR, 0, 7, null)), events);
    }

    @Test
    @DisplayName("READ-35 a pipe: two writes of 11 before the call are one event with data 22")
    void read35_writesAggregate() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 11);
        write(pipe[1], 11);
        assertEquals(22, next().data());
    }

    @Test
    @DisplayName("READ-37 two pipes whose writers are closed: 2 events in one call, and in the next")
    void read37_twoWritersClosed() {
        int[] a = pipe();
        int[] b = pipe();
        change(a[0], EVFILT_READ, EV_ADD);
        change(b[0], EVFILT_READ, EV_ADD);
        shut(a[1]);
        shut(b[1]);
        for (int round = 0; round < 2; round++) {
            List<Ev> events = events(kq, 8, LONG);
            assertEquals(2, events.size(), events::toString);
            assertTrue(events.stream().allMatch(event -> event.has(EV_EOF) && event.data() == 0));
        }
    }

    @Test
    @DisplayName("READ-39 a FIFO at its end: with a new writer EV_EOF goes away, new data is a normal event")
    void read39_fifoReopened() {
        String path = newPath();
        Libc.mkfifo(path);
        int reader = keep(Libc.open(path, Libc.O_NONBLOCK));
        int writer = keep(Libc.open(path, Libc.O_WRONLY | Libc.O_NONBLOCK));
        change(reader, EVFILT_READ, EV_ADD);
        none();
        shut(writer);
        assertTrue(next().has(EV_EOF));
        int another = keep(Libc.open(path, Libc.O_WRONLY | Libc.O_NONBLOCK));
        none();
        write(another, 4);
        Ev event = next();
        assertFalse(event.has(EV_EOF));
        assertEquals(4, event.data());
    }

    @Test
    @DisplayName("READ-48 NOTE_LOWAT in two queues with different marks: each has its own")
    void read48_marksOfTwoQueues() {
        int other = newQueue();
        int[] pair = socketpair(Libc.SOCK_STREAM);
        change(pair[0], EVFILT_READ, EV_ADD, NOTE_LOWAT, 2, null);
        changeIn(other, pair[0], EVFILT_READ, EV_ADD, NOTE_LOWAT, 5, null);
        write(pair[1], 3);
        assertEquals(3, next().data());
        noneIn(other);
        changeIn(kq, pair[0], EVFILT_READ, EV_DELETE);
        noneIn(other);
        write(pair[1], 2);
        assertEquals(5, nextIn(other).data());
    }

    @Test
    @DisplayName("READ-49 NOTE_LOWAT of a pipe: 3 of 10 bytes are no event, 10 are, and so is the end")
    void read49_markOfPipe() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD, NOTE_LOWAT, 10, null);
        write(pipe[1], 3);
        none();
        write(pipe[1], 7);
        assertEquals(10, next().data());
        read(pipe[0], 6);
        none();
        shut(pipe[1]);
        Ev end = next();
        assertTrue(end.has(EV_EOF));
        assertEquals(4, end.data());
    }

    @Test
    @DisplayName("READ-50 two queues, one fd: both fire; one is level triggered, one EV_CLEAR")
    void read50_twoQueues() {
        int other = newQueue();
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        changeIn(other, pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(pipe[1], 1);
        assertEquals(1, next().data());
        assertEquals(1, nextIn(other).data());
        assertEquals(1, next().data());
        noneIn(other);
    }

    @Test
    @DisplayName("READ-51 READ and WRITE of one fd, both ready: two events, READ first")
    void read51_readAndWrite() {
        int[] pair = readable();
        change(pair[0], EVFILT_READ, EV_ADD);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        assertEquals(List.of(EVFILT_READ, EVFILT_WRITE), filters(events(kq, 2, LONG)));
    }

    @Test
    @DisplayName("READ-53 READ and WRITE, both EV_CLEAR, room for one event: READ, then WRITE on the next call")
    void read53_oneAtATime() {
        int[] pair = readable();
        change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertEquals(List.of(EVFILT_READ), filters(events(kq, 1, LONG)));
        assertEquals(List.of(EVFILT_WRITE), filters(events(kq, 1, LONG)));
        none();
    }

    @Test
    @DisplayName("READ-55 READ by level and WRITE by EV_CLEAR: READ repeats, WRITE comes once")
    void read55_levelAndClear() {
        int[] pair = readable();
        change(pair[0], EVFILT_READ, EV_ADD);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertEquals(2, events(kq, 8, LONG).size());
        assertEquals(EVFILT_READ, next().filter());
        assertEquals(EVFILT_READ, next().filter());
    }

    @Test
    @DisplayName("READ-56 READ by EV_CLEAR; WRITE added and deleted; data: one event")
    void read56_writeAddedAndDeleted() {
        int[] pair = socketpair(Libc.SOCK_STREAM);
        change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        change(pair[0], EVFILT_WRITE, EV_DELETE);
        write(pair[1], 1);
        assertEquals(EVFILT_READ, next().filter());
        none();
    }

    @Test
    @DisplayName("READ-59 READ and WRITE, both EV_DISPATCH: EV_ENABLE of one enables that one alone")
    void read59_dispatchEach() {
        int[] pair = readable();
        KeventList list = KeventList.allocate(2);
        EV_SET(list, 0, pair[0], EVFILT_READ, EV_ADD | EV_DISPATCH, 0, 0, null);
        EV_SET(list, 1, pair[0], EVFILT_WRITE, EV_ADD | EV_DISPATCH, 0, 0, null);
        assertEquals(2, kevent(kq, list, 2, list, 2, LONG));
        none();
        change(pair[0], EVFILT_WRITE, EV_ENABLE);
        assertEquals(EVFILT_WRITE, next().filter());
        none();
        change(pair[0], EVFILT_READ, EV_ENABLE);
        assertEquals(EVFILT_READ, next().filter());
        none();
    }

    private int[] readable() {
        int[] pair = socketpair(Libc.SOCK_STREAM);
        write(pair[1], 1);
        return pair;
    }

    private static List<Integer> filters(List<Ev> events) {
        return events.stream().map(Ev::filter).toList();
    }
}
