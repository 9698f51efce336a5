package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.KQUEUE_FD_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.filters.conformance.OpenFds;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Wakes and waits without a queue: KQUEUE_FD_ANON. */
@Timeout(60)
class AnonTest {
    private static final int WORDS = 3;
    private static final Width WIDTH = Width.INT;

    private final List<Queue> queues = new ArrayList<>();
    private final KeventList list = KeventList.allocate(8);
    private TestMemory memory;

    @BeforeEach
    void open() throws Exception {
        memory = Place.SHM.open();
    }

    private Queue newQueue() {
        Queue made = new Queue();
        queues.add(made);
        return made;
    }

    @AfterEach
    void close() throws Exception {
        queues.forEach(Queue::close);
        memory.close();
    }

    private MemorySegment word(int i) {
        return memory.word(i, WIDTH);
    }

    /** Waits for any of the words, a user event and a timer. */
    private int waitForAny(Duration timer, Duration timeout) {
        for (int i = 0; i < WORDS; i++) {
            list.set(i, word(i), EVFILT_USERMEM, EV_ADD, WIDTH.fflags, Width.VALUE, "word " + i);
        }
        list.set(WORDS, 1, EVFILT_USER, EV_ADD, 0, 0, "user");
        list.set(WORDS + 1, 1, EVFILT_TIMER, EV_ADD, 0, timer.toMillis(), "timer");
        return Kqueue.kevent(KQUEUE_FD_ANON, list, WORDS + 2, list, list.size(), timeout);
    }

    private void assertNothingIsArmed() {
        for (int i = 0; i < WORDS; i++) {
            assertEquals(0, Futex.wake(word(i).address(), 1000), "waiters of word " + i);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void aWakeNeedsTheAddressAlone(Place place) throws Exception {
        try (TestMemory there = place.open()) {
            MemorySegment target = there.word(1, WIDTH);
            Queue queue = newQueue();
            queue.add(target, WIDTH);
            list.set(0, target.address(), EVFILT_USERMEM, 0, NOTE_TRIGGER, 1, null);
            assertEquals(0, Kqueue.kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
            queue.await(target);
            queue.close();
        }
    }

    @Test
    void aWakeMakesNoQueue() throws Exception {
        Queue.anonWake(word(0), 1, 0);
        List<String> before = OpenFds.list();
        for (int i = 0; i < 100; i++) {
            Queue.anonWake(word(0), 1, 0);
        }
        OpenFds.assertNoneBut(before);
    }

    @Test
    void aWaitEndsWithTheWordThatWasWoken() throws Exception {
        for (int round = 0; round < 20; round++) {
            int woken = round % WORDS;
            var waiting = new FutureTask<>(() -> waitForAny(Queue.LONG, Queue.LONG));
            OsThread.start(waiting);
            OsThread.await(() -> Futex.wake(word(woken).address(), 1) == 1, "the wait");
            assertEquals(1, waiting.get());
            assertEquals("word " + woken, list.udata(0));
            assertEquals(Width.VALUE, list.data(0));
            assertNothingIsArmed();
        }
    }

    @Test
    void aWaitEndsAtOnceWithTheWordThatDiffers() {
        WIDTH.store(word(1), WIDTH.other);
        assertEquals(1, waitForAny(Queue.LONG, Queue.LONG));
        assertEquals("word 1", list.udata(0));
        assertEquals(WIDTH.other, list.data(0));
        assertNothingIsArmed();
    }

    @Test
    void aWaitEndsWithTheTimer() {
        assertEquals(1, waitForAny(Queue.SHORT, Queue.LONG));
        assertEquals("timer", list.udata(0));
        assertNothingIsArmed();
    }

    @Test
    void aWaitEndsWithAUserEvent() {
        list.set(0, word(0), EVFILT_USERMEM, EV_ADD, WIDTH.fflags, Width.VALUE, null);
        list.set(1, 7, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, "user");
        assertEquals(1, Kqueue.kevent(KQUEUE_FD_ANON, list, 2, list, list.size(), Queue.LONG));
        assertEquals("user", list.udata(0));
        assertNothingIsArmed();
    }

    @Test
    void aWaitEndsAfterItsTimeout() {
        long start = System.nanoTime();
        assertEquals(0, waitForAny(Queue.LONG, Duration.ofMillis(30)));
        assertTrue(System.nanoTime() - start >= 30_000_000, "too early");
        assertNothingIsArmed();
        assertEquals(0, waitForAny(Queue.LONG, Duration.ZERO));
        assertNothingIsArmed();
    }

    @Test
    void aWaitThatFailsLeavesNothingArmed() {
        list.set(0, word(0), EVFILT_USERMEM, EV_ADD, WIDTH.fflags, Width.VALUE, null);
        list.set(1, word(1), EVFILT_USERMEM, EV_ADD, 0, Width.VALUE, null);
        Queue.assertErrno(Errno.EINVAL, () -> Kqueue.kevent(KQUEUE_FD_ANON, list, 2, null, 0, null));
        assertNothingIsArmed();
    }

    @Test
    void aWakeAfterAWaitGoesToTheNextWaiter() throws Exception {
        var waiting = new FutureTask<>(() -> waitForAny(Queue.LONG, Duration.ofMillis(100)));
        OsThread.start(waiting);
        Queue next = newQueue();
        next.add(word(0), WIDTH);
        assertEquals(0, waiting.get());
        Queue.anonWake(word(0), 1, 0);
        next.await(word(0));
    }

    @Test
    void aWaitThatEndsByAnotherWordSwallowsNoWake() throws Exception {
        for (int round = 0; round < 20; round++) {
            var waiting = new FutureTask<>(() -> waitForAny(Queue.LONG, Queue.LONG));
            OsThread.start(waiting).awaitPolling();
            Queue next = newQueue();
            next.add(word(0), WIDTH);
            Queue.anonWake(word(1), 1, 0);
            Queue.anonWake(word(0), 1, 0); // counted for the one that is about to leave, or for the next
            int n = waiting.get();
            boolean hadIt = n == 2 || list.udata(0).equals("word 0");
            if (!hadIt) {
                next.await(word(0));
            }
            next.close();
        }
    }

    @Test
    void waitsOfManyThreadsAreEachTheirOwn() throws Exception {
        List<FutureTask<Object>> waits = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            MemorySegment target = word(i);
            FutureTask<Object> each = new FutureTask<>(() -> {
                KeventList own = KeventList.allocate(1);
                own.set(0, target, EVFILT_USERMEM, EV_ADD, WIDTH.fflags, Width.VALUE, target);
                assertEquals(1, Kqueue.kevent(KQUEUE_FD_ANON, own, 1, own, 1, Queue.LONG));
                return own.udata(0);
            });
            OsThread.start(each).awaitPolling();
            waits.add(each);
        }
        for (int i = 11; i >= 0; i--) {
            Queue.anonWake(word(i), 1000, 0);
            assertEquals(word(i), waits.get(i).get());
        }
    }
}
