package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.KQUEUE_FD_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;
import static dev.knote.Kqueue.NOTE_USERMEM_LONG;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static dev.knote.filters.usermem.Queue.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused, with which errno; and that it leaves no wait behind. */
@Timeout(60)
class BadInputTest {
    private final KeventList list = KeventList.allocate(2);
    private TestMemory memory;
    private Queue queue;
    private MemorySegment word;

    @BeforeEach
    void open() throws Exception {
        memory = Place.SHM.open();
        queue = new Queue();
        word = memory.word(1, Width.LONG);
    }

    @AfterEach
    void close() throws Exception {
        assertEquals(0, Futex.wake(word.address(), 1000), "waits left behind");
        queue.close();
        memory.close();
    }

    private int add(int kq, long address, int fflags) {
        list.set(0, address, EVFILT_USERMEM, EV_ADD, fflags, Width.VALUE, null);
        return Kqueue.kevent(kq, list, 1, null, 0, null);
    }

    private int wake(long address, int fflags, long count) {
        list.set(0, address, EVFILT_USERMEM, EV_ANON, fflags, count, null);
        return Kqueue.kevent(queue.kq, list, 1, null, 0, null);
    }

    @ParameterizedTest
    @ValueSource(ints = {
            0,
            NOTE_USERMEM_PRIVATE,
            NOTE_USERMEM_INT | NOTE_USERMEM_LONG,
            NOTE_USERMEM_INT | 0x8,
            NOTE_USERMEM_LONG | 0x10000,
            NOTE_USERMEM_INT | NOTE_TRIGGER,
            NOTE_USERMEM_INT | 0x80000000})
    void aWaitHasOneWidthAndNoUnknownBits(int fflags) {
        assertErrno(Errno.EINVAL, () -> queue.change(word, EV_ADD, fflags, Width.VALUE));
    }

