package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.NOTE_FFCOPY;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.Kqueue;
import dev.knote.filters.conformance.Kq;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The Java face of a queue, by one thread. */
@Timeout(60)
class EventQueueTest {
    private final EventQueue queue = EventQueue.open();

    @AfterEach
    void close() {
        queue.close();
    }

    /** The attachments of what is pending. */
    private List<Object> pending() {
        List<Object> attachments = new ArrayList<>();
        int n = queue.poll(event -> attachments.add(event.attachment()), Duration.ZERO);
        assertEquals(n, attachments.size());
        return attachments;
    }

    @Test
    void theHandlerIsToldWhatTheEventSays() {
        Object attachment = new Object();
        Knote knote = queue.register(User.of(7).clear().fflags(3), attachment);
        knote.update(NOTE_TRIGGER | NOTE_FFCOPY | 5, 42);
        int n = queue.poll(event -> {
            assertEquals(7, event.ident());
            assertEquals(EVFILT_USER, event.filter());
            assertEquals(EV_CLEAR, event.flags());
            assertEquals(5, event.fflags());
            assertEquals(42, event.data());
            assertSame(attachment, event.attachment());
            assertFalse(event.isEof() || event.isError());
        }, Kq.LONG);
        assertEquals(1, n);
    }

    @Test
    void aKnoteKnowsWhatItIs() {
        Knote knote = queue.register(User.of(7), "mine");
        assertEquals(7, knote.ident());
        assertEquals(EVFILT_USER, knote.filter());
        assertEquals("mine", knote.attachment());
        assertTrue(knote.isValid());
        knote.cancel();
        assertFalse(knote.isValid());
    }

    @Test
    void registeringAgainModifiesTheSameKnote() {
        Knote first = queue.register(User.of(1).clear(), "first");
        assertSame(first, queue.register(User.of(1), "second"));
        assertEquals("second", first.attachment());
        first.trigger();
        assertEquals(List.of("second"), pending());
    }

    @Test
    void triggerLeavesAttachmentAndData() {
        Knote knote = queue.register(User.of(1).clear().data(9), "mine");
        knote.trigger();
        assertEquals(1, queue.poll(event -> {
            assertEquals(9, event.data());
            assertEquals("mine", event.attachment());
        }, Kq.LONG));
        assertEquals(List.of(), pending());
    }

    @Test
    void disableHoldsAnEventBackAndEnableDeliversIt() {
        Knote knote = queue.register(User.of(1).clear(), "mine");
        knote.disable();
        knote.trigger();
        assertEquals(List.of(), pending());
        knote.enable();
        assertEquals(List.of("mine"), pending());
        assertEquals(List.of(), pending());
    }

    @Test
    void aKnoteCanBeginDisabled() {
        Knote knote = queue.register(User.of(1).clear().disabled(), "mine");
        knote.trigger();
        assertEquals(List.of(), pending());
        knote.enable();
        assertEquals(List.of("mine"), pending());
    }

    @Test
    void dispatchDisablesUntilEnable() {
        Knote knote = queue.register(User.of(1).dispatch(), "mine");
        knote.trigger();
        assertEquals(List.of("mine"), pending());
        assertEquals(List.of(), pending());
        knote.enable();
        assertEquals(List.of("mine"), pending());
    }

    @Test
    void aOneShotIsInvalidAfterItsEvent() {
        Knote knote = queue.register(User.of(1).oneShot(), "mine");
        knote.trigger();
        assertEquals(List.of("mine"), pending());
        assertFalse(knote.isValid());
        expectErrno(Errno.ENOENT, knote::trigger);
    }

    @Test
    void afterCancelNothingButCancelAndTheQuestionsWork() {
        Knote knote = queue.register(User.of(1), "mine");
        knote.trigger();
        knote.cancel();
        assertEquals(List.of(), pending());
        knote.cancel();
        expectErrno(Errno.ENOENT, knote::trigger);
        expectErrno(Errno.ENOENT, knote::enable);
        expectErrno(Errno.ENOENT, knote::disable);
        expectErrno(Errno.ENOENT, () -> knote.update(0, 0));
        assertEquals(1, knote.ident());
    }

    @Test
    void anEndedKnoteDoesNotTouchItsSuccessor() {
        Knote old = queue.register(User.of(1), "old");
        old.cancel();
        Knote successor = queue.register(User.of(1), "new");
        assertNotEquals(old, successor);
        old.cancel();
        expectErrno(Errno.ENOENT, old::trigger);
        assertTrue(successor.isValid());
        assertEquals(List.of(), pending());
    }

    @Test
    void updateGoesToTheFilter() {
        Knote knote = queue.register(User.of(1).clear(), null);
        knote.update(NOTE_FFCOPY | 6, 3);
        assertEquals(List.of(), pending());
        knote.trigger();
        assertEquals(1, queue.poll(event -> assertEquals(6, event.fflags()), Kq.LONG));
    }

