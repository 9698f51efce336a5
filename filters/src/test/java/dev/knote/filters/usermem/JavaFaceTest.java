package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Event;
import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.filters.Timer;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Words by the Java face: UserMem, EventQueue.register and EventQueue.wake. */
@Timeout(60)
class JavaFaceTest {
    /** Whether one thread owns the queue. */
    enum Owner {
        /** Any thread may wait. */
        SHARED,
        /** The first thread that uses it. */
        SINGLE
    }

    private final List<Object> fired = new ArrayList<>();
    private TestMemory memory;
    private EventQueue queue;

    @BeforeEach
    void open() throws Exception {
        memory = Place.SHM.open();
        queue = EventQueue.open();
    }

    private void open(Owner owner) {
        if (owner == Owner.SINGLE) {
            queue.close();
            queue = EventQueue.open(Options.defaults().singleOwner());
        }
    }

    @AfterEach
    void close() throws Exception {
        queue.close();
        memory.close();
    }

    private Interest interest(MemorySegment word, Width width) {
        return width == Width.INT ? UserMem.int32(word, (int) Width.VALUE) : UserMem.int64(word, Width.VALUE);
    }

    private long data;

    private int poll(Duration timeout) {
        fired.clear();
        return queue.poll(this::take, timeout);
    }

    private void take(Event event) {
        assertFalse(event.isError(), () -> "EV_ERROR, data " + event.data());
        assertEquals(Kqueue.EVFILT_USERMEM, event.filter());
        fired.add(event.attachment());
        data = event.data();
    }

    private void assertFires(Object attachment, long value) {
        assertEquals(1, poll(Queue.LONG));
        assertEquals(List.of(attachment), fired);
        assertEquals(value, data);
    }

    @ParameterizedTest
    @EnumSource(Owner.class)
    void everyWakeIsAnEvent(Owner owner) {
        open(owner);
        for (Width width : Width.values()) {
            MemorySegment word = memory.word(width.ordinal(), width);
            Knote knote = queue.register(interest(word, width), width);
            assertEquals(0, poll(Queue.SHORT));
            for (int round = 0; round < 5; round++) {
                queue.wake(word, 1);
                assertFires(width, Width.VALUE);
            }
            width.store(word, width.other);
            queue.wake(word, 1);
            assertFires(width, width.other);
            knote.cancel();
            assertFalse(knote.isValid());
            assertEquals(0, Futex.wake(word.address(), 1), "it waits no more");
        }
    }

    @ParameterizedTest
    @EnumSource(Owner.class)
    void aWordThatDiffersFiresAtOnce(Owner owner) {
        open(owner);
        for (Width width : Width.values()) {
            MemorySegment word = memory.word(width.ordinal(), width);
            width.store(word, width.other);
            Knote knote = queue.register(interest(word, width).oneShot(), "once");
            assertFires("once", width.other);
            assertFalse(knote.isValid());
            assertEquals(0, poll(Queue.SHORT));
        }
    }

