package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_RECEIPT;
import static dev.knote.Kqueue.KQUEUE_FD_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several wakes in one changelist. */
@Timeout(60)
class WakeListTest {
    private static final int MANY = 40;

    /** A page where nothing is ever mapped. */
    private static final long UNMAPPED = 64;

    /** To whom the changelist is given. */
    enum Through {
        /** KQUEUE_FD_ANON. */
        ANON,
        /** A queue, with EV_ANON. */
        QUEUE
    }

    private final List<Queue> waiting = new ArrayList<>();
    private final KeventList changes = KeventList.allocate(MANY);
    private final KeventList events = KeventList.allocate(MANY);
    private TestMemory memory;
    private Queue queue;
    private int kq;
    private int anonFlag;

    @BeforeEach
    void openMemory() throws Exception {
        memory = Place.SHM.open();
    }

    private void open(Through through, int words) {
        queue = new Queue();
        kq = through == Through.ANON ? KQUEUE_FD_ANON : queue.kq;
        anonFlag = through == Through.ANON ? 0 : EV_ANON;
        for (int i = 0; i < words; i++) {
            Queue waiter = new Queue();
            waiter.add(memory.word(i, Width.INT), Width.INT);
            waiting.add(waiter);
            wake(i, 0, memory.word(i, Width.INT).address());
        }
    }

    private void wake(int at, int flags, long address) {
        changes.set(at, address, EVFILT_USERMEM, anonFlag | flags, NOTE_TRIGGER, 1, "wake " + at);
    }

    @AfterEach
    void close() throws Exception {
        waiting.forEach(Queue::close);
        queue.close();
        memory.close();
    }

    private void closeAll() {
        waiting.forEach(Queue::close);
        waiting.clear();
        queue.close();
    }

    private void assertWoken(int i) {
        waiting.get(i).await(memory.word(i, Width.INT));
    }

