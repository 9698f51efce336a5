package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Waiters of every kind are moved to another word. */
@Timeout(60)
class RequeueTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    @TempDir
    private static Path temp;

    private final SharedMemory memory = SharedMemory.create("knote-requeue-" + System.nanoTime(), 4096);
    private final MemorySegment from = memory.word32(1);
    private final MemorySegment to = memory.word32(2);
    private final List<Long> seen = new ArrayList<>();

    @AfterEach
    void close() {
        assertEquals(0, Words.wake(from, 1000) + Words.wake(to, 1000), "waiters left");
        memory.close();
        memory.unlink();
    }

    private int poll(EventQueue queue, Duration timeout) {
        return queue.poll(event -> seen.add(event.data()), timeout);
    }

    @Test
    void someAreWokenSomeMovedSomeLeft() {
        for (int i = 0; i < 5; i++) {
            Wait.sleeper(from);
        }
        assertEquals(3, Requeue.move(from, 0, 1, 2, to));
        assertEquals(2, Wait.asleep(from));
        assertEquals(2, Wait.asleep(to));
        assertEquals(2, Words.wake(to, 9));
        assertEquals(2, Words.wake(from, 9));
    }

    @Test
    void nobodyIsTouchedIfTheValueIsAnother() {
        Wait.sleeper(from);
        Words.set(from, 3);
        assertEquals(Requeue.DIFFERS, Requeue.move(from, 0, 1, 1, to));
        assertEquals(1, Words.wake(from, 9));
    }

    @Test
    void aKnoteThatWasMovedFiresWithTheNewWordAndWaitsForItsOwnAgain() {
        try (EventQueue queue = EventQueue.open(); EventQueue owned = EventQueue.open()) {
            for (EventQueue q : List.of(queue, owned)) {
                seen.clear();
                Words.set(from, 5);
                q.register(UserMem.int32(from, 5), null);
                assertEquals(1, Requeue.move(from, 5, 0, 9, to));
                Words.set(from, 6);
                assertEquals(0, Words.wake(from, 9), "it is not here");
                assertEquals(0, poll(q, Duration.ofMillis(15)));
                assertEquals(1, Words.wake(to, 9));
                assertEquals(1, poll(q, LONG));
                assertEquals(List.of(6L), seen, "its own word's value");
                assertEquals(1, Words.wake(from, 9), "it waits for its own word again");
                assertEquals(1, poll(q, LONG));
                q.close();
            }
        }
    }

    @Test
    void theOrderIsKept() {
        try (EventQueue first = EventQueue.open(); EventQueue third = EventQueue.open()) {
            first.register(UserMem.int32(from, 0).oneShot(), null);
            Thread second = Wait.sleeper(from);
            third.register(UserMem.int32(from, 0).oneShot(), null);
            assertEquals(3, Requeue.move(from, 0, 0, 9, to));
            assertEquals(1, Words.wake(to, 1));
            assertEquals(1, poll(first, LONG));
            assertTrue(second.isAlive());
            assertEquals(1, Words.wake(to, 1));
            Wait.until(() -> Wait.hasEnded(second), "the second");
            assertEquals(0, poll(third, Duration.ofMillis(15)));
            assertEquals(1, Words.wake(to, 1));
            assertEquals(1, poll(third, LONG));
        }
    }

    @Test
    void aKnoteThatWasMovedIsDeletedAndTakesNoWake() {
        try (EventQueue queue = EventQueue.open()) {
            Knote knote = queue.register(UserMem.int32(from, 0), null);
            assertEquals(1, Requeue.move(from, 0, 0, 1, to));
            Wait.sleeper(to);
            knote.cancel();
            assertEquals(1, Wait.asleep(to), "the other alone");
            assertEquals(1, Words.wake(to, 1));
        }
    }

    /** Where the wake belongs to another word than the knote's: what the javadoc says becomes of it. */
    @Test
    void aWakeOfAMovedKnoteThatIsDeletedGoesToItsOwnWordsNextWaiter() {
        try (EventQueue queue = EventQueue.open()) {
            Knote knote = queue.register(UserMem.int32(from, 0), null);
            assertEquals(1, Requeue.move(from, 0, 0, 1, to));
            Thread next = Wait.sleeper(from);
            assertEquals(1, Words.wake(to, 1));
            knote.cancel();
            Wait.until(() -> Wait.hasEnded(next), "the wake that was passed on");
        }
    }

    @Test
    void aQueueThatClosesTakesItsMovedWaitsAlong() {
        EventQueue queue = EventQueue.open();
        queue.register(UserMem.int32(from, 0), null);
        assertEquals(1, Requeue.move(from, 0, 0, 1, to));
        queue.close();
        assertEquals(0, Wait.asleep(to));
    }

    @Test
    void aThreadOfACProgramIsMovedAndWoken() throws Exception {
        try (Peer c = Peer.c(temp, "wait", memory.path().toString(), "64", "0")) {
            Wait.until(() -> Wait.asleep(from) == 1, "the sleep of the C program");
            assertEquals(1, Requeue.move(from, 0, 0, 1, to));
            Words.set(from, 9);
            assertEquals(0, Words.wake(from, 1));
            assertEquals(1, Words.wake(to, 1));
            assertEquals("value 9", c.line());
        }
    }

    @Test
    void wrongUseIsRefused() {
        Wait.errno(Errno.EINVAL, () -> Requeue.move(from, 0, -1, 1, to));
        Wait.errno(Errno.EINVAL, () -> Requeue.move(from, 0, 1, -1, to));
        Wait.errno(Errno.EINVAL, () -> Requeue.move(memory.segment().asSlice(1), 0, 1, 1, to));
        Wait.errno(Errno.EFAULT, () -> Requeue.move(from, 0, 1, 1, MemorySegment.ofArray(new int[1])));
        MemorySegment closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena.allocate(4, 4);
        }
        Wait.errno(Errno.EFAULT, () -> Requeue.move(from, 0, 1, 1, closed));
    }
}
