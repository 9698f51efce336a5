package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What poll(2) and epoll of others see of a queue's fd that is for them to see. */
abstract class PollableCases extends FdFixture {
    private final Options options;
    EventQueue queue;

    PollableCases(Options options) {
        this.options = options;
    }

    @BeforeEach
    void openQueue() {
        kq = Kqueue.kqueue(options);
        queue = Kqueue.queue(kq);
    }

    @AfterEach
    void closeQueue() {
        queue.close();
    }

    boolean isTold() {
        return (poll(kq, POLLIN) & POLLIN) != 0;
    }

    /** Something is due, at once or soon, and poll(2) says so. */
    void assertTold() {
        untilPoll(kq, POLLIN);
    }

    /** Nothing is due: a call finds nothing, and poll(2) knew. */
    void assertQuiet() {
        assertTrue(!isTold(), "readable before a call");
        assertEquals(List.of(), events(kq, 8, Duration.ZERO));
        assertTrue(!isTold(), "readable after a call");
    }

    static void elsewhere(Runnable action) throws Exception {
        Thread thread = Thread.ofPlatform().start(action);
        thread.join();
    }

    @Test
    void what_the_first_call_of_a_thread_triggers_is_its_event_at_once() {
        KeventList list = KeventList.allocate(2);
        list.set(0, 1, EVFILT_USER, EV_ADD | EV_ONESHOT, NOTE_TRIGGER, 0, null);
        assertEquals(1, kevent(kq, list, 1, list, 2, Duration.ZERO));
        assertQuiet();
    }

    @Test
    void a_USER_event_until_it_is_taken() {
        change(1, EVFILT_USER, EV_ADD | EV_CLEAR);
        assertQuiet();
        for (int i = 0; i < 3; i++) {
            change(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
            assertTrue(isTold());
            assertEquals(1, next().ident());
            assertQuiet();
        }
    }

    @Test
    void an_event_that_goes_on_holds_on() {
        change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        for (int i = 0; i < 3; i++) {
            assertTrue(isTold());
            assertEquals(1, next().ident());
        }
        assertTrue(isTold());
        change(1, EVFILT_USER, EV_DELETE);
        assertQuiet();
    }

    @Test
    void no_longer_when_it_is_disabled_and_again_when_it_is_enabled() {
        change(1, EVFILT_USER, EV_ADD | EV_DISPATCH, NOTE_TRIGGER, 0, null);
        assertTrue(isTold());
        change(1, EVFILT_USER, EV_DISABLE);
        assertQuiet();
        change(1, EVFILT_USER, EV_ENABLE);
        assertTrue(isTold());
        assertEquals(1, next().ident());
        assertQuiet();
        change(1, EVFILT_USER, EV_ENABLE);
        assertTrue(isTold());
    }

    @Test
    void events_that_a_short_list_had_no_room_for() {
        for (int id = 1; id <= 5; id++) {
            change(id, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, null);
        }
        for (int left = 5; left > 0; left--) {
            assertTrue(isTold());
            assertEquals(1, events(kq, 1, Duration.ZERO).size());
        }
        assertQuiet();
    }

    @Test
    void a_timer_from_its_deadline_on() {
        long begin = System.nanoTime();
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 60, null);
        boolean early = isTold();
        assertTrue(!early || System.nanoTime() - begin >= 60_000_000);
        assertTold();
        assertTrue(System.nanoTime() - begin >= 60_000_000, "before its time");
        assertEquals(1, events(kq, 8, Duration.ZERO).size());
        assertQuiet();
    }

    @Test
    void a_timer_that_repeats_at_each_of_its_times_and_a_deadline_that_is_moved() {
        change(1, EVFILT_TIMER, EV_ADD, 0, 20, null);
        for (int i = 0; i < 4; i++) {
            assertTold();
            assertEquals(1, events(kq, 8, Duration.ZERO).size());
        }
        change(1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 3600, null);
        assertQuiet();
        change(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 20, null);
        assertTold();
        change(2, EVFILT_TIMER, EV_DELETE);
        assertQuiet();
    }

