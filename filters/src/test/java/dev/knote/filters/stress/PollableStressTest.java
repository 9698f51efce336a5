package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.linux.Epoll;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Threads activate knotes while another waits for the queue's fd in an epoll set of its own, and for nothing else. */
@Timeout(600)
class PollableStressTest {
    private static final int KNOTES = 4;
    private static final int THREADS = 3;
    private static final int EDGE = Epoll.EPOLLET;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment event = arena.allocate(16, 8);
    private final int set = Epoll.epoll_create1();
    private final KeventList events = KeventList.allocate(16);
    private final AtomicLongArray asked = new AtomicLongArray(THREADS * KNOTES);
    private final AtomicLongArray seen = new AtomicLongArray(THREADS * KNOTES);
    private final AtomicBoolean ends = new AtomicBoolean();

    @AfterEach
    void close() {
        Fds.close(set);
        arena.close();
    }

    /** Each thread has a USER knote, a timer, a private word and a word, and waits until each activation was seen. */
    @ParameterizedTest(name = "single owner {0}, edge triggered {1}")
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void none_is_missed(boolean owner, boolean edge) throws Exception {
        Options options = Options.defaults().pollable();
        List<Thread> threads = new ArrayList<>();
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                EventQueue queue = EventQueue.open(owner ? options.singleOwner() : options)) {
            queue.poll(ignored -> {}, Duration.ZERO); // the owner
            assertEquals(0, Epoll.epoll_ctl(
                    set, Epoll.EPOLL_CTL_ADD, queue.fd(), Epoll.EPOLLIN | (edge ? EDGE : 0), 0, event));
            for (int t = 0; t < THREADS; t++) {
                threads.add(activator(queue, memory, t));
            }
            threads.forEach(Thread::start);
            while (!ends.get() || total(seen) < total(asked)) {
                waitForTheSet();
                while (take(queue) && edge) {
                    // an edge is news of what comes, not of what is there
                }
            }
        } finally {
            ends.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        assertEquals(0, Epoll.epoll_wait(set, event, 1, 0), "readable after it was closed");
    }

    private void waitForTheSet() {
        int n = 0;
        long begin = System.nanoTime();
        while (n == 0 && !(ends.get() && total(seen) == total(asked))) {
            assertTrue(System.nanoTime() - begin < StressSize.PATIENCE.toNanos(),
                    () -> "not told of an event: " + asked + " asked for, seen " + seen);
            n = Epoll.epoll_wait(set, event, 1, 1000);
        }
    }

    private boolean take(EventQueue queue) {
        int n = queue.kevent(null, 0, events, 16, Duration.ZERO);
        for (int i = 0; i < n; i++) {
            assertEquals(0, events.flags(i) & EV_ERROR, () -> "errno " + events.data(0));
            seen.incrementAndGet((Integer) events.udata(i));
        }
        return n > 0;
    }

    private static long total(AtomicLongArray counts) {
        long total = 0;
        for (int i = 0; i < counts.length(); i++) {
            total += counts.get(i);
        }
        return total;
    }

    private Thread activator(EventQueue queue, SharedMemory memory, int t) {
        int first = t * KNOTES;
        MemorySegment ours = memory.word32(2 * t);
        MemorySegment word = memory.word32(2 * t + 1);
        queue.register(UserMem.privately(UserMem.int32(ours, 0)), first);
        queue.register(UserMem.int32(word, 0), first + 1);
        Knote knote = queue.register(User.of(t).clear(), first + 2);
        int rounds = StressSize.of(1_000_000, 50_000);
        return Thread.ofPlatform().unstarted(() -> {
            long begin = System.nanoTime();
            try {
                for (int i = 1; StressSize.goesOn(i, rounds, begin) && !ends.get(); i++) {
                    activate(queue, knote, ours, word, first + i % KNOTES);
                }
            } finally {
                await(() -> total(seen) >= total(asked));
                ends.set(true);
            }
        });
    }

    private void activate(EventQueue queue, Knote knote, MemorySegment ours, MemorySegment word, int which) {
        long before = asked.getAndIncrement(which);
        switch (which % KNOTES) {
            case 0 -> queue.wakePrivately(ours, 1);
            case 1 -> queue.wake(word, 1);
            case 2 -> knote.trigger();
            default -> queue.register(Timer.after(which, Duration.ofNanos(before % 3 * 100_000)), which);
        }
        await(() -> seen.get(which) > before || ends.get());
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean() && System.nanoTime() - begin < 2 * StressSize.PATIENCE.toNanos()) {
            Thread.yield();
        }
    }
}