    @ParameterizedTest
    @EnumSource(Owner.class)
    void aWakeByAnotherThreadEndsThePoll(Owner owner) {
        open(owner);
        MemorySegment word = memory.word(0, Width.INT);
        queue.register(interest(word, Width.INT), "word");
        queue.register(Timer.after(Duration.ofSeconds(30)), "timer");
        for (int round = 0; round < 20; round++) {
            OsThread.start(() -> queue.wake(word, 1));
            assertFires("word", Width.VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(Owner.class)
    void privateWakesReachPrivateWaitsAlone(Owner owner) {
        open(owner);
        MemorySegment word = memory.word(0, Width.LONG);
        queue.register(UserMem.privately(interest(word, Width.LONG)), "private");
        queue.wake(word, 1000);
        assertEquals(0, poll(Queue.SHORT));
        Queue.anonWake(word, 1, Kqueue.NOTE_USERMEM_PRIVATE);
        assertFires("private", Width.VALUE);
    }

    @ParameterizedTest
    @EnumSource
    void theFirstOfTwoPrivateWaitsIsWokenPrivately(Owner owner) {
        open(owner);
        try (EventQueue second = EventQueue.open()) {
            MemorySegment word = memory.word(0, Width.INT);
            queue.register(UserMem.privately(interest(word, Width.INT)), "first");
            second.register(UserMem.privately(interest(word, Width.INT)), "second");
            queue.wakePrivately(word, 1);
            assertEquals(1, poll(Duration.ofSeconds(5)));
            assertEquals(0, second.poll(this::take, Duration.ZERO));
            queue.wakePrivately(word, 0);
            assertEquals(0, second.poll(this::take, Duration.ZERO));
            Queue.assertErrno(Errno.EINVAL, () -> queue.wakePrivately(word, -1));
        }
    }

    @Test
    void aSingleOwnersWordMayBeRegisteredByAnotherThread() throws Exception {
        open(Owner.SINGLE);
        assertEquals(0, poll(Duration.ZERO));
        MemorySegment word = memory.word(0, Width.INT);
        OsThread.runAndExit(() -> queue.register(interest(word, Width.INT), "posted"));
        assertEquals(0, poll(Queue.SHORT));
        queue.wake(word, 1);
        assertFires("posted", Width.VALUE);
    }

    @Test
    void wakesAreCounted() {
        MemorySegment word = memory.word(0, Width.INT);
        List<EventQueue> others = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                EventQueue other = EventQueue.open();
                others.add(other);
                other.register(interest(word, Width.INT).oneShot(), i);
            }
            queue.wake(word, 3);
            for (EventQueue other : others.subList(0, 3)) {
                assertEquals(1, other.poll(this::take, Queue.LONG));
            }
            assertEquals(0, others.get(3).poll(this::take, Queue.SHORT));
        } finally {
            others.forEach(EventQueue::close);
        }
    }

    @Test
    void aWakeOfNobodyWakesNobody() {
        MemorySegment word = memory.word(0, Width.INT);
        queue.register(interest(word, Width.INT), "word");
        queue.wake(word, 0);
        assertEquals(0, poll(Queue.SHORT));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE})
    void aNegativeNumberToWakeIsRefused(int count) {
        MemorySegment word = memory.word(0, Width.INT);
        queue.register(interest(word, Width.INT), "word");
        Queue.assertErrno(Errno.EINVAL, () -> queue.wake(word, count));
        assertEquals(0, poll(Queue.SHORT));
    }

    @Test
    void badWordsAreRefused() {
        MemorySegment heap = MemorySegment.ofArray(new long[4]).asSlice(8);
        Queue.assertErrno(Errno.EFAULT, () -> UserMem.int32(heap, 0));
        Queue.assertErrno(Errno.EFAULT, () -> UserMem.int64(heap, 0));
        Queue.assertErrno(Errno.EFAULT, () -> queue.wake(heap, 1));
        Queue.assertErrno(Errno.EFAULT, () -> queue.wake(MemorySegment.NULL, 1));
        Queue.assertErrno(Errno.EINVAL, () -> UserMem.int64(memory.word(0, Width.INT), 0));
        Queue.assertErrno(Errno.EINVAL, () -> UserMem.int32(memory.segment().asSlice(2, 8), 0));
        Queue.assertErrno(Errno.EINVAL, () -> UserMem.int64(memory.segment().asSlice(4, 8), 0));
        Queue.assertErrno(Errno.EINVAL, () -> queue.wake(memory.segment().asSlice(2, 8), 1));
    }

    /** Interest.of looks at no word; the queue has to, and to be none the worse for it. */
    @Test
    void aWordOfTheHeapIsRefusedByTheQueueAsOftenAsItIsTried() {
        MemorySegment heap = MemorySegment.ofArray(new long[4]).asSlice(8);
        Interest bad = Interest.of(Kqueue.EVFILT_USERMEM, heap).fflags(Kqueue.NOTE_USERMEM_INT);
        for (int i = 0; i < 3; i++) {
            Queue.assertErrno(Errno.EFAULT, () -> queue.register(bad, "heap"));
        }
        assertEquals(0, poll(Queue.SHORT));
    }

    @Test
    void aKnotesUpdateEnableAndTriggerFire() {
        MemorySegment word = memory.word(0, Width.INT);
        Knote knote = queue.register(interest(word, Width.INT).dispatch(), "word");
        knote.trigger();
        assertFires("word", Width.VALUE);
        queue.wake(word, 1);
        assertEquals(0, poll(Queue.SHORT));
        knote.enable();
        assertFires("word", Width.VALUE);
        assertTrue(knote.isValid());
    }
}
