package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import io.netty.channel.IoRegistration;
import io.netty.channel.nio.NioIoOps;
import io.netty.channel.nio.NioSelectableChannelIoHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.Pipe;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A channel of the JDK on our loop has what it has with a selector. Netty's own channels are in the suite.
 */
@Timeout(30)
class NioBridgeTest {
    private static final long SOON = 5_000_000_000L;
    private static final long A_WHILE = 20_000_000;

    private HandLoop loop;

    @BeforeEach
    void open() {
        loop = new HandLoop();
    }

    @AfterEach
    void close() {
        loop.close();
    }

    /** Notes what is ready. */
    @SuppressWarnings("try")
    private static final class Handle extends NioSelectableChannelIoHandle<SelectableChannel> {
        final List<Integer> ready = new ArrayList<>();
        Runnable then = () -> {};
        boolean unregistered;

        Handle(SelectableChannel channel) {
            super(channel);
        }

        @Override
        protected void handle(SelectableChannel channel, SelectionKey key) {
            assertSame(channel, key.channel());
            ready.add(key.readyOps());
            then.run();
        }

        @Override
        public void unregistered() {
            unregistered = true;
        }
    }

    private static SocketChannel[] pair() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            SocketChannel client = SocketChannel.open(server.getLocalAddress());
            client.configureBlocking(false);
            SocketChannel accepted = server.accept();
            accepted.configureBlocking(false);
            return new SocketChannel[] {client, accepted};
        }
    }

    @Test
    void readinessIsReportedAsLongAsItLasts() throws Exception {
        SocketChannel[] pair = pair();
        var handle = new Handle(pair[0]);
        IoRegistration registration = loop.register(handle);
        assertEquals(SelectionKey.OP_READ, registration.submit(NioIoOps.READ));
        assertEquals(0, loop.turn(A_WHILE));
        pair[1].write(ByteBuffer.allocate(10));
        ByteBuffer half = ByteBuffer.allocate(5);
        handle.then = () -> {
            half.clear();
            assertDoesNotThrowRead(pair[0], half);
        };
        assertEquals(1, loop.turn(SOON));
        assertEquals(1, loop.turn(SOON), "the other half is there yet");
        assertEquals(0, loop.turn(A_WHILE));
        assertEquals(List.of(SelectionKey.OP_READ, SelectionKey.OP_READ), handle.ready);
        pair[1].close();
    }

    private static void assertDoesNotThrowRead(SocketChannel channel, ByteBuffer into) {
        try {
            assertTrue(channel.read(into) > 0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void interestIsWhatWasSubmittedLast() throws Exception {
        SocketChannel[] pair = pair();
        var handle = new Handle(pair[0]);
        IoRegistration registration = loop.register(handle);
        pair[1].write(ByteBuffer.allocate(1));
        registration.submit(NioIoOps.READ_AND_WRITE);
        assertEquals(1, loop.turn(SOON));
        assertEquals(List.of(SelectionKey.OP_READ | SelectionKey.OP_WRITE), handle.ready);
        registration.submit(NioIoOps.WRITE);
        assertEquals(1, loop.turn(SOON));
        registration.submit(NioIoOps.NONE);
        assertEquals(0, loop.turn(A_WHILE));
        SelectionKey key = registration.attachment();
        key.interestOps(SelectionKey.OP_READ);
        assertEquals(SelectionKey.OP_READ, key.interestOps());
        assertEquals(1, loop.turn(SOON));
        assertEquals(List.of(5, 4, 1), handle.ready);
        assertThrows(IllegalArgumentException.class, () -> key.interestOps(SelectionKey.OP_ACCEPT));
        assertThrows(IllegalArgumentException.class, () -> registration.submit(
                KnoteIoOps.of(0, Kqueue.EVFILT_USER, Kqueue.EV_ADD, 0, 0)));
        pair[1].close();
    }

    @Test
    void aConnectionIsAcceptedAndConnected() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            server.configureBlocking(false);
            var accepting = new Handle(server);
            loop.register(accepting).submit(NioIoOps.ACCEPT);
            SocketChannel client = SocketChannel.open();
            client.configureBlocking(false);
            var connecting = new Handle(client);
            IoRegistration registration = loop.register(connecting);
            assertFalse(client.connect(server.getLocalAddress()));
            registration.submit(NioIoOps.valueOf(SelectionKey.OP_CONNECT | SelectionKey.OP_READ));
            while (accepting.ready.isEmpty() || connecting.ready.isEmpty()) {
                loop.turn(SOON);
            }
            assertEquals(SelectionKey.OP_ACCEPT, accepting.ready.getFirst());
            assertEquals(SelectionKey.OP_CONNECT, connecting.ready.getFirst());
            assertTrue(client.finishConnect());
            server.accept().close();
            registration.cancel();
            client.close();
        }
    }

    /** For epoll such a socket is hung up, which cannot be masked. */
    @Test
    void aSocketThatIsNotConnectedLetsTheLoopSleepAndIsReadWhenItIs() throws Exception {
        SocketChannel client = SocketChannel.open();
        client.configureBlocking(false);
        var handle = new Handle(client);
        IoRegistration registration = loop.register(handle);
        registration.submit(NioIoOps.READ);
        loop.turn(A_WHILE); // the edge of being added
        long began = System.nanoTime();
        for (int i = 0; i < 5; i++) {
            assertEquals(0, loop.turn(A_WHILE));
        }
        assertTrue(System.nanoTime() - began >= 5 * A_WHILE);
        assertTrue(handle.ready.isEmpty());
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            client.configureBlocking(false);
            client.connect(server.getLocalAddress());
            SocketChannel accepted = server.accept();
            while (!client.finishConnect()) {
                Thread.onSpinWait();
            }
            accepted.write(ByteBuffer.allocate(1));
            while (handle.ready.isEmpty()) {
                loop.turn(SOON);
            }
            assertEquals(SelectionKey.OP_READ, handle.ready.getFirst());
            assertEquals(1, loop.turn(SOON), "and is level triggered then");
            accepted.close();
        }
    }

    @Test
    void aChannelClosedByAnybodyIsOutOfTheQueueBeforeItsFdIsAnothers() throws Exception {
        for (int i = 0; i < 50; i++) {
            SocketChannel[] pair = pair();
            var old = new Handle(pair[0]);
            IoRegistration stale = loop.register(old);
            stale.submit(NioIoOps.READ_AND_WRITE);
            loop.turn(SOON);
            old.ready.clear();
            Thread.ofPlatform().start(() -> closeQuietly(pair[0])).join();
            assertFalse(stale.isValid());
            assertEquals(-1, stale.submit(NioIoOps.READ));
            SelectionKey key = stale.attachment();
            assertThrows(CancelledKeyException.class, key::interestOps);
            Pipe pipe = Pipe.open(); // whose fds may have the number
            pipe.source().configureBlocking(false);
            var successor = new Handle(pipe.source());
            IoRegistration registration = loop.register(successor);
            registration.submit(NioIoOps.READ);
            pipe.sink().write(ByteBuffer.allocate(1));
            assertTrue(stale.cancel());
            assertTrue(old.unregistered);
            assertEquals(1, loop.turn(SOON));
            assertEquals(List.of(SelectionKey.OP_READ), successor.ready);
            assertTrue(old.ready.isEmpty());
            registration.cancel();
            pipe.source().close();
            pipe.sink().close();
            pair[1].close();
        }
    }

    private static void closeQuietly(SelectableChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The other side sees the end though the fd waits for the loop. */
    @Test
    void aClosedChannelIsClosedForItsPeerAtOnce() throws Exception {
        SocketChannel[] pair = pair();
        loop.register(new Handle(pair[0])).submit(NioIoOps.READ);
        loop.turn(A_WHILE);
        pair[0].close();
        pair[1].configureBlocking(true);
        assertEquals(-1, pair[1].read(ByteBuffer.allocate(1)));
        pair[1].close();
    }

    @Test
    void aChannelMayLeaveForAnotherLoop() throws Exception {
        SocketChannel[] pair = pair();
        IoRegistration here = loop.register(new Handle(pair[0]));
        here.submit(NioIoOps.READ);
        loop.turn(A_WHILE);
        assertThrows(IllegalStateException.class, () -> loop.register(new Handle(pair[0])));
        here.cancel();
        try (var other = new HandLoop()) {
            var handle = new Handle(pair[0]);
            other.register(handle).submit(NioIoOps.READ);
            pair[1].write(ByteBuffer.allocate(1));
            assertEquals(1, other.turn(SOON));
            assertEquals(0, loop.turn(A_WHILE));
            assertEquals(1, handle.ready.size());
        }
        assertFalse(pair[0].isOpen(), "a loop that ends closes its channels");
        pair[1].close();
    }

    @Test
    void aClosedChannelIsRefused() throws Exception {
        SocketChannel[] pair = pair();
        pair[0].close();
        pair[1].close();
        var refusal = assertThrows(Exception.class, () -> loop.register(new Handle(pair[0])));
        assertInstanceOf(ClosedChannelException.class, refusal.getCause());
    }
}
