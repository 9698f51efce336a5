package dev.knote.transport;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.Options;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A loop is suspended, and goes on in another thread, with the handles that it has. */
@Timeout(60)
class LoopSuspendTest {
    private static final long SOON = 5_000_000_000L;
    private static final String REASON = "a ring obeys one thread";

    /** Notes the thread of each event. */
    private static final class Handle extends RecordingHandle {
        final BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();

        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            super.handle(registration, event);
            threads.add(Thread.currentThread());
        }
    }

    @Test
    void theFactorySaysWhetherTheQueueCanChangeItsThread() {
        try (EventQueue queue = EventQueue.open(Options.defaults().singleOwner())) {
            assertEquals(queue.canChangeOwner(), KnoteIoHandler.newFactory().isChangingThreadSupported());
        }
    }

    @Test
    void handlesLiveOnWhenTheLoopGoesOnInAnotherThread() throws Exception {
        assumeTrue(KnoteIoHandler.newFactory().isChangingThreadSupported(), REASON);
        try (var loop = new HandLoop()) {
            var handle = new Handle();
            IoRegistration registration = loop.register(handle);
            registration.submit(KnoteIoOps.of(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0));
            registration.submit(KnoteIoOps.of(1, EVFILT_TIMER, EV_ADD | EV_CLEAR, 0, 20));
            assertEquals(1, loop.turn(SOON));
            var failure = new AtomicReference<Throwable>();
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    loop.moveHere();
                    handle.events.clear();
                    registration.submit(trigger());
                    while (handle.events.stream().map(RecordingHandle.Seen::filter).distinct().count() < 2) {
                        assertTrue(loop.turn(SOON) > 0);
                    }
                } catch (Throwable t) {
                    failure.set(t);
                }
            });
            other.join();
            assertNull(failure.get());
            loop.moveHere();
            handle.events.clear();
            assertEquals(1, loop.turn(SOON));
        }
    }

    @Test
    void aSuspendedGroupTakesHandlesAgainInAnotherThread() throws Exception {
        IoHandlerFactory factory = KnoteIoHandler.newFactory();
        assumeTrue(factory.isChangingThreadSupported(), REASON);
        IoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, factory);
        try {
            IoEventLoop loop = group.next();
            Thread first = threadOfAnEvent(loop);
            suspend(loop);
            first.join(TimeUnit.SECONDS.toMillis(20));
            assertFalse(first.isAlive(), "the thread was given back");
            assertNotSame(first, threadOfAnEvent(loop));
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    /** Registers a handle for the time of one event. */
    private static Thread threadOfAnEvent(IoEventLoop loop) throws Exception {
        var handle = new Handle();
        IoRegistration registration = loop.register(handle).sync().getNow();
        registration.submit(KnoteIoOps.of(1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0));
        registration.submit(trigger());
        Thread thread = handle.threads.poll(20, TimeUnit.SECONDS);
        assertNotNull(thread);
        assertTrue(registration.cancel());
        return thread;
    }

    private static KnoteIoOps trigger() {
        return KnoteIoOps.of(1, EVFILT_USER, EV_KEEPUDATA, NOTE_TRIGGER, 0);
    }

    private static void suspend(IoEventLoop loop) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!loop.isSuspended() && System.nanoTime() < deadline) {
            loop.trySuspend();
            Thread.onSpinWait();
        }
        assertTrue(loop.isSuspended());
    }
}
