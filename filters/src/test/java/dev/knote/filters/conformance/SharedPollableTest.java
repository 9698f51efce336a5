package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** The fd of a queue for several threads, polled by others. */
class SharedPollableTest extends PollableCases {
    SharedPollableTest() {
        super(Options.defaults().pollable());
    }

    @Test
    void another_queue_watches_it_too() {
        int outer = newQueue();
        changeIn(outer, kq, EVFILT_READ, EV_ADD | EV_CLEAR);
        assertQuiet();
        change(1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
        assertTold();
        assertEquals(kq, nextIn(outer).ident());
        change(1, EVFILT_USER, EV_DELETE);
        assertQuiet();
    }

    @Test
    void a_thread_that_waits_in_the_queue_takes_the_event_and_leaves_it_quiet() throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            int[] pipe = pipe();
            change(pipe[0], EVFILT_READ, EV_ADD | EV_CLEAR);
            change(1, EVFILT_USER, EV_ADD | EV_CLEAR);
            queue.register(UserMem.int32(memory.word32(0), 0), null);
            FutureTask<Ev> waiter = inBackground(this::next);
            write(pipe[1], 1);
            assertEquals(EVFILT_READ, result(waiter).filter());
            assertQuiet();
            waiter = inBackground(this::next);
            change(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
            assertEquals(EVFILT_USER, result(waiter).filter());
            assertQuiet();
            waiter = inBackground(this::next);
            queue.wake(memory.word32(0), 1);
            assertEquals(EVFILT_USERMEM, result(waiter).filter());
            // The thread that armed the word again ends, and its wait is handed on: that may show for a moment.
            assertTrue(within(LONG, () -> !isTold()), "stays readable");
            assertQuiet();
            waiter = inBackground(this::next);
            change(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 40, null);
            assertEquals(EVFILT_TIMER, result(waiter).filter());
            assertQuiet();
        }
    }
}
