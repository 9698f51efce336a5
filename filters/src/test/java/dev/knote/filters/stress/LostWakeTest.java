package dev.knote.filters.stress;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Wakes that are easily lost, one by one. The word never changes: nothing but the wake itself can be seen. */
@Timeout(60)
class LostWakeTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final MemorySegment word = memory.word32(0);

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void aWakeAfterTheExitOfTheThreadThatRegisteredTheWordIsAnEvent() throws Exception {
        try (EventQueue queue = EventQueue.open()) {
            inThread(() -> queue.register(UserMem.int32(word, 0), "word"));
            queue.wake(word, 1);
            assertEquals(1, queue.poll(event -> {}, LONG));
        }
    }

    @Test
    void aWordIsArmedWhenACallThatWasWokenUpReturns() {
        try (EventQueue queue = EventQueue.open(Options.defaults().singleOwner())) {
            queue.poll(event -> {}, Duration.ZERO);
            KeventList list = KeventList.allocate(1);
            list.set(0, word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, "word");
            queue.wakeup();
            assertEquals(0, Kqueue.kevent(queue.fd(), list, 1, list, 1, null));
            assertEquals(1, Futex.wake(word.address(), 1), "waiters woken");
            assertEquals(1, queue.poll(event -> {}, LONG));
        }
    }

    @Test
    void severalWakesInACallOfAnotherThreadThanTheOwnerArriveAndLeaveTheOwnersWordsWorking()
            throws Exception {
        MemorySegment other = memory.word32(1);
        try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner());
                EventQueue waiter = EventQueue.open()) {
            owned.poll(event -> {}, Duration.ZERO);
            waiter.register(UserMem.int32(word, 0), "word");
            waiter.register(UserMem.int32(other, 0), "other");
            KeventList wakes = KeventList.allocate(2);
            wakes.set(0, word, EVFILT_USERMEM, EV_ANON, NOTE_TRIGGER, 1, null);
            wakes.set(1, other, EVFILT_USERMEM, EV_ANON, NOTE_TRIGGER, 1, null);
            inThread(() -> Kqueue.kevent(owned.fd(), wakes, 2, null, 0, null));
            int first = waiter.poll(event -> {}, LONG);
            assertEquals(2, first == 2 ? 2 : first + waiter.poll(event -> {}, LONG));
            MemorySegment third = memory.word32(2);
            owned.register(UserMem.int32(third, 0), "third");
            waiter.wake(third, 1);
            assertEquals(1, owned.poll(event -> {}, LONG));
        }
    }

    /** What completes just before the sleep is collected by the call that is about to sleep. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWakeJustBeforeTheCallDoesNotWaitForTheNextLookAround(boolean singleOwner) {
        Options options = singleOwner ? Options.defaults().singleOwner() : Options.defaults();
        try (EventQueue queue = EventQueue.open(options)) {
            queue.register(UserMem.int32(word, 0), "word");
            long begin = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                queue.wake(word, 1);
                assertEquals(1, queue.poll(event -> {}, Duration.ofSeconds(5)));
            }
            long millis = (System.nanoTime() - begin) / 1_000_000;
            assertTrue(millis < 2000, "20 events took " + millis + " ms");
        }
    }

    private static void inThread(Runnable task) throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                task.run();
            } catch (Throwable t) {
                failure.set(t);
            }
        });
        thread.join();
        if (failure.get() != null) {
            throw new AssertionError("in the other thread", failure.get());
        }
    }
}
