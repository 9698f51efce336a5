package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * No wakeup is lost, whenever it comes; none counts as an event; none is written to an fd that is not the
 * loop's.
 */
@Timeout(60)
class LoopWakeupTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long SHORT_NANOS = 10_000_000_000L;
    private static final long FOR_EVER = TimeUnit.MINUTES.toNanos(10);

    /** What another thread does is over when this returns. */
    private static void elsewhere(Runnable action) {
        Thread thread = Thread.ofPlatform().start(action);
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aTaskThatComesBeforeTheLoopSaysThatItSleepsIsSeen() {
        try (var loop = new HandLoop()) {
            var ran = new AtomicBoolean();
            loop.whenAsked = times -> {
                if (times == 2) { // when it has said so
                    elsewhere(() -> loop.tasks.add(() -> ran.set(true)));
                }
            };
            assertEquals(0, loop.turn(FOR_EVER));
            assertTrue(ran.get());
        }
    }

    @Test
    void aWakeupThatComesAfterTheLastLookEndsTheSleep() {
        try (var loop = new HandLoop()) {
            var woken = new AtomicBoolean();
            loop.whenAsked = times -> {
                if (times == 2) { // what canBlock() answers now is no more true when it has answered
                    elsewhere(loop.handler::wakeup);
                    woken.set(true);
                }
            };
            assertEquals(0, loop.turn(FOR_EVER));
            assertTrue(woken.get());
        }
    }

    @Test
    void anAnsweredWakeupDoesNotEndTheNextSleep() {
        try (var loop = new HandLoop()) {
            for (int i = 0; i < 20; i++) {
                loop.whenAsked = times -> {
                    if (times == 2) {
                        elsewhere(loop.handler::wakeup);
                    }
                };
                loop.turn(FOR_EVER);
                loop.whenAsked = times -> {};
                long began = System.nanoTime();
                loop.turn(5_000_000);
                assertTrue(System.nanoTime() - began >= 5_000_000, "slept its time");
            }
        }
    }

    @Test
    void aWakeupOfAnAwakeLoopIsForgottenWithoutATrace() {
        try (var loop = new HandLoop()) {
            elsewhere(loop.handler::wakeup);
            long began = System.nanoTime();
            assertEquals(0, loop.turn(20_000_000));
            assertTrue(System.nanoTime() - began >= 20_000_000);
        }
    }

    /** Each thread has one task under way: most find the loop on its way to sleep. Short on a busy machine, too. */
    @Test
    void noTaskOfManyThreadsWaits() throws Exception {
        int threads = 3;
        int rounds = FULL ? 200_000 : 10_000;
        var done = new CountDownLatch(threads);
        try (var loop = new HandLoop()) {
            List<Thread> submitters = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                submitters.add(Thread.ofPlatform().start(() -> submitOneByOne(loop, rounds, done)));
            }
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(FULL ? 50 : 40);
            while (done.getCount() > 0 && System.nanoTime() < deadline) {
                loop.turn(FOR_EVER);
            }
            assertEquals(0, done.getCount(), "all tasks of all threads ran");
            for (Thread thread : submitters) {
                thread.join();
            }
        }
    }

    private static void submitOneByOne(HandLoop loop, int rounds, CountDownLatch done) {
        var ran = new AtomicInteger();
        long begin = System.nanoTime();
        for (int i = 1; i <= rounds && (FULL || System.nanoTime() - begin < SHORT_NANOS); i++) {
            loop.execute(ran::incrementAndGet);
            while (ran.get() < i) {
                Thread.onSpinWait();
                Thread.yield();
            }
        }
        loop.execute(done::countDown);
    }

    @Test
    void aWakeupBeforeTheFirstTurnAndAfterTheLastIsHarmless() {
        var loop = new HandLoop();
        loop.handler.wakeup();
        elsewhere(loop.handler::wakeup);
        loop.close();
        loop.handler.wakeup();
        elsewhere(loop.handler::wakeup);
    }

    /** The numbers of the fds that a loop closes are used again at once, by fds that would show a write. */
    @Test
    void aWakeupNeverWritesToAnFdThatHasGotTheNumberOfOneOfTheLoop() throws Exception {
        int rounds = FULL ? 3_000 : 150;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment counter = arena.allocate(8);
            for (int i = 0; i < rounds; i++) {
                var loop = new HandLoop();
                var stop = new AtomicBoolean();
                List<Thread> wakers = new ArrayList<>();
                for (int k = 0; k < 2; k++) {
                    wakers.add(Thread.ofPlatform().start(() -> {
                        while (!stop.get()) {
                            loop.handler.wakeup();
                        }
                    }));
                }
                for (int turn = 0; turn < 20; turn++) {
                    loop.turn(1_000);
                }
                loop.close();
                int[] fds = new int[8];
                for (int k = 0; k < fds.length; k++) {
                    fds[k] = Fds.eventfd();
                }
                stop.set(true);
                for (Thread waker : wakers) {
                    waker.join();
                }
                for (int fd : fds) {
                    long read = Fds.read(fd, counter.address(), 8);
                    Fds.close(fd);
                    assertEquals(-Errno.EAGAIN, read, "nobody has written to fd " + fd);
                }
            }
        }
    }
}
