package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.kqueue.KQueueIoHandle;
import io.netty.channel.local.LocalIoHandle;
import io.netty.channel.nio.NioIoHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any filter on a Netty loop, and the loop itself. */
@Timeout(30)
class KnoteIoHandlerTest {
    private IoEventLoopGroup group;

    private record Seen(long ident, int filter, long data, Object udata, Thread thread) {}

    /** Notes its events. */
    private static class Handle implements KnoteIoHandle {
        final BlockingQueue<Seen> events = new LinkedBlockingQueue<>();
        final BlockingQueue<String> life = new LinkedBlockingQueue<>();

        @Override
        public void registered() {
            life.add("registered");
        }

        @Override
        public void unregistered() {
            life.add("unregistered");
        }

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            var e = (KnoteIoEvent) event;
            events.add(new Seen(e.ident(), e.filter(), e.data(), e.udata(), Thread.currentThread()));
        }

        @Override
        public void close() {
            life.add("closed");
        }

        Seen next() throws InterruptedException {
            return events.poll(20, TimeUnit.SECONDS);
        }
    }

    @BeforeEach
    void open() {
        group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
    }

    @AfterEach
    void close() {
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void aUserEventTriggeredByAnotherThreadReachesTheHandleOnTheLoop() throws Exception {
        var handle = new Handle();
        IoRegistration registration = group.register(handle).sync().getNow();
        registration
                .submit(KnoteIoOps.of(7, Kqueue.EVFILT_USER, Kqueue.EV_ADD | Kqueue.EV_CLEAR, 0, 0, "mine"));
        registration
                .submit(KnoteIoOps.of(7, Kqueue.EVFILT_USER, Kqueue.EV_KEEPUDATA, Kqueue.NOTE_TRIGGER, 0));
        Seen seen = handle.next();
        assertEquals(7, seen.ident());
        assertEquals(Kqueue.EVFILT_USER, seen.filter());
        assertEquals("mine", seen.udata());
        assertTrue(group.next().inEventLoop(seen.thread()));
    }

    @Test
    void aTimerHasItsPeriodInData() throws Exception {
        var handle = new Handle();
        IoRegistration registration = group.register(handle).sync().getNow();
        registration.submit(KnoteIoOps.of(1, Kqueue.EVFILT_TIMER, Kqueue.EV_ADD, 0, 5));
        assertTrue(handle.next().data() >= 1);
        assertTrue(handle.next().data() >= 1);
        assertTrue(registration.cancel());
        assertEquals("registered", handle.life.poll(20, TimeUnit.SECONDS));
        assertEquals("unregistered", handle.life.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void aHandleThatIsOfNoKindItTakesIsRefusedWithTheKindsThatAre() throws Exception {
        Throwable refused = group.register(new IoHandle() {
            @Override
            public void handle(IoRegistration registration, IoEvent event) {}

            @Override
            public void close() {}
        }).await().cause();
        assertInstanceOf(IllegalArgumentException.class, refused);
        for (Class<?> kind : new Class<?>[] {KnoteIoHandle.class, NioIoHandle.class, KQueueIoHandle.class,
                LocalIoHandle.class}) {
            assertTrue(refused.getMessage().contains(kind.getSimpleName()), refused.getMessage());
        }
    }

    @Test
    void itIsAvailableHereAndTellsOfFastOpenWhatTheKernelPermits() throws Exception {
        Knote.ensureAvailability();
        assertTrue(Knote.isAvailable());
        int allowed = Integer.decode(Files.readString(Path.of("/proc/sys/net/ipv4/tcp_fastopen")).strip());
        assertEquals((allowed & 2) != 0, Knote.isTcpFastOpenServerSideAvailable());
        assertFalse(Knote.isTcpFastOpenClientSideAvailable());
        var channel = new KnoteSocketChannel();
        try { // what it says is what its channels do
            assertFalse(channel.config().setOption(ChannelOption.TCP_FASTOPEN_CONNECT, true));
        } finally {
            channel.unsafe().closeForcibly();
        }
    }
}
