package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** EVFILT_WRITE: room to write. */
class WriteTest extends FdFixture {
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUF = 7;

    @Test
    @DisplayName("WRITE-01 a connected TCP socket: an event at once, and on every call")
    void write01_connected() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_WRITE, EV_ADD);
        for (int i = 0; i < 3; i++) {
            Ev event = next();
            assertEquals(tcp[0], event.ident());
            assertEquals(EVFILT_WRITE, event.filter());
            assertFalse(event.has(EV_EOF));
        }
    }

    @Test
    @DisplayName("WRITE-02 EV_DELETE: no event; EV_DELETE of what is not there: ENOENT")
    void write02_delete() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        change(pair[0], EVFILT_WRITE, EV_DELETE);
        none();
        assertNoKnote(pair[0], EVFILT_WRITE);
    }

    @Test
    @DisplayName("WRITE-04 EV_ONESHOT: one event, no knote left")
    void write04_oneShot() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_ONESHOT);
        next();
        none();
        assertNoKnote(pair[0], EVFILT_WRITE);
    }

    @Test
    @DisplayName("WRITE-05 EV_DISPATCH: one event; EV_ENABLE: another")
    void write05_dispatch() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_DISPATCH);
        next();
        none();
        change(pair[0], EVFILT_WRITE, EV_ENABLE);
        next();
        none();
    }

    @Test
    @DisplayName("WRITE-07 the buffer is full: no event; the peer reads: an event, also for a thread that waits")
    void write07_fullAndDrained() throws Exception {
        int[] pair = socketpair(SOCK_STREAM);
        fill(pair[0]);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        none();
        FutureTask<Ev> waiter = inBackground(this::next);
        drain(pair[1]);
        assertEquals(pair[0], result(waiter).ident());
    }

    @Test
    @DisplayName("WRITE-07 the same for TCP and a pipe")
    void write07_tcpAndPipe() {
        int[] tcp = tcp();
        int[] pipe = pipe();
        for (int[] ends : List.of(tcp, new int[] {pipe[1], pipe[0]})) {
            // TCP goes on moving what it has to the peer, and that makes room.
            assertTrue(within(LONG, () -> fill(ends[0]) == 0 && !within(SHORT, () -> fill(ends[0]) > 0)));
            change(ends[0], EVFILT_WRITE, EV_ADD);
            none();
            assertTrue(within(LONG, () -> drain(ends[1]) >= 0 && !events(kq, 8, SHORT).isEmpty()));
            change(ends[0], EVFILT_WRITE, EV_DELETE);
        }
    }

    @Test
    @DisplayName("WRITE-08 EV_RECEIPT into the same array: 1 entry, EV_ERROR with data 0")
    void write08_receipt() {
        int[] pair = socketpair(SOCK_STREAM);
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, pair[0], EVFILT_WRITE, EV_ADD | EV_RECEIPT, 0, 0, "mine");
        assertEquals(1, kevent(kq, list, 1, list, 1, LONG));
        Ev receipt = copy(list, 1).getFirst();
        assertTrue(receipt.has(EV_ERROR));
        assertEquals(0, receipt.data());
        assertEquals(pair[0], receipt.ident());
    }

    @Test
    @DisplayName("WRITE-09 udata comes back; a change of an EV_CLEAR knote replaces it")
    void write09_udata() {
        int[] pair = socketpair(SOCK_STREAM);
        Object first = new Object();
        Object second = new Object();
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, first);
        assertEquals(first, next().udata());
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, second);
        assertEquals(second, next().udata());
    }

    @Test
    @DisplayName("WRITE-10 EV_ADD again without EV_CLEAR: no error")
    void write10_addAgain() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        next();
    }

    @Test
    @DisplayName("WRITE-11 a socket: data is the room in its send buffer: SO_SNDBUF, less what is queued")
    void write11_room() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD);
        long size = sendBuffer(pair[0]);
        assertEquals(size, next().data());
        write(pair[0], 1000);
        long room = next().data();
        assertTrue(room <= size - 1000 && room > size - 20_000, room + " of " + size);
        drain(pair[1]);
        assertEquals(size, next().data());
    }

    @Test
    @DisplayName("WRITE-12 an empty pipe: data 65536; with 1000 bytes in it 64536")
    void write12_pipe() {
        int[] pipe = pipe();
        change(pipe[1], EVFILT_WRITE, EV_ADD);
        assertEquals(65536, next().data());
        write(pipe[1], 1000);
        assertEquals(64536, next().data());
    }

    @Test
    @DisplayName("WRITE on a pipe whose reader is closed: EV_EOF")
    void pipeWithoutReader() {
        int[] pipe = pipe();
        change(pipe[1], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertFalse(next().has(EV_EOF));
        shut(pipe[0]);
        assertTrue(next().has(EV_EOF));
    }

    @Test
    @DisplayName("WRITE-13 an unconnected UDP socket: an event at once")
    void write13_udp() {
        int fd = socket(AF_INET, SOCK_DGRAM | O_NONBLOCK);
        change(fd, EVFILT_WRITE, EV_ADD);
        Ev event = next();
        assertEquals(fd, event.ident());
        assertFalse(event.has(EV_EOF));
    }

    @Test
    @DisplayName("WRITE-14 a listening socket never fires, not even with connections")
    void write14_listening() {
        int listener = tcpListener();
        change(listener, EVFILT_WRITE, EV_ADD);
        tcpClient(listener);
        none();
    }

    @Test
    @DisplayName("WRITE-16 TCP: after the peer's FIN still writable and no EV_EOF; after RST EV_EOF with the error")
    void write16_finAndReset() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_WRITE, EV_ADD);
        must("shutdown", tcp[1], SHUT_WR);
        untilPoll(tcp[0], POLLRDHUP);
        assertFalse(next().has(EV_EOF));
        reset(tcp[1]);
        untilPoll(tcp[0], POLLHUP);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(Errno.EPIPE, event.fflags());
        assertEquals(0, next().fflags());
    }

    @Test
    @DisplayName("WRITE-16 RST without FIN: EV_EOF with ECONNRESET")
    void write16_reset() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertFalse(next().has(EV_EOF));
        reset(tcp[1]);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(Errno.ECONNRESET, event.fflags());
    }

    @Test
    @DisplayName("WRITE-16 SHUT_WR on this side alone: no EV_EOF")
    void write16_localShutdown() {
        int[] tcp = tcp();
        must("shutdown", tcp[0], SHUT_WR);
        change(tcp[0], EVFILT_WRITE, EV_ADD);
        assertFalse(next().has(EV_EOF));
    }

    @Test
    @DisplayName("WRITE-17 UNIX: the peer closes: EV_EOF")
    void write17_unixPeerCloses() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertFalse(next().has(EV_EOF));
        shut(pair[1]);
        assertTrue(next().has(EV_EOF));
    }

    @Test
    @DisplayName("WRITE-19 a TCP socket that was never connected: no event; connected: an event")
    void write19_unconnected() {
        int fd = socket(AF_INET, SOCK_STREAM | O_NONBLOCK);
        change(fd, EVFILT_WRITE, EV_ADD);
        none();
        int listener = tcpListener();
        atPortNonBlocking(fd, port(listener));
        Ev event = next();
        assertEquals(fd, event.ident());
        assertFalse(event.has(EV_EOF));
    }

    @Test
    @DisplayName("WRITE-19 a connection that is refused: EV_EOF with ECONNREFUSED")
    void write19_refused() {
        int listener = tcpListener();
        int port = port(listener);
        shut(listener);
        int fd = socket(AF_INET, SOCK_STREAM | O_NONBLOCK);
        change(fd, EVFILT_WRITE, EV_ADD);
        none();
        atPortNonBlocking(fd, port);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(Errno.ECONNREFUSED, event.fflags());
    }

    @Test
    @DisplayName("WRITE-22 NOTE_LOWAT above SO_SNDBUF: no event; lowered to 1: an event")
    void write22_mark() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD, NOTE_LOWAT, sendBuffer(pair[0]) + 1L, null);
        none();
        change(pair[0], EVFILT_WRITE, EV_ADD, NOTE_LOWAT, 1, null);
        assertTrue(next().data() >= 1);
    }

    @Test
    @DisplayName("WRITE-22 NOTE_LOWAT of a pipe: an event when there is that much room, though it was writable before")
    void write22_markOfPipe() throws Exception {
        int[] pipe = pipe();
        write(pipe[1], 30_000);
        change(pipe[1], EVFILT_WRITE, EV_ADD, NOTE_LOWAT, 60_000, null);
        none();
        read(pipe[0], 10_000);
        none();
        FutureTask<Ev> waiter = inBackground(this::next);
        read(pipe[0], 20_000);
        assertEquals(65536, result(waiter).data());
    }

    @Test
    @DisplayName("WRITE-24 READ and WRITE of one regular file: independent of each other")
    void write24_regularFile() {
        int file = file(0);
        change(file, EVFILT_READ, EV_ADD);
        change(file, EVFILT_WRITE, EV_ADD);
        assertEquals(EVFILT_WRITE, next().filter());
        change(file, EVFILT_WRITE, EV_DISABLE);
        none();
        Libc.must("ftruncate", file, 3);
        assertEquals(EVFILT_READ, next().filter());
        change(file, EVFILT_READ, EV_DELETE);
        change(file, EVFILT_WRITE, EV_ENABLE);
        assertEquals(EVFILT_WRITE, next().filter());
    }

    @Test
    @DisplayName("WRITE-24 a regular file by EV_CLEAR: one event, and one for each change of the knote")
    void write24_regularFileClear() {
        int file = file(1);
        change(file, EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertEquals(0, next().data());
        none();
        Libc.must("ftruncate", file, 3);
        none();
        change(file, EVFILT_WRITE, EV_ADD | EV_CLEAR);
        next();
        none();
    }

    @Test
    @DisplayName("WRITE-25 two queues, one fd: both fire")
    void write25_twoQueues() {
        int other = newQueue();
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        changeIn(other, pair[0], EVFILT_WRITE, EV_ADD);
        assertEquals(pair[0], next().ident());
        assertEquals(pair[0], nextIn(other).ident());
        none();
        assertEquals(pair[0], nextIn(other).ident());
    }

    private static void atPortNonBlocking(int fd, int port) {
        final int inProgress = 115;
        try {
            atPort("connect", fd, port);
        } catch (AssertionError e) {
            assertTrue(e.getMessage().endsWith("errno " + inProgress), e.getMessage());
        }
    }

    private static int sendBuffer(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            var value = arena.allocate(ValueLayout.JAVA_INT);
            var length = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
            must("getsockopt", fd, SOL_SOCKET, SO_SNDBUF, value.address(), length.address());
            return value.get(ValueLayout.JAVA_INT, 0);
        }
    }
}
