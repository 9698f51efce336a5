package dev.knote.filters;

import static dev.knote.Kqueue.NOTE_FFCOPY;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Interest;
import dev.knote.Kevent;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.filters.conformance.Callers;
import dev.knote.filters.conformance.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    /** Whoever registers with it as 0 holds the owner up until others have posted more; else it writes to the pipe. */
    private record Writing(Pipe pipe, CountDownLatch posted) implements Filter {
        @Override
        public int number() {
            return -150;
        }

        @Override
        public String name() {
            return "WRITING";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {
            if (knote.ident() != 0) {
                pipe.write(1);
                return;
            }
            try {
                assertEquals(true, posted.await(20, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public boolean event(FilterKnote knote) {
            return false;
        }
    }

    /** The owner finds bytes that came when it had looked at the kernel, and was reading its mail. */
    @Test
    void aClearedKnoteChangedByAPostThatEndsASleepHasOneEvent() {
        CountDownLatch posted = new CountDownLatch(1);
        try (Pipe pipe = new Pipe()) {
            queue = EventQueue
                    .open(Options.defaults().singleOwner().filter(new Writing(pipe, posted)));
            Interest read = Read.of(pipe.reader()).clear();
            try (var owner = Callers.start(() -> {
                queue.register(read, null);
                int first = queue.poll(event -> {}, null);
                return List.of(first, data().size());
            }).awaitBlocked()) {
                queue.register(Interest.of(-150, 0), null);
                queue.register(Interest.of(-150, 1), null);
                queue.register(read, null);
                posted.countDown();
                assertEquals(List.of(1, 0), owner.result());
            }
        }
    }
}
