package dev.knote.filters.stress;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Futex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads in each other's way on one queue. */
@Timeout(600)
class SharedQueueRaceTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** One thread's call has made the knote and is about to arm its word; another deletes it there. */
    @Test
    void noWordStaysArmedForAKnoteDeletedWhileItsRegistrationWasUnderWay() throws Exception {
        int rounds = StressSize.of(500_000, 5_000);
        AtomicInteger round = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                EventQueue queue = EventQueue.open();
                Crew crew = new Crew(() -> "round " + round + ", done " + done)) {
            MemorySegment word = memory.word32(0);
            crew.start("registers", () -> {
                for (int i = 1; i <= rounds; i++) {
                    int now = i;
                    crew.await("round " + now, () -> round.get() >= now);
                    queue.register(UserMem.int32(word, 0), null);
                    done.incrementAndGet();
                }
            });
            for (int i = 1; i <= rounds; i++) {
                int now = i;
                round.set(i);
                Crew.jitter(60);
                while (!delete(queue, word)) {
                    Thread.onSpinWait();
                }
                crew.await("the registration " + now, () -> done.get() >= now);
                assertEquals(0, Futex.wake(word.address(), 1), "waiters for a deleted knote, round " + i);
            }
            crew.join(StressSize.PATIENCE);
        }
    }

    /**
     * A thread that arms a word collects completions too, among them the one that is to wake the thread that waits.
     */
    @Test
    void anFdIsSeenAtOnceWhateverOtherThreadsDoOnTheQueue() throws Exception {
        int rounds = StressSize.of(1_000_000, 5_000);
        AtomicLong seen = new AtomicLong();
        AtomicLong written = new AtomicLong();
        int fd = Fds.eventfd();
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                EventQueue queue = EventQueue.open();
                Arena arena = Arena.ofConfined();
                Crew crew = new Crew(() -> "written " + written + ", seen " + seen)) {
            MemorySegment one = arena.allocate(8, 8);
            one.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, 1);
            queue.register(Read.of(fd).clear(), null);
            Knote end = queue.register(User.of(1), "end");
            AtomicInteger ended = new AtomicInteger();
            crew.start("waits", () -> {
                while (ended.get() == 0) {
                    queue.poll(event -> {
                        if (event.attachment() != null) {
                            ended.set(1);
                        } else {
                            seen.set(written.get());
                        }
                    }, null);
                }
            });
            AtomicLong armed = new AtomicLong();
            crew.start("arms", () -> {
                for (long i = 1; i <= rounds; i++) {
                    long now = i;
                    crew.await("write " + i, () -> written.get() >= now);
                    Crew.jitter(400);
                    Knote knote = queue.register(UserMem.int32(memory.word32(0), 0), null);
                    armed.set(i);
                    crew.await("the event of write " + i, () -> seen.get() >= now);
                    knote.cancel();
                }
            });
            int late = 0;
            for (long i = 1; i <= rounds; i++) {
                long now = i;
                Crew.jitter(400);
                long begin = System.nanoTime();
                written.set(i);
                Fds.write(fd, one.address(), 8);
                crew.await("the event of write " + i, () -> seen.get() >= now && armed.get() >= now);
                late += System.nanoTime() - begin > 200_000_000 ? 1 : 0;
            }
            end.trigger();
            crew.join(LONG);
            // While words are watched the queue looks around every 250 ms; an event must not have to wait for that.
            assertTrue(late <= 2, late + " events came late");
        } finally {
            Fds.close(fd);
        }
    }

    private static boolean delete(EventQueue queue, MemorySegment word) {
        KeventList change = KeventList.allocate(1);
        change.set(0, word, EVFILT_USERMEM, Kqueue.EV_DELETE, 0, 0, null);
        try {
            Kqueue.kevent(queue.fd(), change, 1, null, 0, null);
            return true;
        } catch (KeventException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            return false;
        }
    }
}
