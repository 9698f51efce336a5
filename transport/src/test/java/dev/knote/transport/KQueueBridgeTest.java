package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.kqueue.KQueueIoEvent;
import io.netty.channel.kqueue.KQueueIoHandle;
import io.netty.channel.kqueue.KQueueIoOps;
import io.netty.channel.nio.NioIoOps;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handles written for Netty's kqueue transport. */
@Timeout(30)
class KQueueBridgeTest {
    private static final long SOON = 5_000_000_000L;

    private HandLoop loop;

    @BeforeEach
    void open() {
        loop = new HandLoop();
    }

    @AfterEach
    void close() {
        loop.close();
    }

    private static final class Handle implements KQueueIoHandle {
        final int ident;
        final List<KQueueIoEvent> events = new ArrayList<>();

        Handle(int ident) {
            this.ident = ident;
        }

        @Override
        public int ident() {
            return ident;
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            events.add((KQueueIoEvent) event);
        }

        @Override
        public void close() {}
    }

    private static KQueueIoOps ops(int filter, int flags, int fflags) {
        return KQueueIoOps.newOps((short) filter, (short) flags, fflags);
    }

    @Test
    void aUserEventComesWithItsSixFields() throws Exception {
        var handle = new Handle(7);
        IoRegistration registration = loop.register(handle);
        assertEquals(0, registration.submit(ops(Kqueue.EVFILT_USER, Kqueue.EV_ADD | Kqueue.EV_CLEAR,
                Kqueue.NOTE_FFCOPY | 5)));
        assertEquals(0, registration.submit(ops(Kqueue.EVFILT_USER, 0, Kqueue.NOTE_TRIGGER)));
        assertEquals(1, loop.turn(SOON));
        KQueueIoEvent event = handle.events.getFirst();
        assertEquals(7, event.ident());
        assertEquals(Kqueue.EVFILT_USER, event.filter());
        assertEquals(5, event.fflags());
        assertTrue((event.flags() & Kqueue.EV_CLEAR) != 0);
    }

    @Test
    void anotherThreadMaySubmitAndCancel() throws Exception {
        var handle = new Handle(7);
        IoRegistration registration = loop.register(handle);
        Thread.ofPlatform().start(() -> {
            registration.submit(ops(Kqueue.EVFILT_USER, Kqueue.EV_ADD | Kqueue.EV_CLEAR, 0));
            registration.submit(ops(Kqueue.EVFILT_USER, 0, Kqueue.NOTE_TRIGGER));
        });
        while (handle.events.isEmpty()) {
            loop.turn(SOON);
        }
        Thread.ofPlatform().start(registration::cancel).join();
        loop.turn(1_000_000);
        assertEquals(-1, registration.submit(ops(Kqueue.EVFILT_USER, 0, Kqueue.NOTE_TRIGGER)));
    }

    @Test
    void deletingWhatIsNotThereIsNoErrorAddingWhatCannotBeIs() throws Exception {
        IoRegistration registration = loop.register(new Handle(1 << 20));
        registration.submit(ops(Kqueue.EVFILT_READ, Kqueue.EV_DELETE, 0));
        assertThrows(UncheckedIOException.class,
                () -> registration.submit(ops(Kqueue.EVFILT_READ, Kqueue.EV_ADD, 0)));
        assertThrows(IllegalArgumentException.class, () -> registration.submit(NioIoOps.READ));
    }

    @Test
    void theLoopSaysThatItTakesAllThreeKinds() {
        assertTrue(loop.handler.isCompatible(KQueueIoHandle.class));
        assertTrue(loop.handler.isCompatible(Handle.class));
        assertTrue(loop.handler.isCompatible(KnoteIoHandle.class));
        assertTrue(loop.handler.isCompatible(io.netty.channel.nio.NioIoHandle.class));
        assertTrue(!loop.handler.isCompatible(io.netty.channel.IoHandle.class));
    }
}
