package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_DISABLE;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ENABLE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.KQUEUE_FD_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;
import static dev.knote.Kqueue.NOTE_USERMEM_LONG;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static dev.knote.filters.usermem.Queue.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Words in combinations and by descriptions that the table does not speak of. */
@Timeout(60)
class OddWordTest {
    private static final int EITHER_WIDTH = NOTE_USERMEM_INT | NOTE_USERMEM_LONG;

    private TestMemory memory;
    private Queue queue;

    @BeforeEach
    void open() throws Exception {
        memory = Place.SHM.open();
        queue = new Queue();
    }

    @AfterEach
    void close() throws Exception {
        queue.close();
        memory.close();
    }

    static Stream<Arguments> everyWay() {
        int[] modes = {0, EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_ONESHOT | EV_DISPATCH};
        return Stream.of(Width.values()).flatMap(width -> Stream.of(0, NOTE_USERMEM_PRIVATE)
                .flatMap(privacy -> IntStream.of(modes)
                        .mapToObj(mode -> Arguments.of(width, privacy, mode))));
    }

    @ParameterizedTest
    @MethodSource("everyWay")
    void addedDisabledItFiresWhenEnabledIfItWasWokenOrDiffers(Width width, int privacy, int mode) {
        MemorySegment word = memory.word(1, width);
        queue.change(word, EV_ADD | EV_DISABLE | mode, width.fflags | privacy, Width.VALUE);
        queue.change(word, EV_ANON, NOTE_TRIGGER | privacy, 0);
        queue.change(word, EV_ENABLE, 0, 0);
        queue.assertQuiet();
        queue.change(word, EV_DISABLE, 0, 0);
        queue.change(word, EV_ANON, NOTE_TRIGGER | privacy, 1);
        queue.assertQuiet();
        queue.change(word, EV_ENABLE, 0, 0);
        assertEquals(Width.VALUE, queue.await(word));
        queue.assertQuiet();

        MemorySegment differs = memory.word(2, width);
        width.store(differs, width.other);
        queue.change(differs, EV_ADD | EV_DISABLE | mode, width.fflags | privacy, Width.VALUE);
        queue.assertQuiet();
        queue.change(differs, EV_ENABLE, 0, 0);
        assertEquals(width.other, queue.await(differs));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everyWay")
    void anEventHasTheKnotesOwnFlagsAndFflags(Width width, int privacy, int mode) {
        MemorySegment word = memory.word(1, width);
        queue.change(word, EV_ADD | mode, width.fflags | privacy, Width.VALUE);
        queue.change(word, EV_ANON, NOTE_TRIGGER | privacy ^ NOTE_USERMEM_PRIVATE, 1000);
        queue.assertQuiet();
        queue.change(word, EV_ANON, NOTE_TRIGGER | privacy, 1000);
        queue.await(word);
        assertEquals(mode | EV_CLEAR, queue.list.flags(0));
        assertEquals(width.fflags | privacy, queue.list.fflags(0));
        if ((mode & EV_ONESHOT) != 0) {
            assertErrno(Errno.ENOENT, () -> queue.change(word, EV_DELETE, 0, 0));
        } else {
            queue.change(word, EV_DELETE, 0, 0);
        }
        assertEquals(0, Futex.wake(word.address(), 10), "waits left behind");
    }

    @ParameterizedTest
    @MethodSource("everyWay")
    void addedAgainWithEachOtherKindOfWaitItIsThatKind(Width width, int privacy, int mode) {
        MemorySegment word = memory.word(1, Width.LONG);
        int fflags = width.fflags | privacy;
        queue.change(word, EV_ADD | mode & ~EV_ONESHOT, fflags, Width.VALUE);
        for (int change : new int[] {NOTE_USERMEM_PRIVATE, EITHER_WIDTH, NOTE_USERMEM_PRIVATE,
                EITHER_WIDTH}) {
            fflags ^= change;
            queue.change(word, EV_ADD, fflags, Width.VALUE);
            queue.await(word);
            assertEquals(fflags, queue.list.fflags(0));
            queue.change(word, EV_ENABLE, 0, 0);
            queue.assertQuiet();
            queue.change(word, EV_ANON, NOTE_TRIGGER | fflags & NOTE_USERMEM_PRIVATE ^ NOTE_USERMEM_PRIVATE,
                    9);
            queue.assertQuiet();
            queue.change(word, EV_ANON, NOTE_TRIGGER | fflags & NOTE_USERMEM_PRIVATE, 1);
            queue.await(word);
            queue.change(word, EV_ENABLE, 0, 0);
        }
    }

    @Test
    void addedAgainAsAWiderWordItTakesTheMemoryOfThatChange() {
        MemorySegment narrow = memory.word(1, Width.INT);
        MemorySegment wide = memory.word(1, Width.LONG);
        queue.add(narrow, Width.INT);
        queue.add(wide, Width.LONG);
        assertEquals(Width.VALUE, queue.await(wide));
        Width.LONG.store(wide, Width.LONG.other);
        queue.wake(wide, 1);
        assertEquals(Width.LONG.other, queue.await(wide));
        queue.add(narrow, Width.INT);
        assertEquals((int) Width.LONG.other, queue.await(narrow), "the low half");
    }

    @Test
    void anAddressAloneIsTheWidestWordThatIsKnownThere() {
        MemorySegment narrow = memory.word(1, Width.INT);
        queue.add(narrow, Width.INT);
        assertErrno(Errno.EINVAL, () -> addByAddress(narrow, Width.LONG));
        Kqueue.memory(queue.kq, memory.segment());
        addByAddress(narrow, Width.LONG);
        assertEquals(Width.VALUE, queue.await(narrow));
        queue.change(narrow, EV_DELETE, 0, 0);
        addByAddress(narrow, Width.LONG);
        queue.assertQuiet();
    }

    private void addByAddress(MemorySegment word, Width width) {
        queue.list.set(0, word.address(), EVFILT_USERMEM, EV_ADD, width.fflags, Width.VALUE, null);
        assertEquals(0, Kqueue.kevent(queue.kq, queue.list, 1, null, 0, null));
    }

    @Test
    void theExpectedValueOfANarrowWordIsItsLowHalf() {
        MemorySegment word = memory.word(1, Width.INT);
        Width.INT.store(word, -1);
        queue.change(word, EV_ADD, NOTE_USERMEM_INT, 0xffffffffL);
        queue.assertQuiet();
        queue.change(word, EV_ADD, NOTE_USERMEM_INT, -1);
        queue.assertQuiet();
        queue.change(word, EV_ADD, NOTE_USERMEM_INT, -2);
        assertEquals(-1, queue.await(word));
    }

    @Test
    void anEntryWhoseBytesWereWrittenSinceMeansWhatTheBytesSay() {
        MemorySegment other = memory.word(2, Width.INT);
        Width.INT.store(other, 9);
        Kqueue.memory(queue.kq, memory.segment());
        KeventList list = KeventList.allocate(1)
                .set(0, memory.word(1, Width.INT), EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 9, null);
        list.memory().set(ValueLayout.JAVA_LONG, 0, other.address());
        assertEquals(0, Kqueue.kevent(queue.kq, list, 1, null, 0, null));
        queue.assertQuiet();
        Width.INT.store(other, 10);
        queue.wake(other, 1);
        assertEquals(10, queue.await(other));
    }

    @Test
    void aWordAtTheVeryEndOfItsMemory() {
        for (Width width : Width.values()) {
            MemorySegment word = memory.at(TestMemory.BYTES - width.bytes, width);
            width.store(word, Width.VALUE);
            queue.add(word, width);
            queue.assertQuiet();
            queue.wake(word, 1);
            assertEquals(Width.VALUE, queue.await(word));
            queue.change(word, EV_DELETE, 0, 0);
        }
        long end = memory.segment().address() + TestMemory.BYTES;
        Kqueue.memory(queue.kq, memory.segment());
        queue.list.set(0, end, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        assertErrno(Errno.EFAULT, () -> Kqueue.kevent(queue.kq, queue.list, 1, null, 0, null));
    }

    @Test
    void aSegmentWithoutBytesIsAnAddressAlone() {
        MemorySegment word = memory.word(1, Width.LONG);
        MemorySegment address = MemorySegment.ofAddress(word.address());
        assertErrno(Errno.EFAULT, () -> queue.add(address, Width.LONG));
        Kqueue.memory(queue.kq, memory.segment());
        queue.add(address, Width.LONG);
        queue.add(address, Width.LONG);
        queue.assertQuiet();
        queue.wake(address, 1);
        assertEquals(Width.VALUE, queue.await(word));
    }

    @Test
    @SuppressWarnings("restricted")
    void anAddressOfNativeCodeWhereNothingIsMappedIsRefused() {
        MemorySegment nothing = MemorySegment.ofAddress(TestMemory.PAGE).reinterpret(Long.BYTES);
        for (int privacy : new int[] {0, NOTE_USERMEM_PRIVATE}) {
            assertErrno(Errno.EFAULT, () -> queue.change(nothing, EV_ADD, NOTE_USERMEM_LONG | privacy, 0));
            assertErrno(Errno.EFAULT, () -> queue.change(nothing, EV_ADD, NOTE_USERMEM_INT | privacy, 0));
        }
        assertErrno(Errno.EFAULT, () -> queue.wake(nothing, 1));
        MemorySegment word = memory.word(1, Width.INT);
        MemorySegment something = MemorySegment.ofAddress(word.address()).reinterpret(Integer.BYTES);
        queue.add(something, Width.INT);
        queue.wake(word, 1);
        assertEquals(Width.VALUE, queue.await(word));
    }

    @Test
    void aWordThatMayOnlyBeReadCanBeWaitedFor() throws Exception {
        MemorySegment word = memory.word(1, Width.LONG);
        try (var file = FileChannel.open(memory.path(), StandardOpenOption.READ);
                var arena = Arena.ofShared()) {
            MemorySegment view = file.map(FileChannel.MapMode.READ_ONLY, 0, TestMemory.BYTES, arena)
                    .asSlice(memory.offset(word), Long.BYTES);
            queue.add(view, Width.LONG);
            queue.assertQuiet();
            Width.LONG.store(word, Width.LONG.other);
            Queue.anonWake(word, 1, 0);
            assertEquals(Width.LONG.other, queue.await(view));
            Queue.anonWake(view, 1, 0);
            queue.await(view);
            queue.change(view, EV_DELETE, 0, 0);
        }
    }

    @Test
    void twoMappingsOfOneWordAreTwoKnotesInOneLine() {
        try (var other = SharedMemory.map(memory.path())) {
            MemorySegment here = memory.word(1, Width.INT);
            MemorySegment there = other.segment().asSlice(memory.offset(here), Integer.BYTES);
            queue.add(here, Width.INT, EV_ONESHOT);
            queue.add(there, Width.INT, EV_ONESHOT);
            queue.wake(there, 1);
            queue.await(here);
            queue.assertQuiet();
            queue.wake(here, 1);
            queue.await(there);
        }
    }

    @Test
    void aWakeByTheJavaFaceIsRefusedForTheSameReasons() {
        MemorySegment word = memory.word(1, Width.INT);
        MemorySegment heap = MemorySegment.ofArray(new int[1]);
        MemorySegment closed;
        try (Arena arena = Arena.ofConfined()) {
            closed = arena.allocate(8, 8);
        }
        try (var java = EventQueue.open()) {
            for (boolean isPrivate : new boolean[] {false, true}) {
                assertErrno(Errno.EINVAL, () -> wake(java, memory.segment().asSlice(1, 4), 1, isPrivate));
                assertErrno(Errno.EINVAL, () -> wake(java, word, -1, isPrivate));
                assertErrno(Errno.EFAULT, () -> wake(java, MemorySegment.NULL, 1, isPrivate));
                assertErrno(Errno.EFAULT, () -> wake(java, heap, 1, isPrivate));
                assertErrno(Errno.EFAULT, () -> wake(java, closed, 1, isPrivate));
                int fflags = NOTE_TRIGGER | (isPrivate ? NOTE_USERMEM_PRIVATE : 0);
                assertErrno(Errno.EFAULT, () -> queue.change(closed, EV_ANON, fflags, 1));
                wake(java, word, 0, isPrivate);
                wake(java, word, Integer.MAX_VALUE, isPrivate);
            }
        }
    }

    private static void wake(EventQueue queue, MemorySegment word, int count, boolean isPrivate) {
        if (isPrivate) {
            queue.wakePrivately(word, count);
        } else {
            queue.wake(word, count);
        }
    }

    @Test
    void anInterestOfAWordHasItsAddress() {
        MemorySegment word = memory.word(1, Width.INT);
        long other = memory.word(2, Width.INT).address();
        assertErrno(Errno.EINVAL,
                () -> new Interest(EVFILT_USERMEM, other, word, 0, NOTE_USERMEM_INT, Width.VALUE));
        assertThrows(NullPointerException.class, () -> Interest.of(EVFILT_USERMEM, (MemorySegment) null));
        assertThrows(NullPointerException.class, () -> Kqueue.memory(queue.kq, null));
    }

    @Test
    void anAnonymousWaitRemembersNoMemory() {
        MemorySegment word = memory.word(1, Width.INT);
        KeventList list = KeventList.allocate(1);
        list.set(0, word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        assertEquals(1, Kqueue.kevent(KQUEUE_FD_ANON, list, 1, list, 1, Queue.LONG));
        list.set(0, word.address(), EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        assertErrno(Errno.EFAULT, () -> Kqueue.kevent(KQUEUE_FD_ANON, list, 1, null, 0, null));
    }
}
