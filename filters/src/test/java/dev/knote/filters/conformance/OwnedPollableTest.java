package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static dev.knote.filters.conformance.Libc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Interest;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.filters.User;
import org.junit.jupiter.api.Test;

/** The fd of a single owner's queue, polled by others. */
class OwnedPollableTest extends PollableCases {
    OwnedPollableTest() {
        super(Options.defaults().pollable().singleOwner());
    }

    @Test
    void what_others_post_is_told_until_the_owner_has_done_it() throws Exception {
        var knote = queue.register(User.of(1).clear(), null);
        assertQuiet();
        elsewhere(knote::trigger);
        assertTold();
        assertEquals(1, next().ident());
        assertQuiet();
        elsewhere(() -> queue.register(Interest.of(EVFILT_TIMER, 2).oneShot().data(1), null));
        assertTold();
        assertEquals(EVFILT_TIMER, next().filter());
        assertQuiet();
        elsewhere(() -> queue.register(Interest.of(EVFILT_READ, -1), null));
        assertTold();
        assertTrue(next().has(EV_ERROR));
        assertQuiet();
    }
}