    @Test
    void addedAgainWithBadFflagsTheWaitStaysAsItWas() {
        queue.add(word, Width.LONG);
        assertErrno(Errno.EINVAL, () -> queue.change(word, EV_ADD, 0, Width.VALUE));
        queue.assertQuiet();
        queue.wake(word, 1);
        queue.await(word);
        queue.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {
            0,
            NOTE_USERMEM_PRIVATE,
            NOTE_TRIGGER | NOTE_USERMEM_INT,
            NOTE_TRIGGER | NOTE_USERMEM_LONG,
            NOTE_TRIGGER | 0x8})
    void aWakeHasTriggerWithOrWithoutPrivate(int fflags) {
        assertErrno(Errno.EINVAL, () -> wake(word.address(), fflags, 1));
        list.set(0, word.address(), EVFILT_USERMEM, 0, fflags, 1, null);
        assertErrno(Errno.EINVAL, () -> Kqueue.kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Integer.MIN_VALUE, Long.MIN_VALUE})
    void aNegativeNumberToWakeIsRefused(long count) {
        assertErrno(Errno.EINVAL, () -> wake(word.address(), NOTE_TRIGGER, count));
        assertErrno(Errno.EINVAL, () -> wake(word.address(), NOTE_TRIGGER | NOTE_USERMEM_PRIVATE, count));
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 31, 1L << 32, (1L << 32) + 1, Long.MAX_VALUE})
    void aNumberOfMoreThan32BitsWakesAll(long count) throws Exception {
        try (Queue first = new Queue(); Queue second = new Queue()) {
            first.add(word, Width.INT);
            second.add(word, Width.INT);
            wake(word.address(), NOTE_TRIGGER, count);
            first.await(word);
            second.await(word);
        }
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWordIsAligned(Width width) {
        queue.change(memory.at(0, Width.LONG), EV_ADD, Width.LONG.fflags, Width.VALUE);
        Kqueue.memory(queue.kq, memory.segment());
        for (int off = 1; off < width.bytes; off++) {
            long address = word.address() + off;
            assertErrno(Errno.EINVAL, () -> add(queue.kq, address, width.fflags));
        }
        for (int off = 1; off < Integer.BYTES; off++) {
            long address = word.address() + off;
            assertErrno(Errno.EINVAL, () -> wake(address, NOTE_TRIGGER, 1));
            assertErrno(Errno.EINVAL, () -> wake(address, NOTE_TRIGGER | NOTE_USERMEM_PRIVATE, 1));
        }
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void memoryOfTheHeapIsRefused(Width width) {
        MemorySegment heap = MemorySegment.ofArray(new long[4]).asSlice(8);
        assertErrno(Errno.EFAULT, () -> list.set(0, heap, EVFILT_USERMEM, EV_ADD, width.fflags, 0, null));
        assertErrno(Errno.EFAULT, () -> Kqueue.memory(queue.kq, heap));
        assertErrno(Errno.EFAULT, () -> Kqueue.memory(KQUEUE_FD_ANON, heap));
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void nullIsRefused(Width width) {
        assertErrno(Errno.EFAULT, () -> add(queue.kq, 0, width.fflags));
        assertErrno(Errno.EFAULT, () -> queue.change(MemorySegment.NULL, EV_ADD, width.fflags, 0));
        assertErrno(Errno.EFAULT,
                () -> list.set(0, (MemorySegment) null, EVFILT_USERMEM, EV_ADD, 0, 0, null));
        assertErrno(Errno.EFAULT, () -> wake(0, NOTE_TRIGGER, 1));
    }

    @Test
    void aWakeWhereNothingIsMappedIsRefused() {
        assertErrno(Errno.EFAULT, () -> wake(64, NOTE_TRIGGER, 1));
        list.set(0, 64, EVFILT_USERMEM, 0, NOTE_TRIGGER, 1, null);
        assertErrno(Errno.EFAULT, () -> Kqueue.kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void anAddressInNoMemoryGivenIsRefusedUntilItIsGiven(Width width) throws Exception {
        long address = word.address();
        assertErrno(Errno.EFAULT, () -> add(queue.kq, address, width.fflags));
        Kqueue.memory(queue.kq, memory.segment());
        add(queue.kq, address, width.fflags);
        queue.wake(word, 1);
        assertEquals(Width.VALUE, queue.await(word));
        queue.close();
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void theLastWordOfTheMemoryIsIn(Width width) {
        Kqueue.memory(queue.kq, memory.segment());
        long end = memory.segment().address() + TestMemory.BYTES;
        assertErrno(Errno.EFAULT, () -> add(queue.kq, end, width.fflags));
        add(queue.kq, end - width.bytes, width.fflags);
        queue.wake(memory.at(TestMemory.BYTES - width.bytes, width), 1);
        assertEquals(1, queue.poll(Queue.LONG));
    }

    @Test
    void anonymousWaitsFindMemoryThatWasGiven() throws Exception {
        try (TestMemory given = Place.ARENA.open()) {
            long address = given.word(1, Width.INT).address();
            list.set(0, address, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
            assertErrno(Errno.EFAULT, () -> Kqueue.kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
            Kqueue.memory(KQUEUE_FD_ANON, given.segment());
            assertEquals(1, Kqueue.kevent(KQUEUE_FD_ANON, list, 1, list, 1, Queue.LONG));
            assertEquals(Width.VALUE, list.data(0));
        }
    }

    @Test
    void aWordThatIsLargerThanItsMemoryIsRefused() {
        MemorySegment half = word.asSlice(0, Integer.BYTES);
        assertErrno(Errno.EINVAL, () -> queue.change(half, EV_ADD, NOTE_USERMEM_LONG, Width.VALUE));
        queue.change(half, EV_ADD, NOTE_USERMEM_INT, Width.VALUE);
        assertErrno(Errno.EINVAL, () -> queue.change(half, EV_ADD, NOTE_USERMEM_LONG, Width.VALUE));
        queue.assertQuiet();
        queue.close();
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWordOfAClosedArenaIsRefused(Width width) {
        Arena arena = Arena.ofShared();
        MemorySegment closed = arena.allocate(width.bytes, width.bytes);
        Kqueue.memory(queue.kq, closed);
        arena.close();
        assertErrno(Errno.EFAULT, () -> queue.add(closed, width));
        assertErrno(Errno.EFAULT, () -> add(queue.kq, closed.address(), width.fflags));
    }
}
