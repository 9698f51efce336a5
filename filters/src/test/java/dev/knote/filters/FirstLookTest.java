package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.conformance.Pipe;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel has is looked at before what is on the list, where the order can be told. */
@Timeout(60)
class FirstLookTest {
    private final KeventList list = KeventList.allocate(2);
    private EventQueue queue;

    @AfterEach
    void close() {
        queue.close();
    }

    private void open(boolean owner) {
        queue = EventQueue.open(owner ? Options.defaults().singleOwner() : Options.defaults());
    }

    private int change(Duration timeout, int room) {
        return queue.kevent(list, 1, room == 0 ? null : list, room, timeout);
    }

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void aTriggeredUserThatFillsEveryCallLetsFdsHaveTheirTurn(boolean owner) {
        open(owner);
        try (Pipe pipe = new Pipe()) {
            list.set(0, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
            assertEquals(0, change(null, 0));
            list.set(0, pipe.reader(), EVFILT_READ, EV_ADD, 0, 0, null);
            assertEquals(0, change(null, 0));
            pipe.write(1);
            Map<Integer, Integer> seen = new TreeMap<>();
            for (int i = 0; i < 10; i++) {
                assertEquals(1, queue.kevent(null, 0, list, 1, Duration.ZERO));
                seen.merge(list.filter(0), 1, Integer::sum);
            }
            assertTrue(seen.getOrDefault(EVFILT_READ, 0) >= 4, seen.toString());
        }
    }

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void triggersThatFillEveryCallLetFdsHaveTheirTurn(boolean owner) {
        open(owner);
        try (Pipe pipe = new Pipe()) {
            list.set(0, pipe.reader(), EVFILT_READ, EV_ADD, 0, 0, null);
            assertEquals(0, change(null, 0));
            pipe.write(1);
            int calls = 0;
            do {
                assertTrue(calls++ < 100, "the fd is never served");
                list.set(0, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, null);
                assertEquals(0, change(null, 0));
                list.set(0, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
                assertEquals(1, change(Duration.ZERO, 1));
            } while (list.filter(0) == EVFILT_USER);
        }
    }

    /** Threads that sleep for words tell of a wake when they run. */
    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void aWordThatWasWokenAndIsAddedWithAnotherValueHasOneEvent(boolean owner) {
        open(owner);
        assumeTrue(queue.pollerName().equals("io_uring"), "no ring here");
        try (SharedMemory memory = SharedMemory.anonymous(64)) {
            MemorySegment word = memory.word32(0);
            for (int round = 0; round < 100; round++) {
                list.set(0, word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
                if (change(Duration.ZERO, 1) == 1) { // another value than before
                    assertEquals(0, queue.kevent(null, 0, list, 1, Duration.ZERO), "round " + round);
                }
                queue.wake(word, 1);
                list.set(0, word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 1, null);
                assertEquals(1, change(Duration.ZERO, 1));
                assertEquals(0, queue.kevent(null, 0, list, 1, Duration.ofMillis(2)), "round " + round);
            }
        }
    }
}