    @Test
    void aTimerFires() {
        queue.register(Timer.after(1, Duration.ofMillis(5)), "tick");
        List<Object> got = new ArrayList<>();
        assertEquals(1, queue.poll(event -> {
            assertEquals(EVFILT_TIMER, event.filter());
            got.add(event.attachment());
        }, null));
        assertEquals(List.of("tick"), got);
    }

    @Test
    void aRefusedRegistrationLeavesNothing() {
        expectErrno(Errno.EBADF, () -> queue.register(Read.of(-1), null));
        expectErrno(Errno.EINVAL, () -> queue.register(Timer.every(1, Duration.ofNanos(-1)), null));
        expectErrno(Errno.EINVAL, () -> queue.register(Interest.of(-99, 1), null));
        assertEquals(List.of(), pending());
        assertNull(queue.register(User.of(1), null).attachment());
    }

    @Test
    void pollReturnsZeroAfterItsTimeoutAndRefusesNegativeOnes() {
        long start = System.nanoTime();
        assertEquals(0, queue.poll(event -> {}, Duration.ofMillis(3)));
        assertTrue(System.nanoTime() - start >= 3_000_000);
        expectErrno(Errno.EINVAL, () -> queue.poll(event -> {}, Duration.ofNanos(-1)));
    }

    @Test
    void moreEventsThanOnePollTakesComeWithTheNext() {
        for (int i = 0; i < 1000; i++) {
            queue.register(User.of(i).oneShot(), i).trigger();
        }
        List<Object> all = new ArrayList<>();
        for (int polls = 0; all.size() < 1000 && polls < 1000; polls++) {
            all.addAll(pending());
        }
        assertEquals(1000, all.stream().distinct().count());
        assertEquals(List.of(), pending());
    }

    @Test
    void aHandlerMayChangeTheQueue() {
        Knote[] second = new Knote[1];
        Knote first = queue.register(User.of(1), "first");
        first.trigger();
        assertEquals(1, queue.poll(event -> {
            first.cancel();
            second[0] = queue.register(User.of(2).clear(), "second");
            second[0].trigger();
        }, Kq.LONG));
        assertEquals(List.of("second"), pending());
    }

    @Test
    void aHandlerMayPoll() {
        queue.register(User.of(1).clear(), "outer").trigger();
        Knote inner = queue.register(User.of(2).clear(), "inner");
        List<Object> got = new ArrayList<>();
        assertEquals(1, queue.poll(event -> {
            inner.trigger();
            assertEquals(List.of("inner"), pending());
            assertEquals(List.of(), pending());
            got.add(event.attachment());
        }, Kq.LONG));
        assertEquals(List.of("outer"), got, "the event is still the outer one");
    }

    @Test
    void aHandlerMayCloseTheQueue() {
        queue.register(User.of(1), null).trigger();
        assertEquals(1, queue.poll(event -> queue.close(), Kq.LONG));
        assertFalse(queue.isOpen());
        expectErrno(Errno.EBADF, () -> queue.poll(event -> {}, Duration.ZERO));
    }

    @Test
    void whatAHandlerThrowsComesOutAndLevelEventsAreNotLost() {
        for (int i = 0; i < 3; i++) {
            queue.register(User.of(i), i).trigger();
        }
        var thrown = new IllegalStateException("of the handler");
        assertSame(thrown, assertThrows(IllegalStateException.class, () -> queue.poll(event -> {
            throw thrown;
        }, Kq.LONG)));
        assertEquals(3, pending().stream().distinct().count());
        assertEquals(3, pending().size());
    }

    @Test
    void withoutAHandlerNoEventIsTaken() {
        queue.register(User.of(1).clear(), "kept").trigger();
        assertThrows(NullPointerException.class, () -> queue.poll(null, Duration.ZERO));
        List<Object> attachments = new ArrayList<>();
        assertEquals(1, queue.poll(event -> attachments.add(event.attachment()), Duration.ZERO));
        assertEquals(List.of("kept"), attachments);
    }

    @Test
    void theTwoFacesAreOneQueue() {
        queue.register(User.of(1).clear(), "java");
        assertSame(queue, Kqueue.queue(queue.fd()));
        var list = dev.knote.KeventList.allocate(1).set(0, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, "c");
        assertEquals(1, Kqueue.kevent(queue.fd(), list, 1, list, 1, null));
        assertEquals("c", list.udata(0));
    }

    @Test
    void closingTwiceIsOnceAndEndsKnotes() {
        Knote knote = queue.register(User.of(1), null);
        queue.close();
        queue.close();
        assertFalse(queue.isOpen());
        assertFalse(knote.isValid());
        knote.cancel();
        expectErrno(Errno.EBADF, () -> queue.register(User.of(1), null));
        expectErrno(Errno.EBADF, () -> Kqueue.queue(queue.fd()));
        queue.wakeup();
    }
}
