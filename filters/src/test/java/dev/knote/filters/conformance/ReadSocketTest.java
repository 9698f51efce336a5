package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Errno;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** EVFILT_READ of sockets: connections to accept, the end, errors, datagrams and records. */
class ReadSocketTest extends FdFixture {
    @Test
    @DisplayName("READ-19 a listening TCP socket with 3 connections: data 3; one accepted: data 2; none: silent")
    void read19_tcpBacklog() {
        int listener = tcpListener();
        change(listener, EVFILT_READ, EV_ADD);
        none();
        for (int i = 0; i < 3; i++) {
            tcpClient(listener);
        }
        assertTrue(within(LONG, () -> next().data() == 3));
        accept(listener);
        assertEquals(2, next().data());
        accept(listener);
        accept(listener);
        none();
    }

    @Test
    @DisplayName("READ-19 a listening UNIX socket: data 1 while there are connections, however many")
    void read19_unixBacklog() {
        int listener = socket(AF_UNIX, SOCK_STREAM | O_NONBLOCK);
        String path = newPath();
        atPath("bind", listener, path);
        must("listen", listener, 8);
        change(listener, EVFILT_READ, EV_ADD);
        none();
        for (int i = 0; i < 2; i++) {
            atPath("connect", socket(AF_UNIX, SOCK_STREAM), path);
        }
        assertEquals(1, next().data());
        accept(listener);
        assertEquals(1, next().data());
        accept(listener);
        none();
    }

    @Test
    @DisplayName("READ-20 peer writes 8 and shuts down: one event with EV_EOF and data 8")
    void read20_dataAndEnd() {
        int[] tcp = tcp();
        write(tcp[1], 8);
        must("shutdown", tcp[1], SHUT_WR);
        untilPoll(tcp[0], POLLIN | POLLRDHUP);
        change(tcp[0], EVFILT_READ, EV_ADD);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(8, event.data());
        assertEquals(0, event.fflags());
    }

