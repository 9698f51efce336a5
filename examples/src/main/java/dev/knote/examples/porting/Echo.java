package dev.knote.examples.porting;

import static dev.knote.Kqueue.*;
import static dev.knote.examples.Libc.*;

import dev.knote.KeventException;
import dev.knote.KeventList;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An echo server on one kqueue: sockets, a timer for each client, and a user event from a thread. */
final class Echo {
    private static final int STOP = 1; // the ident of the user event
    private static final int IDLE_MS = 2000; // who is silent for so long is sent away

    private static final class Client {
        int number;
        int fd;
        long bytes;
    }

    private static final MemorySegment BUFFER = Arena.global().allocate(4096);

    private static int kq;
    private static int server;
    private static int clients;

    private Echo() {}

    /** One change of the queue. */
    private static void change(long ident, int filter, int flags, int fflags, long data, Object udata) {
        KeventList ev = KeventList.allocate(1);
        EV_SET(ev, 0, ident, filter, flags, fflags, data, udata);
        kevent(kq, ev, 1, null, 0, null);
    }

    private static void openServer() {
        server = socket();
        bind(server, 0);
        listen(server);
        System.out.printf("listening on port %d%n", port(server));
        change(server, EVFILT_READ, EV_ADD, 0, 0, null);
    }

    private static void welcome() {
        Client c = new Client();
        c.fd = accept(server);
        c.number = ++clients;
        System.out.printf("client %d: connected%n", c.number);
        change(c.fd, EVFILT_READ, EV_ADD, 0, 0, c);
        change(c.fd, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, IDLE_MS, c);
    }

    private static void leave(Client c, String why) {
        System.out.printf("client %d: %s after %d bytes%n", c.number, why, c.bytes);
        change(c.fd, EVFILT_READ, EV_DELETE, 0, 0, null);
        close(c.fd);
    }

    private static void echo(Client c) {
        int n = read(c.fd, BUFFER);
        if (n <= 0) {
            change(c.fd, EVFILT_TIMER, EV_DELETE, 0, 0, null);
            leave(c, "gone");
            return;
        }
        c.bytes += n;
        write(c.fd, BUFFER.asSlice(0, n));
        change(c.fd, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, IDLE_MS, c); // starts anew
    }

    /** When there is no more to read on stdin, the server is to stop. */
    private static void operator() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
            change(STOP, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFCOPY | 7, 0, null);
        } catch (IOException | KeventException e) {
            System.err.println(e);
        }
    }

    static void main() {
        KeventList ev = KeventList.allocate(1);

        kq = kqueue();
        openServer();
        change(STOP, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, null);
        Thread.ofPlatform().daemon().start(Echo::operator);

        for (;;) { // one event a call: what it does may make the next one untrue
            kevent(kq, null, 0, ev, 1, null);
            switch (ev.filter(0)) {
                case EVFILT_READ :
                    if (ev.udata(0) == null) {
                        welcome();
                    } else {
                        echo((Client) ev.udata(0));
                    }
                    break;
                case EVFILT_TIMER :
                    leave((Client) ev.udata(0), "silent");
                    break;
                case EVFILT_USER :
                    System.out.printf("stopped with %d after %d clients%n", ev.fflags(0) & NOTE_FFLAGSMASK,
                            clients);
                    close(kq);
                    return;
                default :
                    throw new AssertionError("filter " + ev.filter(0));
            }
        }
    }
}
