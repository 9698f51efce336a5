package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A queue watched by another with EVFILT_READ. */
class NestedTest extends FdFixture {
    private int inner;

    @BeforeEach
    void makeInner() {
        inner = newQueue();
    }

    @Test
    @DisplayName("FD-20 an event in the inner queue: the outer one returns its fd, READ, data the events pending")
    void fd20_event() {
        change(inner, EVFILT_READ, EV_ADD, 0, 0, "inner");
        none();
        for (long id = 1; id <= 3; id++) {
            changeIn(inner, id, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, null);
            assertEquals(new Ev(inner, EVFILT_READ, 0, 0, id, "inner"), next());
        }
        assertEquals(3, events(inner, 8, LONG).size());
        none();
    }

    @Test
    @DisplayName("FD-20 data counts what the inner queue has to look at: also what has ceased to hold, until it looks")
    void fd20_countsWhatHasCeased() {
        change(inner, EVFILT_READ, EV_ADD, 0, 0, "inner");
        int[] pipe = pipe();
        changeIn(inner, pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        assertEquals(1, events(inner, 8, LONG).size());
        drain(pipe[0]);
        assertEquals(1, next().data());
        noneIn(inner);
        none();
    }

    @Test
    @DisplayName("FD-20 a thread that waits in the outer queue is woken by the inner queue's fds and timers")
    void fd20_wakesWaiter() throws Exception {
        change(inner, EVFILT_READ, EV_ADD | EV_CLEAR);
        int[] pipe = pipe();
        changeIn(inner, pipe[0], EVFILT_READ, EV_ADD);
        FutureTask<Ev> waiter = inBackground(this::next);
        write(pipe[1], 1);
        assertEquals(inner, result(waiter).ident());
        drain(pipe[0]);
        noneIn(inner);
        waiter = inBackground(this::next);
        changeIn(inner, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 50, null);
        assertEquals(inner, result(waiter).ident());
        assertEquals(EVFILT_TIMER, nextIn(inner).filter());
        waiter = inBackground(this::next);
        changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(inner, result(waiter).ident());
    }

    @Test
    @DisplayName("FD-20 an inner queue that has events already, of every kind, when it is added")
    void fd20_eventsBefore() throws Exception {
        int[] pipe = pipe();
        write(pipe[1], 1);
        changeIn(inner, pipe[0], EVFILT_READ, EV_ADD);
        change(inner, EVFILT_READ, EV_ADD);
        assertEquals(inner, next().ident());
        changeIn(inner, pipe[0], EVFILT_READ, EV_DELETE);
        change(inner, EVFILT_READ, EV_DELETE);
        changeIn(inner, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 60, null);
        change(inner, EVFILT_READ, EV_ADD);
        assertEquals(inner, next().ident());
    }

    @Test
    @DisplayName("FD-20 a word of memory in the inner queue, armed before or after it is watched, fires the outer one")
    void fd20_word() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            watchWord(memory.word32(0));
            change(inner, EVFILT_READ, EV_ADD);
            none();
            FutureTask<Ev> waiter = inBackground(this::next);
            Kqueue.queue(kq).wake(memory.word32(0), 1);
            assertEquals(inner, result(waiter).ident());
            assertEquals(EVFILT_USERMEM, nextIn(inner).filter());
            none();
            watchWord(memory.word32(16));
            waiter = inBackground(this::next);
            Kqueue.queue(kq).wake(memory.word32(16), 1);
            assertEquals(inner, result(waiter).ident());
        }
    }

    @Test
    @DisplayName("FD-20 the first word of an inner queue that is watched already fires the outer one")
    void fd20_firstWord() throws Exception {
        change(inner, EVFILT_READ, EV_ADD);
        none();
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            FutureTask<Ev> waiter = inBackground(this::next);
            watchWord(memory.word32(0));
            Kqueue.queue(kq).wake(memory.word32(0), 1);
            assertEquals(inner, result(waiter).ident());
        }
    }

    @Test
    @DisplayName("FD-20 EV_DELETE, EV_DISABLE and EV_ENABLE of an inner queue; two queues may watch it")
    void fd20_changes() {
        int other = newQueue();
        change(inner, EVFILT_READ, EV_ADD);
        changeIn(other, inner, EVFILT_READ, EV_ADD);
        changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(inner, next().ident());
        assertEquals(inner, nextIn(other).ident());
        change(inner, EVFILT_READ, EV_DISABLE);
        none();
        change(inner, EVFILT_READ, EV_ENABLE);
        assertEquals(inner, next().ident());
        change(inner, EVFILT_READ, EV_DELETE);
        none();
        assertNoKnote(inner, EVFILT_READ);
        assertEquals(inner, nextIn(other).ident());
    }

    @Test
    @DisplayName("FD-20 the inner queue is closed: its knote goes, a queue that gets its number is another one")
    void fd20_innerCloses() {
        change(inner, EVFILT_READ, EV_ADD);
        changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(inner, next().ident());
        closeQueue(inner);
        assertNoKnote(inner, EVFILT_READ);
        none();
        int again = newQueue();
        changeIn(again, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        none();
        change(again, EVFILT_READ, EV_ADD);
        assertEquals(again, next().ident());
    }

    @Test
    @DisplayName("FD-20 the outer queue is closed: the inner one goes on")
    void fd20_outerCloses() {
        change(inner, EVFILT_READ, EV_ADD);
        closeQueue(kq);
        changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(1, nextIn(inner).ident());
    }

    @Test
    @DisplayName("FD-21 a queue that watches itself: EINVAL")
    void fd21_itself() {
        assertErrno(Errno.EINVAL, () -> change(kq, EVFILT_READ, EV_ADD));
        assertNoKnote(kq, EVFILT_READ);
    }

    @Test
    @DisplayName("FD-21 queues in a circle: ELOOP, and no knote")
    void fd21_circle() {
        int third = newQueue();
        change(inner, EVFILT_READ, EV_ADD);
        changeIn(inner, third, EVFILT_READ, EV_ADD);
        assertErrno(Errno.ELOOP, () -> changeIn(third, kq, EVFILT_READ, EV_ADD));
        assertErrno(Errno.ELOOP, () -> changeIn(inner, kq, EVFILT_READ, EV_ADD));
        assertErrno(Errno.ENOENT, () -> changeIn(third, kq, EVFILT_READ, EV_DELETE));
        change(inner, EVFILT_READ, EV_DELETE);
        changeIn(third, kq, EVFILT_READ, EV_ADD);
    }

    @Test
    @DisplayName("FD-22 a chain of 100 queues: ELOOP where it gets too deep, what is below works, all closes")
    void fd22_chain() {
        int depth = 0;
        int top = kq;
        KeventException refused = null;
        while (depth < 100 && refused == null) {
            int next = newQueue();
            int below = top;
            try {
                changeIn(next, below, EVFILT_READ, EV_ADD);
                top = next;
                depth++;
            } catch (KeventException e) {
                refused = e;
                assertErrno(Errno.ENOENT, () -> changeIn(next, below, EVFILT_READ, EV_DELETE));
                changeIn(below, 1, EVFILT_USER, EV_ADD | EV_DISABLE); // the refused one has left nothing behind
            }
        }
        assertTrue(depth >= 3, depth + " queues in a chain");
        if (refused != null) {
            assertEquals(Errno.ELOOP, refused.errno(), refused.getMessage());
        }
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        noneIn(top);
        write(pipe[1], 1);
        assertEquals(EVFILT_READ, nextIn(top).filter());
        drain(pipe[0]);
        change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(EVFILT_READ, nextIn(top).filter());
    }

    @Test
    @DisplayName("FD-22 a chain built from its top down gets ELOOP as well, and leaves nothing")
    void fd22_chainFromTheTop() {
        int above = kq;
        KeventException refused = null;
        for (int depth = 0; depth < 100 && refused == null; depth++) {
            int below = newQueue();
            int top = above;
            try {
                changeIn(top, below, EVFILT_READ, EV_ADD);
                above = below;
            } catch (KeventException e) {
                refused = e;
                assertErrno(Errno.ENOENT, () -> changeIn(top, below, EVFILT_READ, EV_DELETE));
            }
        }
        assertTrue(refused == null || refused.errno() == Errno.ELOOP);
        changeIn(above, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertEquals(EVFILT_READ, next().filter());
    }

    @Test
    @DisplayName("FD-22 WRITE in the innermost queue, which takes one level more: works, or ELOOP without a knote")
    void fd22_writeInTheInnermost() {
        int[] pair = socketpair(Libc.SOCK_STREAM);
        int above = kq;
        int levels = 0;
        boolean refused = false;
        List<Integer> chain = new ArrayList<>();
        for (; levels < 3 || !refused && levels < 100; levels++) {
            int innermost = newQueue();
            int top = above;
            changeIn(top, innermost, EVFILT_READ, EV_ADD);
            above = innermost;
            chain.add(innermost);
            try {
                changeIn(innermost, pair[0], EVFILT_WRITE, EV_ADD);
                assertEquals(EVFILT_READ, next().filter());
                changeIn(innermost, pair[0], EVFILT_WRITE, EV_DELETE);
                // As in BSD, what stands on a list counts until that queue is asked: from the innermost up.
                chain.reversed().forEach(queue -> events(queue, 8, Duration.ZERO));
                none();
            } catch (KeventException e) {
                assertEquals(Errno.ELOOP, e.errno(), e.getMessage());
                assertErrno(Errno.ENOENT, () -> changeIn(innermost, pair[0], EVFILT_WRITE, EV_DELETE));
                refused = true;
            }
        }
        changeIn(above, pair[0], EVFILT_READ, EV_ADD);
        write(pair[1], 1);
        assertEquals(EVFILT_READ, next().filter());
    }

    @Test
    @DisplayName("WRITE of a queue: EINVAL")
    void writeOfQueue() {
        assertErrno(Errno.EINVAL, () -> change(inner, EVFILT_WRITE, EV_ADD));
        assertThrows(KeventException.class, () -> change(inner, EVFILT_WRITE, EV_DELETE));
    }

    private void watchWord(MemorySegment word) {
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        assertEquals(List.of(), copy(list, kevent(inner, list, 1, null, 0, null)));
    }
}
