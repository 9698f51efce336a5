package dev.knote.filters;

import static dev.knote.Kqueue.NOTE_FFCOPY;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.conformance.Callers;
import dev.knote.filters.conformance.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trigger, enable and disable of a {@link Knote} leave what it was registered for: its fflags and its data. */
@Timeout(60)
class KnoteOrdersTest {
    private EventQueue queue;

    @AfterEach
    void close() {
        queue.close();
    }

    private void open(boolean owner) {
        queue = EventQueue.open(owner ? Options.defaults().singleOwner() : Options.defaults());
        assertEquals(List.of(), data());
    }

    private List<Long> data() {
        List<Long> data = new ArrayList<>();
        queue.poll(event -> data.add(event.data()), Duration.ZERO);
        return data;
    }

    private static void elsewhere(Runnable call) {
        try (var caller = Callers.start(() -> {
            call.run();
            return true;
        })) {
            assertEquals(true, caller.result());
        }
    }

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void triggeringAReaderLeavesItsMark(boolean owner) {
        open(owner);
        try (Pipe pipe = new Pipe()) {
            Knote knote = queue.register(Read.atLeast(pipe.reader(), 10), null);
            pipe.write(3);
            assertEquals(List.of(), data());
            knote.trigger();
            assertEquals(List.of(), data());
            elsewhere(knote::trigger);
            assertEquals(List.of(), data());
            knote.disable();
            pipe.write(7);
            assertEquals(List.of(), data());
            knote.enable();
            assertEquals(List.of(10L), data());
        }
    }

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void aTimerGoesOnAsItWasStarted(boolean owner) {
        open(owner);
        Knote knote = queue.register(Timer.after(1, Duration.ofHours(1)), null);
        for (Runnable order : List.<Runnable>of(knote::trigger, knote::disable, knote::enable)) {
            order.run();
            assertEquals(List.of(), data());
        }
    }

    @Test
    void whatTheOwnerHasChangedMeanwhileIsNotTakenBackByAnOrderOfAnother() {
        open(true);
        Knote knote = queue.register(User.of(1).clear().data(1), null);
        elsewhere(knote::disable);
        elsewhere(knote::enable);
        knote.update(NOTE_FFCOPY | 6, 4);
        assertEquals(List.of(), data());
        knote.trigger();
        assertEquals(1, queue.poll(event -> {
            assertEquals(6, event.fflags());
            assertEquals(4, event.data());
        }, Duration.ZERO));
    }
}
