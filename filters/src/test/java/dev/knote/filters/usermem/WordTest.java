package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a wait for a word promises, within one process, for both widths in every kind of memory. */
@Timeout(60)
class WordTest {
    private final List<Queue> queues = new ArrayList<>();
    private TestMemory memory;
    private Queue queue;
    private MemorySegment word;

    static Stream<Arguments> everywhere() {
        return Stream.of(Place.values())
                .flatMap(place -> Stream.of(Width.values()).map(width -> Arguments.of(place, width)));
    }

    private void open(Place place, Width width) throws IOException {
        memory = place.open();
        queue = newQueue();
        word = memory.word(1, width);
    }

    private Queue newQueue() {
        Queue made = new Queue();
        queues.add(made);
        return made;
    }

    @AfterEach
    void close() throws IOException {
        queues.forEach(Queue::close);
        if (memory != null) {
            memory.close();
        }
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWordThatDiffersFiresAtOnceWithItsValue(Place place, Width width) throws Exception {
        open(place, width);
        width.store(word, width.other);
        queue.add(word, width);
        assertEquals(width.other, queue.await(word));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWordThatIsEqualFiresWhenWoken(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        queue.assertQuiet();
        width.store(word, width.other);
        queue.wake(word, 1);
        assertEquals(width.other, queue.await(word));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWakeFiresThoughTheValueIsTheSame(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        newQueue().wake(word, 1);
        assertEquals(Width.VALUE, queue.await(word));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void futexWakeFiresAndCountsTheWaiter(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        assertEquals(1, Futex.wake(word.address(), 10));
        assertEquals(Width.VALUE, queue.await(word));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWakeReachesAThreadThatSleepsInKevent(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        FutureTask<Long> sleeper = inThread(() -> queue.await(word));
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, sleeper.get());
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWakeOnAnotherWordDoesNotFire(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        long at = memory.offset(word);
        for (long other : new long[] {at - 8, at - 4, at + 4, at + 8, at + 64, at + TestMemory.PAGE}) {
            Queue.anonWake(memory.at(other, Width.INT), 1000, 0);
        }
        queue.assertQuiet();
        assertEquals(1, Futex.wake(word.address(), 10), "it still waits");
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void oneShotIsOneEventOnly(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width, EV_ONESHOT);
        queue.wake(word, 1);
        queue.await(word);
        assertEquals(0, Futex.wake(word.address(), 1), "it waits no more");
        queue.assertQuiet();
        Queue.assertErrno(Errno.ENOENT, () -> queue.change(word, EV_DELETE, 0, 0));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void everyWakeAfterAnEventIsAnotherEvent(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        for (int round = 0; round < 5; round++) {
            width.store(word, 100 + round);
            queue.wake(word, 1);
            assertEquals(100 + round, queue.await(word));
            queue.wake(word, 1);
            assertEquals(100 + round, queue.await(word));
        }
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void wakesBeforeRetrievalAreOneEvent(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        for (int i = 0; i < 3; i++) {
            width.store(word, 100 + i);
            queue.wake(word, 1);
        }
        assertEquals(102, queue.await(word));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void addedAgainAlikeNothingHappensAndNothingIsMissed(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        queue.add(word, width);
        queue.assertQuiet();
        queue.wake(word, 1);
        queue.add(word, width);
        assertEquals(Width.VALUE, queue.await(word));
        queue.add(word, width);
        queue.assertQuiet();
        assertEquals(1, Futex.wake(word.address(), 10), "one wait, whatever was added");
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void addedAgainWithOtherDataItFires(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        queue.change(word, EV_ADD, width.fflags, width.other);
        assertEquals(Width.VALUE, queue.await(word));
        queue.assertQuiet();
        queue.wake(word, 1);
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void addedAgainWithOtherFflagsItFiresAndObeysThem(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        queue.change(word, EV_ADD, width.fflags | NOTE_USERMEM_PRIVATE, Width.VALUE);
        assertEquals(Width.VALUE, queue.await(word));
        assertEquals(0, Futex.wake(word.address(), 10), "shared waits");
        queue.assertQuiet();
        Queue.anonWake(word, 1, NOTE_USERMEM_PRIVATE);
        queue.await(word);
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void deletedThenWokenTheWakeGoesToTheNext(Place place, Width width) throws Exception {
        open(place, width);
        Queue next = newQueue();
        queue.add(word, width);
        next.add(word, width);
        queue.change(word, EV_DELETE, 0, 0);
        next.wake(word, 1);
        next.await(word);
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWakeIsCountedInTheOrderOfWaiting(Place place, Width width) throws Exception {
        open(place, width);
        List<Queue> waiting = waiters(width, 5);
        assertWokenBy(() -> queue.wake(word, 2), waiting, 0, 2);
        assertWokenBy(() -> Queue.anonWake(word, 0, 0), waiting, 2, 2);
        assertWokenBy(() -> Queue.anonWake(word, 2, 0), waiting, 2, 4);
        assertWokenBy(() -> Futex.wake(word.address(), 1), waiting, 4, 5);
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aWakeOfAThousandWakesAll(Place place, Width width) throws Exception {
        open(place, width);
        List<Queue> waiting = waiters(width, 12);
        assertWokenBy(() -> queue.wake(word, 1000), waiting, 0, 12);
        waiters(width, 3).forEach(each -> each.change(word, EV_DELETE, 0, 0));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void disabledItKeepsItsWakeUntilEnabled(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width);
        queue.change(word, EV_DISABLE, 0, 0);
        queue.wake(word, 1);
        queue.assertQuiet();
        queue.change(word, EV_ENABLE, 0, 0);
        queue.await(word);
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void dispatchDisablesAndLosesNoWake(Place place, Width width) throws Exception {
        open(place, width);
        queue.add(word, width, EV_DISPATCH);
        queue.wake(word, 1);
        queue.await(word);
        queue.wake(word, 1);
        queue.assertQuiet();
        queue.change(word, EV_ENABLE, 0, 0);
        queue.await(word);
    }

    /** Queues that wait for the word, in this order. */
    private List<Queue> waiters(Width width, int count) {
        List<Queue> waiting = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Queue next = newQueue();
            next.add(word, width, EV_ONESHOT);
            waiting.add(next);
        }
        return waiting;
    }

    private void assertWokenBy(Runnable wake, List<Queue> waiting, int from, int to) {
        wake.run();
        for (Queue woken : waiting.subList(from, to)) {
            woken.await(word);
        }
        for (Queue other : waiting.subList(to, waiting.size())) {
            assertEquals(0, other.poll(Duration.ZERO), "not its turn yet");
        }
    }

    /** Runs it in a thread that is seen to sleep before this returns. */
    private static <T> FutureTask<T> inThread(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        OsThread.start(task).awaitAsleep();
        return task;
    }
}
