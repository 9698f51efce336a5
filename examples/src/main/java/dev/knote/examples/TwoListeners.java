package dev.knote.examples;

import dev.knote.EventQueue;
import dev.knote.Kqueue;
import dev.knote.filters.Read;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** Accepts on two listening sockets with one thread, until each has had its connection. */
final class TwoListeners {
    private static int left = 2;

    private TwoListeners() {}

    static void main() throws IOException {
        int first = Libc.listener();
        int second = Libc.listener();
        try (var queue = EventQueue.open()) {
            queue.register(Read.of(first), "first");
            queue.register(Read.of(second), "second");
            InetAddress here = InetAddress.getLoopbackAddress();
            List<Socket> callers = List.of(new Socket(here, Libc.port(second)),
                    new Socket(here, Libc.port(first)));
            while (left > 0) {
                queue.poll(event -> {
                    int connection = Libc.accept((int) event.ident());
                    System.out.println("a connection to the " + event.attachment());
                    Kqueue.close(connection);
                    left--;
                }, null);
            }
            for (Socket caller : callers) {
                System.out.println("a caller reads " + caller.getInputStream().read());
                caller.close();
            }
        } finally {
            Kqueue.close(first);
            Kqueue.close(second);
        }
    }
}
