package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.Kqueue;
import dev.knote.Options;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Descriptors of a queue with a single owner that another thread closes. */
class OwnedDescriptorTest extends FdFixture {
    @Test
    @DisplayName("FD-03 another thread closes an fd of a single owner's queue: no event, the number can be added anew")
    void fd03_closedByAnotherThread() throws Exception {
        try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner())) {
            int[] old = pipe();
            int number = old[0];
            changeIn(owned.fd(), number, EVFILT_READ, EV_ADD, 0, 0, "old");
            write(old[1], 1);
            elsewhere(() -> shut(number, Closing.KNOTE));
            noneIn(owned.fd());
            int[] pipe = pipe();
            assertEquals(number, pipe[0], "the number is used again");
            changeIn(owned.fd(), number, EVFILT_READ, EV_ADD, 0, 0, "new");
            noneIn(owned.fd());
            write(pipe[1], 2);
            assertEquals("new", nextIn(owned.fd()).udata());
        }
    }

    @Test
    @DisplayName("FD-20 another thread closes the queue that a single owner's queue watches: no event any more")
    void fd20_innerClosedByAnotherThread() throws Exception {
        try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner())) {
            int inner = newQueue();
            changeIn(owned.fd(), inner, EVFILT_READ, EV_ADD);
            changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
            assertEquals(inner, nextIn(owned.fd()).ident());
            elsewhere(() -> closeQueue(inner));
            noneIn(owned.fd());
            int again = newQueue();
            changeIn(again, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
            noneIn(owned.fd());
            changeIn(owned.fd(), again, EVFILT_READ, EV_ADD);
            assertEquals(again, nextIn(owned.fd()).ident());
            Kqueue.close(owned.fd());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("FD-20 another thread closes the inner queue, or a name of it, and another queue gets the number")
    void fd20_anotherQueueGetsTheNumber(boolean innerLivesOn) throws Exception {
        try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner())) {
            int inner = newQueue();
            int name = innerLivesOn ? Kqueue.dup(inner) : inner;
            changeIn(owned.fd(), name, EVFILT_READ, EV_ADD, 0, 0, "old");
            elsewhere(() -> {
                if (innerLivesOn) {
                    Kqueue.close(name);
                } else {
                    closeQueue(name);
                }
            });
            int other = newQueue();
            assertEquals(name, other, "the number is used again");
            if (innerLivesOn) {
                changeIn(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
                noneIn(owned.fd());
            }
            changeIn(owned.fd(), name, EVFILT_READ, EV_ADD, 0, 0, "new");
            noneIn(owned.fd());
            changeIn(other, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
            assertEquals("new", nextIn(owned.fd()).udata());
        }
    }

    private static void elsewhere(Runnable action) throws Exception {
        try (var thread = Executors.newSingleThreadExecutor()) {
            thread.submit(action).get();
        }
    }
}
