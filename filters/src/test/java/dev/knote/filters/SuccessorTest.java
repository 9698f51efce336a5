package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_SET;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.filters.conformance.Pipe;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A knote that is made when another one has gone, and takes its place inside the queue, has none of its events. */
@Timeout(60)
class SuccessorTest {
    private static final int TIMES = 300;

    private final KeventList list = KeventList.allocate(2 * TIMES);

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void whatWasTriggeredAndDeletedInACallIsNoEventOfWhatIsMadeAfterIt(boolean owner) {
        Options options = owner ? Options.defaults().singleOwner() : Options.defaults();
        try (EventQueue queue = EventQueue.open(options); Pipe pipe = new Pipe()) {
            pipe.write(1);
            change(queue, 0, pipe.reader(), EVFILT_READ, EV_ADD | EV_CLEAR, 0);
            assertEquals(1, events(queue, 1), "what can be read");
            for (int i = 0; i < TIMES; i++) { // some of the many are neighbours of the fd in the table
                EV_SET(list, 0, pipe.reader(), EVFILT_READ, EV_DELETE, 0, 0, null);
                EV_SET(list, 1, i, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, null);
                EV_SET(list, 2, i, EVFILT_USER, EV_DELETE, 0, 0, null);
                EV_SET(list, 3, pipe.reader(), EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, null);
                assertEquals(1, queue.kevent(list, 4, list, list.size(), Duration.ZERO), "round " + i);
                assertEquals(EVFILT_READ, list.filter(0));
                assertEquals(0, events(queue, 0), "told of already, round " + i);
            }
        }
    }

    private void change(EventQueue queue, int at, long ident, int filter, int flags, int fflags) {
        EV_SET(list, at, ident, filter, flags, fflags, 0, null);
        assertEquals(0, queue.kevent(list, 1, null, 0, null));
    }

    private int events(EventQueue queue, int expected) {
        return queue.kevent(null, 0, list, list.size(),
                expected == 0 ? Duration.ZERO : Duration.ofSeconds(5));
    }
}
