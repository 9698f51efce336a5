package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A wait belongs to its queue, not to the thread that made it: kernels differ in that. Nobody waits in the queue. */
@Timeout(60)
class ThreadExitTest {
    private final List<Queue> queues = new ArrayList<>();
    private TestMemory memory;
    private Queue queue;
    private MemorySegment word;

    @BeforeEach
    void open() throws Exception {
        memory = Place.SHM.open();
        queue = newQueue();
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

    private void addAndExit(Width width) throws Exception {
        word = memory.word(0, width);
        OsThread.runAndExit(() -> queue.add(word, width));
    }

    /** A thread retrieves an event, which arms the word anew, and exits. */
    private void retrieveAndExit(Width width) throws Exception {
        word = memory.word(0, width);
        queue.add(word, width);
        queue.wake(word, 1);
        OsThread.runAndExit(() -> queue.await(word));
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWakeAfterTheExitOfTheThreadThatAddedIsAnEvent(Width width) throws Exception {
        addAndExit(width);
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, queue.await(word));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aChangeAfterTheExitOfTheThreadThatAddedIsAnEvent(Width width) throws Exception {
        addAndExit(width);
        width.store(word, width.other);
        Queue.anonWake(word, 1, 0);
        assertEquals(width.other, queue.await(word));
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void withoutAWakeTheExitOfTheThreadThatAddedIsNoEvent(Width width) throws Exception {
        addAndExit(width);
        queue.assertQuiet();
        Queue.anonWake(word, 1, 0);
        queue.await(word);
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWakeAfterTheExitOfTheThreadThatRetrievedIsAnEvent(Width width) throws Exception {
        retrieveAndExit(width);
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, queue.await(word));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void withoutAWakeTheExitOfTheThreadThatRetrievedIsNoEvent(Width width) throws Exception {
        retrieveAndExit(width);
        queue.assertQuiet();
        Queue.anonWake(word, 1, 0);
        queue.await(word);
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void theWaitIsStillCountedExactlyOnce(Width width) throws Exception {
        addAndExit(width);
        assertEquals(1, Futex.wake(word.address(), 10), "woken");
        queue.await(word);
        queue.assertQuiet();
    }

    /** Who of the two is first is not promised: the wait may have been armed anew, behind the other. */
    @ParameterizedTest
    @EnumSource(Width.class)
    void aWaitThatWasThereBeforeTheExitAndThisOneHaveTheirTurns(Width width) throws Exception {
        word = memory.word(0, width);
        Queue other = newQueue();
        OsThread.runAndExit(() -> {
            queue.add(word, width);
            CompletableFuture.runAsync(() -> other.add(word, width)).join();
        });
        assertEquals(1, Futex.wake(word.address(), 1), "woken first");
        Queue first = next();
        queues.forEach(Queue::assertQuiet);
        assertEquals(1, Futex.wake(word.address(), 1), "woken next");
        assertNotSame(first, next());
        queues.forEach(Queue::assertQuiet);
    }

    /** The queue that has an event. */
    private Queue next() {
        List<Queue> woken = new ArrayList<>();
        OsThread.await(() -> {
            queues.stream().filter(each -> each.poll(Duration.ZERO) == 1).findFirst().ifPresent(woken::add);
            return !woken.isEmpty();
        }, "an event");
        return woken.getFirst();
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWakeReachesTheSleeperThoughTheThreadThatAddedHasExited(Width width) throws Exception {
        addAndExit(width);
        var sleeper = new FutureTask<>(() -> queue.await(word));
        OsThread.start(sleeper).awaitAsleep();
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, sleeper.get());
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWakeAfterAnExitDuringSomebodysSleepIsAnEvent(Width width) throws Exception {
        word = memory.word(0, width);
        var sleeper = new FutureTask<>(() -> queue.await(word));
        OsThread.start(sleeper).awaitAsleep();
        addAndExit(width);
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, sleeper.get());
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void manyWordsOfAThreadThatExitsEachHearTheirWakes(Width width) throws Exception {
        OsThread.runAndExit(() -> {
            for (int i = 0; i < 40; i++) {
                queue.add(memory.word(i, width), width);
            }
        });
        for (int i = 0; i < 40; i++) {
            Queue.anonWake(memory.word(i, width), 1, 0);
        }
        for (int seen = 0; seen < 40;) {
            int n = queue.poll(Queue.LONG);
            assertTrue(n > 0, "no event after " + seen);
            seen += n;
        }
        queue.assertQuiet();
    }
}
