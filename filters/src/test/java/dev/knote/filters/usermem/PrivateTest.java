package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Waits and wakes of this process alone: NOTE_USERMEM_PRIVATE. */
@Timeout(60)
class PrivateTest {
    private final List<Queue> queues = new ArrayList<>();
    private TestMemory memory;
    private Queue queue;
    private MemorySegment word;

    private void open(Place place, Width width) throws Exception {
        memory = place.open();
        queue = newQueue();
        word = memory.word(1, width);
    }

    private Queue newQueue() {
        Queue made = new Queue();
        queues.add(made);
        return made;
    }

    private static void add(Queue to, MemorySegment word, Width width, int flags) {
        to.change(word, EV_ADD | flags, width.fflags | NOTE_USERMEM_PRIVATE, Width.VALUE);
    }

    private void wake(long count) {
        Queue.anonWake(word, count, NOTE_USERMEM_PRIVATE);
    }

    @AfterEach
    void close() throws Exception {
        queues.forEach(Queue::close);
        if (memory != null) {
            memory.close();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void aWakeFiresEachTimeThoughTheValueIsTheSame(Place place, Width width) throws Exception {
        open(place, width);
        add(queue, word, width, 0);
        queue.assertQuiet();
        for (int round = 0; round < 5; round++) {
            wake(1);
            assertEquals(Width.VALUE, queue.await(word));
        }
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void aWordThatDiffersFiresAtOnce(Place place, Width width) throws Exception {
        open(place, width);
        width.store(word, width.other);
        add(queue, word, width, 0);
        assertEquals(width.other, queue.await(word));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void aWakeReachesAThreadThatSleeps(Place place, Width width) throws Exception {
        open(place, width);
        add(queue, word, width, 0);
        FutureTask<Long> sleeper = new FutureTask<>(() -> queue.await(word));
        OsThread.start(sleeper).awaitAsleep();
        wake(1);
        assertEquals(Width.VALUE, sleeper.get());
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void sharedWakesDoNotReachIt(Place place, Width width) throws Exception {
        open(place, width);
        add(queue, word, width, 0);
        Queue.anonWake(word, 1000, 0);
        newQueue().wake(word, 1000);
        assertEquals(0, Futex.wake(word.address(), 1000), "the kernel knows of no wait");
        queue.assertQuiet();
        wake(1);
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void itsWakesDoNotReachSharedWaits(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        wake(1000);
        queue.assertQuiet();
        assertEquals(1, Futex.wake(word.address(), 1000), "it still waits");
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void wakesAreCountedInTheOrderOfWaiting(Place place, Width width) throws Exception {
        open(place, width);
        List<Queue> waiting = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            Queue each = newQueue();
            add(each, word, width, EV_ONESHOT);
            waiting.add(each);
        }
        wake(2);
        assertWoken(waiting, 0, 2);
        wake(1);
        assertWoken(waiting, 2, 3);
        wake(0);
        wake(1000);
        assertWoken(waiting, 3, 6);
    }

    private void assertWoken(List<Queue> waiting, int from, int to) {
        waiting.subList(from, to).forEach(each -> each.await(word));
        waiting.subList(to, waiting.size()).forEach(each -> assertEquals(0, each.poll(Duration.ZERO)));
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void aWakeOnAnotherWordDoesNotFire(Place place, Width width) throws Exception {
        open(place, width);
        add(queue, word, width, 0);
        long at = memory.offset(word);
        for (long other : new long[] {at - 8, at + 4, at + 8, at + 64, at + TestMemory.PAGE}) {
            Queue.anonWake(memory.at(other, Width.INT), 1000, NOTE_USERMEM_PRIVATE);
        }
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("dev.knote.filters.usermem.WordTest#everywhere")
    void aWakeOfAWaitThatEndsGoesToTheNext(Place place, Width width) throws Exception {
        open(place, width);
        Queue second = newQueue();
        Queue third = newQueue();
        add(queue, word, width, 0);
        add(second, word, width, 0);
        add(third, word, width, 0);
        wake(1);
        queue.change(word, EV_DELETE, 0, 0);
        second.close();
        third.await(word);
        third.assertQuiet();
    }
}