    @Test
    @DisplayName("READ-20 the same while registered by EV_CLEAR: the end is an event even if the data was one")
    void read20_endAfterData() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        write(tcp[1], 8);
        Ev data = next();
        assertFalse(data.has(EV_EOF));
        assertEquals(8, data.data());
        must("shutdown", tcp[1], SHUT_WR);
        Ev end = next();
        assertTrue(end.has(EV_EOF));
        assertEquals(8, end.data());
        none();
    }

    @Test
    @DisplayName("READ-20 by level, after an event of the data, the next one tells the end: of sockets and a pipe")
    void read20_endOfDataThatWasReported() {
        for (int[] ends : List.of(tcp(), socketpair(SOCK_STREAM), pipe())) {
            change(ends[0], EVFILT_READ, EV_ADD);
            write(ends[1], 8);
            assertFalse(next().has(EV_EOF));
            shut(ends[1]);
            assertTrue(within(LONG, () -> (poll(ends[0], POLLRDHUP) & (POLLRDHUP | POLLHUP)) != 0));
            Ev end = next();
            assertTrue(end.has(EV_EOF));
            assertEquals(8, end.data());
            change(ends[0], EVFILT_READ, EV_DELETE);
        }
    }

    @Test
    @DisplayName("SO_RCVLOWAT counts: fewer bytes are no event, when they come, are left over or asked about anew")
    void receiveMark() {
        final int solSocket = 1;
        final int soRcvlowat = 18;
        int[] tcp = tcp();
        option(tcp[0], solSocket, soRcvlowat, 10);
        change(tcp[0], EVFILT_READ, EV_ADD);
        write(tcp[1], 3);
        none();
        change(tcp[0], EVFILT_READ, EV_ADD);
        none();
        write(tcp[1], 17);
        assertEquals(20, next().data());
        read(tcp[0], 17);
        none();
        must("shutdown", tcp[1], SHUT_WR);
        Ev end = next();
        assertTrue(end.has(EV_EOF));
        assertEquals(3, end.data());
    }

    @Test
    @DisplayName("READ-21 peer closed and all read: EV_EOF with data 0 on each call")
    void read21_endRepeats() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD);
        write(tcp[1], 4);
        shut(tcp[1]);
        untilPoll(tcp[0], POLLIN | POLLRDHUP);
        read(tcp[0], 4);
        for (int i = 0; i < 3; i++) {
            Ev event = next();
            assertTrue(event.has(EV_EOF));
            assertEquals(0, event.data());
        }
    }

    @Test
    @DisplayName("READ-23 EV_EOF of a socket stays when the knote is added again with EV_CLEAR")
    void read23_endStays() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        must("shutdown", tcp[1], SHUT_WR);
        assertTrue(next().has(EV_EOF));
        none();
        change(tcp[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        assertTrue(next().has(EV_EOF));
    }

    @Test
    @DisplayName("READ-24 peer sends RST: EV_EOF and ECONNRESET in fflags, on the next call EV_EOF and 0")
    void read24_reset() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD);
        reset(tcp[1]);
        Ev first = next();
        assertTrue(first.has(EV_EOF));
        assertEquals(Errno.ECONNRESET, first.fflags());
        Ev second = next();
        assertTrue(second.has(EV_EOF));
        assertEquals(0, second.fflags());
    }

    @Test
    @DisplayName("READ-24 with READ and WRITE registered, the first event has the error in fflags, the other has not")
    void read24_errorIsToldOnce() {
        int[] tcp = tcp();
        reset(tcp[1]);
        untilPoll(tcp[0], POLLERR | POLLHUP);
        change(tcp[0], EVFILT_READ, EV_ADD);
        change(tcp[0], EVFILT_WRITE, EV_ADD);
        var events = events(kq, 8, LONG);
        assertEquals(2, events.size());
        assertTrue(events.stream().allMatch(event -> event.has(EV_EOF)));
        assertEquals(Errno.ECONNRESET, events.get(0).fflags());
        assertEquals(0, events.get(1).fflags());
    }

    @Test
    @DisplayName("READ-25 the end while the knote is disabled: nothing; EV_ENABLE: EV_EOF")
    void read25_endWhileDisabled() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD | EV_DISABLE);
        shut(tcp[1]);
        untilPoll(tcp[0], POLLRDHUP);
        none();
        change(tcp[0], EVFILT_READ, EV_ENABLE);
        assertTrue(next().has(EV_EOF));
    }

    @Test
    @DisplayName("READ-28 a stream pair: peer shuts down: EV_EOF with data 0; peer closes: EV_EOF")
    void read28_streamPair() {
        int[] pair = socketpair(SOCK_STREAM);
        change(pair[0], EVFILT_READ, EV_ADD);
        must("shutdown", pair[1], SHUT_WR);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(0, event.data());
        shut(pair[1]);
        assertTrue(next().has(EV_EOF));
    }

    @Test
    @DisplayName("READ-29 SEQPACKET: data is the first record; after the peer has closed, with EV_EOF")
    void read29_records() {
        int[] pair = socketpair(SOCK_SEQPACKET);
        change(pair[0], EVFILT_READ, EV_ADD);
        write(pair[1], 3);
        write(pair[1], 9);
        assertEquals(3, next().data());
        shut(pair[1]);
        Ev event = next();
        assertTrue(event.has(EV_EOF));
        assertEquals(3, event.data());
        read(pair[0], 3);
        assertEquals(9, next().data());
    }

    @Test
    @DisplayName("READ-30 UNIX datagrams of 3 and 2 bytes: data is the next one's size")
    void read30_unixDatagrams() {
        int[] pair = socketpair(SOCK_DGRAM);
        change(pair[0], EVFILT_READ, EV_ADD);
        write(pair[1], 3);
        write(pair[1], 2);
        assertEquals(3, next().data());
        read(pair[0], 3);
        assertEquals(2, next().data());
        read(pair[0], 2);
        none();
    }

    @Test
    @DisplayName("READ-31 UDP datagrams of 3 and 5 bytes: data is the next one's size; an empty one is an event")
    void read31_udpDatagrams() {
        int receiver = udp();
        int sender = udp();
        atPort("connect", sender, port(receiver));
        change(receiver, EVFILT_READ, EV_ADD);
        none();
        write(sender, 3);
        write(sender, 5);
        write(sender, 0);
        assertEquals(3, next().data());
        read(receiver, 3);
        assertEquals(5, next().data());
        read(receiver, 5);
        assertEquals(0, next().data());
        assertEquals(0, Libc.read(receiver, 1));
        none();
    }

    @Test
    @DisplayName("READ-34 an urgent byte alone is no event; normal data behind it is")
    void read34_urgentByte() {
        int[] tcp = tcp();
        change(tcp[0], EVFILT_READ, EV_ADD);
        sendUrgentByte(tcp[1]);
        final int pollPri = 2;
        untilPoll(tcp[0], pollPri);
        none();
        write(tcp[1], 5);
        assertTrue(next().data() > 0);
    }
}
