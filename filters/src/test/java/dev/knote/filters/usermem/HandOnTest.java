package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A wake that was counted for a wait that ends without an event goes to the next waiter: a queue, a C program. */
@Timeout(60)
class HandOnTest {
    private static final String SLEEPER = "next";

    /** Who stands behind the queue that goes. */
    enum Next {
        /** Another queue. */
        QUEUE,
        /** A thread of a C program, in futex(2). */
        FUTEX
    }

    /** How a wait ends that was woken and whose event was not retrieved. */
    enum End {
        /** EV_DELETE. */
        DELETE,
        /** EV_DISABLE, then EV_DELETE. */
        DISABLE_DELETE,
        /** The queue is closed. */
        CLOSE
    }

    @TempDir
    private static Path temp;

    private static Peer peer;

    private final List<Queue> queues = new ArrayList<>();
    private TestMemory memory;
    private Queue queue;
    private Queue nextQueue;
    private MemorySegment word;

    static Stream<Arguments> nexts() {
        return Stream.of(Next.values())
                .flatMap(next -> Stream.of(Width.values()).map(width -> Arguments.of(next, width)));
    }

    static Stream<Arguments> ends() {
        return Stream.of(End.values()).flatMap(
                end -> nexts().map(more -> Arguments.of(end, more.get()[0], more.get()[1])));
    }

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
        assertEquals(0, Futex.wake(word.address(), 1000), "waiters left");
        memory.close();
    }

    @AfterAll
    static void stopPeer() {
        if (peer != null) {
            peer.close();
        }
    }

    private void standBy(Next next, Width width) throws Exception {
        word = memory.word(1, width);
        if (next == Next.QUEUE) {
            nextQueue = newQueue();
            nextQueue.add(word, width);
        } else {
            if (peer == null) {
                peer = Peer.c(temp);
            }
            peer.map(memory).waits(SLEEPER, word, width, false);
        }
    }

    private void assertNextWoken(Next next) {
        if (next == Next.QUEUE) {
            nextQueue.await(word);
            nextQueue.assertQuiet();
            nextQueue.close();
        } else {
            peer.awaitWoken(SLEEPER);
        }
    }

    private void assertNextAsleep(Next next) {
        if (next == Next.QUEUE) {
            nextQueue.assertQuiet();
        } else {
            assertFalse(peer.isWoken(SLEEPER), "woken");
        }
    }

    private void end(End end) {
        if (end == End.DISABLE_DELETE) {
            queue.change(word, EV_DISABLE, 0, 0);
        }
        if (end == End.CLOSE) {
            queue.close();
        } else {
            queue.change(word, EV_DELETE, 0, 0);
        }
    }

    @ParameterizedTest
    @MethodSource("ends")
    void aWakeThatCameBeforeTheEndGoesOn(End end, Next next, Width width) throws Exception {
        queue.add(memory.word(1, width), width);
        standBy(next, width);
        Queue.anonWake(word, 1, 0);
        end(end);
        assertNextWoken(next);
    }

    @ParameterizedTest
    @MethodSource("ends")
    void aWakeThatCameWhileItWasReadyGoesOnOnce(End end, Next next, Width width) throws Exception {
        queue.add(memory.word(1, width), width);
        queue.change(memory.word(1, width), EV_ADD, width.fflags, 77); // fires by this, and waits all the same
        standBy(next, width);
        Queue.anonWake(word, 1, 0);
        assertNextAsleep(next);
        end(end);
        assertNextWoken(next);
    }

    @ParameterizedTest
    @MethodSource("ends")
    void aWakeAfterTheEndGoesToTheNext(End end, Next next, Width width) throws Exception {
        queue.add(memory.word(1, width), width);
        standBy(next, width);
        end(end);
        assertNextAsleep(next);
        Queue.anonWake(word, 1, 0);
        assertNextWoken(next);
    }

    @ParameterizedTest
    @MethodSource("nexts")
    void afterAOneShotEventWakesGoToTheNext(Next next, Width width) throws Exception {
        queue.add(memory.word(1, width), width, EV_ONESHOT);
        standBy(next, width);
        Queue.anonWake(word, 1, 0);
        queue.await(word);
        assertNextAsleep(next);
        Queue.anonWake(word, 1, 0);
        assertNextWoken(next);
    }

    /** By the value it was ready; the wake that it did not need is the next one's. */
    @ParameterizedTest
    @MethodSource("nexts")
    void aOneShotThatFiresByItsValueTakesNoWake(Next next, Width width) throws Exception {
        standBy(next, width);
        queue.change(word, EV_ADD | EV_ONESHOT, width.fflags, width.other);
        Queue.anonWake(word, 1, 0);
        assertEquals(Width.VALUE, queue.await(word));
        assertNextWoken(next);
    }

    /** A wait that was ready anyway gives back what was counted for it. */
    @ParameterizedTest
    @MethodSource("ends")
    void aWaitThatFiredByItsValueAndEndsTakesNoWake(End end, Next next, Width width) throws Exception {
        queue.change(memory.word(1, width), EV_ADD, width.fflags, width.other);
        standBy(next, width);
        end(end);
        assertNextAsleep(next);
        Queue.anonWake(word, 1, 0);
        assertNextWoken(next);
    }

    @ParameterizedTest
    @MethodSource("nexts")
    void manyWakesOfAQueueThatClosesAllGoOn(Next next, Width width) throws Exception {
        for (int i = 2; i < 20; i++) {
            queue.add(memory.word(i, width), width);
        }
        Queue second = newQueue();
        for (int i = 2; i < 20; i++) {
            second.add(memory.word(i, width), width);
        }
        queue.add(memory.word(1, width), width);
        standBy(next, width);
        for (int i = 1; i < 20; i++) {
            Queue.anonWake(memory.word(i, width), 1, 0);
        }
        queue.close();
        assertNextWoken(next);
        for (int seen = 0; seen < 18;) {
            int n = second.poll(Queue.LONG);
            assertFalse(n == 0, "wakes swallowed: " + (18 - seen));
            assertEquals(EVFILT_USERMEM, second.list.filter(0));
            seen += n;
        }
    }
}