    @Test
    void a_disabled_timer_when_it_is_enabled() {
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT | EV_DISABLE, 0, 10, null);
        change(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 60, null);
        passes(Duration.ofMillis(20));
        assertTold();
        assertEquals(2, events(kq, 8, Duration.ZERO).getFirst().ident());
        assertQuiet();
        change(1, EVFILT_TIMER, EV_ENABLE);
        assertTrue(isTold());
        assertEquals(1, next().ident());
        assertQuiet();
    }

    @Test
    void bytes_that_no_call_has_seen_yet() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        assertQuiet();
        write(pipe[1], 1);
        assertTrue(isTold());
        drain(pipe[0]);
        assertQuiet();
        write(pipe[1], 2);
        assertTrue(isTold());
        assertEquals(2, next().data());
        assertQuiet();
        change(pipe[1], EVFILT_WRITE, EV_ADD | EV_CLEAR);
        assertTrue(isTold());
        assertEquals(EVFILT_WRITE, next().filter());
        assertQuiet();
        fill(pipe[1]);
        assertEquals(EVFILT_READ, next().filter());
        drain(pipe[0]);
        assertTrue(isTold(), "there is room again");
        assertEquals(EVFILT_WRITE, next().filter());
        assertQuiet();
    }

    @Test
    void bytes_that_go_on_to_be_there_and_until_the_next_call_when_they_are_gone() {
        int[] pipe = pipe();
        change(pipe[0], EVFILT_READ, EV_ADD);
        write(pipe[1], 1);
        assertEquals(1, next().data());
        assertTrue(isTold());
        assertEquals(1, next().data());
        drain(pipe[0]);
        assertEquals(List.of(), events(kq, 8, Duration.ZERO));
        assertQuiet();
        write(pipe[1], 1);
        assertEquals(1, next().data());
        Kqueue.close(keep(must("dup", pipe[0])));
        assertTrue(isTold());
        shut(pipe[0], Closing.KNOTE);
        assertQuiet();
    }

    @Test
    void a_file_that_grows() {
        int file = file(10);
        change(file, EVFILT_READ, EV_ADD);
        assertTrue(isTold());
        assertEquals(10, next().data());
        seek(file, 10);
        assertEquals(List.of(), events(kq, 8, Duration.ZERO));
        assertQuiet();
        write(keep(open(pathOf(file).toString(), O_WRONLY)), 14);
        assertTrue(isTold());
        assertEquals(4, next().data());
    }

    @Test
    void words_that_were_woken_also_the_first_of_the_queue() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            MemorySegment word = memory.word32(0);
            MemorySegment other = memory.word64(1);
            queue.register(UserMem.int32(word, 0), null);
            queue.register(UserMem.privately(UserMem.int64(other, 0)), null);
            assertQuiet();
            for (int i = 0; i < 3; i++) {
                elsewhere(() -> queue.wake(word, 1));
                assertTold();
                assertEquals(word.address(), next().ident());
                assertQuiet();
                elsewhere(() -> queue.wakePrivately(other, 1));
                assertTold();
                assertEquals(other.address(), next().ident());
                assertQuiet();
            }
            SharedMemory.store32(word, 5);
            queue.register(UserMem.int32(word, 4), null);
            assertTrue(isTold(), "not the value expected");
            assertEquals(5, next().data());
            assertQuiet();
        }
    }

    @Test
    void another_queue_that_this_one_watches() {
        int inner = newQueue();
        change(inner, EVFILT_READ, EV_ADD);
        int[] pipe = pipe();
        changeIn(inner, pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
        assertQuiet();
        changeIn(inner, 1, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, null);
        assertTold();
        assertEquals(inner, next().ident());
        assertEquals(1, nextIn(inner).ident());
        assertEquals(List.of(), events(kq, 8, Duration.ZERO));
        assertQuiet();
        write(pipe[1], 1);
        assertTold();
        assertEquals(inner, next().ident());
        assertEquals(EVFILT_READ, nextIn(inner).filter());
        assertEquals(List.of(), events(kq, 8, Duration.ZERO));
        changeIn(inner, 2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 30, null);
        assertTold();
        assertEquals(inner, next().ident());
    }

    @Test
    void other_names_of_the_queue_tell_the_same() {
        int other = Kqueue.dup(kq);
        change(1, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, null);
        assertTrue((poll(other, POLLIN) & POLLIN) != 0);
        Kqueue.close(kq);
        assertTrue((poll(other, POLLIN) & POLLIN) != 0);
        assertEquals(1, nextIn(other).ident());
        assertEquals(0, poll(other, POLLIN));
        Kqueue.close(other);
        assertEquals(POLLNVAL, poll(kq, POLLIN));
        assertEquals(POLLNVAL, poll(other, POLLIN));
    }

    @Test
    void epoll_sets_of_others_watch_it_two_deep_as_sets() throws Exception {
        int set = keep(must("epoll_create1", O_CLOEXEC));
        int above = keep(must("epoll_create1", O_CLOEXEC));
        watchIn(above, set);
        watchIn(set, kq);
        int[] pipe = pipe();
        change(pipe[1], EVFILT_WRITE, EV_ADD | EV_CLEAR); // with a set of its own in the queue
        assertEquals(EVFILT_WRITE, next().filter());
        assertEquals(0, poll(above, POLLIN));
        fill(pipe[1]);
        assertEquals(0, poll(above, POLLIN));
        drain(pipe[0]);
        untilPoll(above, POLLIN);
        assertEquals(EVFILT_WRITE, next().filter());
        assertEquals(0, poll(above, POLLIN));
        change(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 30, null);
        untilPoll(above, POLLIN);
        assertEquals(EVFILT_TIMER, next().filter());
        assertEquals(0, poll(above, POLLIN));
    }

    static void watchIn(int set, int fd) {
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment event = arena.allocate(16, 8);
            event.set(java.lang.foreign.ValueLayout.JAVA_INT, 0, POLLIN);
            must("epoll_ctl", set, 1, fd, event.address());
        }
    }
}