    private void assertError(int at, long ident, int errno) {
        assertEquals(EV_ERROR, events.flags(at), "flags of entry " + at);
        assertEquals(errno, events.data(at), "data of entry " + at);
        assertEquals(ident, events.ident(at), "ident of entry " + at);
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void oneCallMakesThemAll(Through through) {
        open(through, 3);
        assertEquals(0, Kqueue.kevent(kq, changes, 3, null, 0, null));
        for (int i = 0; i < 3; i++) {
            assertWoken(i);
        }
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void oneCallMakesMoreThanAnybodyExpects(Through through) {
        open(through, MANY);
        assertEquals(0, Kqueue.kevent(kq, changes, MANY, null, 0, null));
        for (int i = 0; i < MANY; i++) {
            assertWoken(i);
        }
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void theChangelistIsNotChanged(Through through) {
        open(through, 2);
        Kqueue.kevent(kq, changes, 2, null, 0, null);
        assertEquals(anonFlag, changes.flags(0));
        assertEquals(anonFlag, changes.flags(1));
        assertEquals("wake 1", changes.udata(1));
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void withoutRoomABadOneFailsTheCallThere(Through through) {
        for (long bad : new long[] {UNMAPPED + 1, UNMAPPED, 0}) {
            open(through, 3);
            wake(1, 0, bad);
            int errno = bad % 4 != 0 ? Errno.EINVAL : Errno.EFAULT;
            Queue.assertErrno(errno, () -> Kqueue.kevent(kq, changes, 3, null, 0, null));
            assertWoken(0);
            waiting.get(1).assertQuiet();
            if (errno == Errno.EINVAL) { // the kernel alone knows what is mapped, and is entered once for all
                waiting.get(2).assertQuiet();
            }
            closeAll();
        }
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void withRoomABadOneIsAnEntryAndTheOthersAreMade(Through through) {
        for (long bad : new long[] {UNMAPPED + 1, UNMAPPED, 0}) {
            open(through, 3);
            wake(1, 0, bad);
            assertEquals(1, Kqueue.kevent(kq, changes, 3, events, 3, Queue.LONG), "errors, without waiting");
            assertError(0, bad, bad % 4 != 0 ? Errno.EINVAL : Errno.EFAULT);
            assertEquals("wake 1", events.udata(0));
            assertWoken(0);
            waiting.get(1).assertQuiet();
            assertWoken(2);
            closeAll();
        }
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void receiptsAnswerEachInOrder(Through through) {
        open(through, 4);
        for (int i = 0; i < 4; i++) {
            wake(i, EV_RECEIPT,
                    i == 1 ? UNMAPPED : i == 2 ? UNMAPPED + 2 : memory.word(i, Width.INT).address());
        }
        assertEquals(4, Kqueue.kevent(kq, changes, 4, events, 4, Queue.LONG));
        assertError(0, memory.word(0, Width.INT).address(), 0);
        assertError(1, UNMAPPED, Errno.EFAULT);
        assertError(2, UNMAPPED + 2, Errno.EINVAL);
        assertError(3, memory.word(3, Width.INT).address(), 0);
        assertWoken(0);
        assertWoken(3);
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void aReceiptWithoutRoomEndsTheCallBehindItsWake(Through through) {
        for (int room = 0; room < 3; room++) {
            open(through, 4);
            wake(1, EV_RECEIPT, memory.word(1, Width.INT).address());
            wake(2, room == 1 ? EV_RECEIPT : 0, memory.word(2, Width.INT).address());
            changes.set(4, 1, EVFILT_USER, EV_ADD | EV_RECEIPT, 0, 0, null);
            changes.set(5, 2, EVFILT_USER, EV_ADD, 0, 0, null);
            assertEquals(room, Kqueue.kevent(kq, changes, 6, events, room, Queue.LONG), "receipts");
            int ends = room + 1; // the last wake made
            for (int i = 0; i < 4; i++) {
                if (i <= ends) {
                    assertWoken(i);
                } else {
                    waiting.get(i).assertQuiet();
                }
            }
            if (through == Through.QUEUE && room < 2) {
                changes.set(0, 1, EVFILT_USER, EV_DELETE, 0, 0, null);
                Queue.assertErrno(Errno.ENOENT, () -> Kqueue.kevent(kq, changes, 1, null, 0, null));
            }
            closeAll();
        }
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void aWakeThatFailsTakesTheRoomOfTheReceiptBehindIt(Through through) {
        open(through, 3);
        wake(0, 0, UNMAPPED);
        wake(1, EV_RECEIPT, memory.word(1, Width.INT).address());
        assertEquals(1, Kqueue.kevent(kq, changes, 3, events, 1, Queue.LONG), "answers");
        assertError(0, UNMAPPED, Errno.EFAULT);
        assertWoken(1);
        waiting.get(2).assertQuiet();
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void theListsMayBeTheSame(Through through) {
        open(through, 3);
        wake(0, EV_RECEIPT, memory.word(0, Width.INT).address());
        wake(1, 0, UNMAPPED);
        assertEquals(2, Kqueue.kevent(kq, changes, 3, changes, 3, Queue.LONG));
        assertEquals(0, changes.data(0));
        assertEquals(Errno.EFAULT, changes.data(1));
        assertWoken(0);
        assertWoken(2);
    }

    @ParameterizedTest
    @EnumSource(Through.class)
    void severalWakesOfOneWordCountAsMany(Through through) {
        open(through, 1);
        Queue second = new Queue();
        Queue third = new Queue();
        waiting.add(second);
        waiting.add(third);
        second.add(memory.word(0, Width.INT), Width.INT);
        third.add(memory.word(0, Width.INT), Width.INT);
        wake(1, 0, memory.word(0, Width.INT).address());
        assertEquals(0, Kqueue.kevent(kq, changes, 2, null, 0, null));
        assertWoken(0);
        second.await(memory.word(0, Width.INT));
        third.assertQuiet();
    }
}
