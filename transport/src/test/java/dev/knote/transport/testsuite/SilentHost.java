package dev.knote.transport.testsuite;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * An address that answers no attempt to connect, for the tests of time-outs: a listener on this machine whose
 * backlog is full. An address of the network, which the suite takes otherwise, is reachable from some
 * machines.
 */
final class SilentHost {
    private static final List<AutoCloseable> OPEN = new ArrayList<>();
    private static final int FILLERS = 3; // more than a backlog of 1 takes

    private SilentHost() {}

    /** Opens it for the life of this JVM, and tells the suite. */
    @SuppressWarnings("resource")
    static void prepare() {
        try {
            InetAddress here = InetAddress.getByName("127.0.0.1");
            var listener = new ServerSocket(0, 1, here);
            OPEN.add(listener);
            for (int i = 0; i < FILLERS; i++) {
                SocketChannel filler = SocketChannel.open();
                OPEN.add(filler);
                filler.configureBlocking(false);
                filler.connect(new InetSocketAddress(here, listener.getLocalPort()));
            }
            System.setProperty("io.netty.testsuite.badHost", here.getHostAddress());
            System.setProperty("io.netty.testsuite.badPort", Integer.toString(listener.getLocalPort()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
