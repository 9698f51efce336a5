package dev.knote.transport;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_KEEPUDATA;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Fds;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the loop stands what its handles do, what it reports, and what it costs to have it. */
@Timeout(60)
class LoopConductTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long SOON = 5_000_000_000L;

    private static KnoteIoOps user(long ident) {
        return KnoteIoOps.of(ident, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0);
    }

    private static KnoteIoOps trigger(long ident) {
        return KnoteIoOps.of(ident, EVFILT_USER, EV_KEEPUDATA, NOTE_TRIGGER, 0);
    }

    private static void raise(Throwable t) {
        LoopConductTest.<RuntimeException>raiseAnything(t);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void raiseAnything(Throwable t) throws T {
        throw (T) t;
    }

    @Test
    void whateverAHandleThrowsTheOthersAreServedAndTheLoopGoesOn() throws Exception {
        try (var loop = new HandLoop()) {
            Throwable[] thrown = {new IllegalStateException("a handle's"),
                    new StackOverflowError("a handle's"),
                    new java.io.IOException("a handle's"), new AssertionError("a handle's")};
            var handles = new RecordingHandle[thrown.length];
            for (int i = 0; i < thrown.length; i++) {
                Throwable t = thrown[i];
                handles[i] = new RecordingHandle();
                handles[i].then = () -> raise(t);
                IoRegistration registration = loop.register(handles[i]);
                registration.submit(user(i));
                registration.submit(trigger(i));
            }
            loop.turn(SOON);
            for (RecordingHandle handle : handles) {
                assertEquals(1, handle.events.size());
            }
            var after = new RecordingHandle();
            IoRegistration registration = loop.register(after);
            registration.submit(user(100));
            registration.submit(trigger(100));
            assertEquals(1, loop.turn(SOON));
        }
    }

    @Test
    void aHandleThatThrowsWhenItIsClosedOrUnregisteredDoesNotKeepTheOthersFromIt() throws Exception {
        var last = new RecordingHandle();
        try (var loop = new HandLoop()) {
            for (int i = 0; i < 3; i++) {
                loop.register(new RecordingHandle() {
                    @Override
                    public void close() {
                        raise(new IllegalStateException("a handle's"));
                    }

                    @Override
                    public void unregistered() {
                        raise(new IllegalStateException("a handle's"));
                    }
                });
            }
            loop.register(last);
        }
        assertTrue(last.life.contains("closed"));
        assertTrue(last.life.contains("unregistered"));
    }

    @Test
    void aHandleThatThrowsWhenItIsRegisteredIsNotRegistered() throws Exception {
        try (var loop = new HandLoop()) {
            var handle = new RecordingHandle() {
                @Override
                public void registered() {
                    raise(new IllegalStateException("a handle's"));
                }
            };
            assertThrows(IllegalStateException.class, () -> loop.register(handle));
            loop.handler.prepareToDestroy();
            assertEquals(java.util.List.of("unregistered"), java.util.List.copyOf(handle.life));
        }
    }

    /**
     * What Netty says not to do: the fd is closed first, and its number is another's before anybody is told.
     */
    @Test
    void aNewFdWithTheNumberOfOneThatWasClosedWithoutAWordIsTheNewHandlesAlone() throws Exception {
        try (var loop = new HandLoop(); Arena arena = Arena.ofShared()) {
            MemorySegment one = arena.allocate(8);
            one.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, 1);
            var old = new RecordingHandle();
            IoRegistration stale = loop.register(old);
            int fd = Fds.eventfd();
            stale.submit(KnoteIoOps.of(fd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, "old"));
            Fds.close(fd);
            int again = Fds.eventfd();
            assumeTrue(again == fd, "another thread has taken the number");
            var successor = new RecordingHandle();
            loop.register(successor).submit(KnoteIoOps.of(fd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, "new"));
            stale.cancel();
            Fds.write(again, one.address(), 8);
            assertEquals(1, loop.turn(SOON));
            assertEquals("new", successor.events.remove().udata());
            assertTrue(old.events.isEmpty());
            Fds.close(again);
        }
    }

    @Test
    void timersAndHandlesCountTurnsWithoutEventsDoNot() throws Exception {
        try (var loop = new HandLoop()) {
            assertEquals(0, loop.turn(1_000_000));
            var handle = new RecordingHandle();
            loop.register(handle).submit(KnoteIoOps.of(1, EVFILT_TIMER, EV_ADD, 0, 1));
            assertEquals(1, loop.turn(SOON));
        }
    }

    @Test
    void theTimeReportedIsThatOfTheHandlesAndNotOfTheSleep() throws Exception {
        try (var loop = new HandLoop()) {
            loop.reports = true;
            loop.turn(20_000_000);
            assertEquals(0, loop.reported);
            var handle = new RecordingHandle();
            handle.then = () -> spin(5_000_000);
            long began = System.nanoTime();
            loop.register(handle).submit(KnoteIoOps.of(1, EVFILT_TIMER, EV_ADD, 0, 300));
            loop.turn(SOON);
            long turn = System.nanoTime() - began;
            assertTrue(loop.reported >= 5_000_000, "reported " + loop.reported);
            assertTrue(turn - loop.reported >= 200_000_000,
                    "slept a part of " + turn + ", reported " + loop.reported);
        }
    }

    /**
     * Tasks that began later than they should have, since the handles had their turn: those have had less time than from
     * the last task to the first one.
     */
    private static final class Turns {
        private long lastTask = System.nanoTime();
        private long tasksEnd;
        private boolean handled;
        private int late;
        private int mostLate;

        void handle() {
            handled = true;
        }

        void task() {
            long now = System.nanoTime();
            if (handled) {
                handled = false;
                late = 0;
                tasksEnd = now + now - lastTask;
            }
            late += now > tasksEnd ? 1 : 0;
            mostLate = Math.max(mostLate, late);
            spin(500_000);
            lastTask = System.nanoTime();
        }
    }

    /** Half of it, here. Netty looks at the clock after each 64 tasks. */
    @Test
    void theShareOfTheTimeThatHandlesAreToHaveIsKept() throws Exception {
        IoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try {
            var loop = (SingleThreadIoEventLoop) group.next();
            loop.setIoRatio(50);
            int tasks = 640;
            var turns = new Turns(); // the loop's
            var ran = new CountDownLatch(tasks);
            var handle = new RecordingHandle();
            handle.then = () -> {
                turns.handle();
                spin(2_000_000);
            };
            IoRegistration registration = loop.register(handle).sync().getNow();
            registration.submit(KnoteIoOps.of(1, EVFILT_USER, EV_ADD, 0, 0)); // level triggered
            registration.submit(trigger(1));
            assertNotNull(handle.events.poll(20, TimeUnit.SECONDS)); // from now on it has one in each turn
            loop.execute(() -> { // so that all are there when the first is run
                for (int i = 0; i < tasks; i++) {
                    loop.execute(() -> {
                        turns.task();
                        ran.countDown();
                    });
                }
            });
            assertTrue(ran.await(40, TimeUnit.SECONDS));
            assertTrue(turns.mostLate <= 65,
                    turns.mostLate + " tasks too many without a look at the handles");
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private static void spin(long nanos) {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    @Test
    void anInterruptOfItsThreadDoesNotMakeTheLoopSpin() {
        try (var loop = new HandLoop()) {
            Thread.currentThread().interrupt();
            loop.turn(SOON);
            long began = System.nanoTime();
            loop.turn(20_000_000);
            assertTrue(System.nanoTime() - began >= 20_000_000);
        } finally {
            Thread.interrupted();
        }
    }

    /** Netty wakes an idle loop once a second. */
    @Test
    void anIdleLoopWithRegistrationsUsesNoMeasurableTimeOfACpu() throws Exception {
        IoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        try {
            IoEventLoop loop = group.next();
            int fd = Fds.eventfd();
            IoRegistration registration = loop.register(new RecordingHandle()).sync().getNow();
            registration.submit(KnoteIoOps.of(fd, EVFILT_READ, EV_ADD, 0, 0));
            registration.submit(user(1));
            long id = ((SingleThreadEventExecutor) loop).threadProperties().id();
            var threads = ManagementFactory.getThreadMXBean();
            long seconds = FULL ? 10 : 3;
            LockSupport.parkNanos(200_000_000); // compiling, and first use
            long before = threads.getThreadCpuTime(id);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            while (System.nanoTime() < end) {
                LockSupport.parkNanos(end - System.nanoTime());
            }
            long used = threads.getThreadCpuTime(id) - before;
            assertTrue(used < seconds * 3_000_000, "used " + used + " ns in " + seconds + " s");
            Fds.close(fd);
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
