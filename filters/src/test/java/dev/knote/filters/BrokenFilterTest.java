package dev.knote.filters;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.filters.FragileFilter.BROKEN;
import static dev.knote.filters.FragileFilter.NUMBER;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.conformance.Callers;
import dev.knote.filters.conformance.Kq;
import dev.knote.filters.conformance.OpenFds;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A third party's filter, and what a queue makes of its exceptions. */
@Timeout(60)
class BrokenFilterTest {
    private final FragileFilter filter = new FragileFilter();
    private final EventQueue queue = EventQueue.open(Options.defaults().filter(filter));

    @AfterEach
    void close() {
        filter.breaksIn = "";
        queue.close();
    }

    private int poll() {
        return queue.poll(event -> {}, Duration.ZERO);
    }

    private void delete(long ident) {
        var list = KeventList.allocate(1).set(0, ident, NUMBER, EV_DELETE, 0, 0, null);
        assertEquals(0, Kqueue.kevent(queue.fd(), list, 1, null, 0, null));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAttachThatThrowsLeavesNothing(boolean refusal) {
        filter.breaksIn = "attach";
        filter.with = refusal ? new KeventException(Errno.ENXIO, "refused") : BROKEN;
        int fd = Fds.eventfd();
        try (var memory = SharedMemory.anonymous(64)) {
            var word = memory.word32(0);
            for (var interest : List.of(Interest.of(NUMBER, 1).fflags(fd), Interest.of(NUMBER, word))) {
                assertSame(filter.with,
                        assertThrows(RuntimeException.class, () -> queue.register(interest, null)));
                expectErrno(Errno.ENOENT, () -> delete(interest.ident()));
            }
            assertEquals(List.of(), filter.calls("detach"));
            queue.wake(word, 1);
            filter.last.activate();
            assertEquals(0, poll());
            assertEquals(List.of(), filter.calls("event"));
            filter.breaksIn = "";
            queue.register(Interest.of(NUMBER, 1), null);
            assertEquals(1, poll());
        } finally {
            Fds.close(fd);
        }
    }

    @Test
    void anEventThatThrowsAtRegistrationLeavesNothing() {
        filter.breaksIn = "event";
        assertSame(BROKEN, assertThrows(IllegalStateException.class,
                () -> queue.register(Interest.of(NUMBER, 1), null)));
        assertEquals(1, filter.calls("detach").size());
        expectErrno(Errno.ENOENT, () -> delete(1));
        assertEquals(0, poll());
    }

    @Test
    void anEventThatThrowsInAPollIsThrownByItAndTheKnoteIsNotStuck() {
        var knote = queue.register(Interest.of(NUMBER, 1), "mine");
        filter.breaksIn = "event";
        assertSame(BROKEN, assertThrows(IllegalStateException.class, this::poll));
        filter.breaksIn = "";
        filter.last.activate();
        assertEquals(1, poll());
        knote.disable();
        assertEquals(0, poll());
        knote.cancel();
        assertEquals(1, filter.calls("detach").size());
    }

    @Test
    void aDeliverThatThrowsDoesNotLeaveTheKnoteStuck() {
        var knote = queue.register(Interest.of(NUMBER, 1), "mine");
        filter.breaksIn = "deliver";
        assertSame(BROKEN, assertThrows(IllegalStateException.class, this::poll));
        filter.breaksIn = "";
        filter.last.activate();
        assertEquals(1, poll());
        knote.cancel();
    }

    @Test
    void aTouchThatThrowsDoesNotLeaveTheKnoteStuck() {
        var knote = queue.register(Interest.of(NUMBER, 1), "mine");
        filter.breaksIn = "touch";
        assertSame(BROKEN, assertThrows(IllegalStateException.class, () -> knote.update(0, 0)));
        assertEquals(1, queue.poll(event -> assertEquals("mine", event.attachment()), Kq.LONG));
        filter.breaksIn = "";
        knote.update(0, 0);
        knote.cancel();
    }

    @Test
    void eventsFoundBeforeTheBrokenOneAreNotLost() {
        var good = queue.register(User.of(1).oneShot(), null);
        filter.fires = false;
        queue.register(Interest.of(NUMBER, 1), null);
        filter.breaksIn = "event";
        good.trigger();
        filter.last.activate();
        int[] got = {0};
        int thrown = 0;
        for (int i = 0; i < 2; i++) {
            try {
                queue.poll(event -> got[0]++, Duration.ZERO);
            } catch (IllegalStateException e) {
                thrown++;
            }
        }
        assertEquals(1, got[0]);
        assertEquals(1, thrown);
    }

    @Test
    void eventsBehindTheBrokenOneAreNotLost() {
        filter.fires = false;
        queue.register(Interest.of(NUMBER, 1), null);
        filter.breaksIn = "event";
        filter.last.activate();
        queue.register(User.of(1).oneShot(), null).trigger();
        assertThrows(IllegalStateException.class, this::poll);
        assertEquals(1, poll());
    }

    @RepeatedTest(3)
    void anEventThatThrowsInOneThreadDoesNotLeaveTheOthersHanging() {
        filter.fires = false;
        int fd = Fds.eventfd();
        int good = Fds.eventfd();
        try (var pollers = Callers.start(3, () -> {
            try {
                return queue.poll(event -> {}, null);
            } catch (IllegalStateException e) {
                return -1;
            }
        }).awaitBlocked(); var memory = SharedMemory.anonymous(64)) {
            queue.register(Interest.of(NUMBER, 1).fflags(fd), null);
            queue.register(Read.of(good).clear(), null);
            filter.breaksIn = "event";
            SharedMemory.store64(memory.word64(0), 1);
            assertEquals(8, Fds.write(fd, memory.word64(0).address(), 8));
            Kq.await("one has got the exception", () -> pollers.returned() == 1);
            // Nothing wakes a poller for this but the kernel, so one has to be waiting there.
            assertEquals(8, Fds.write(good, memory.word64(0).address(), 8));
            Kq.await("one has got the event", () -> pollers.returned() == 2);
            queue.register(Timer.after(2, Duration.ofMillis(1)), null);
            assertEquals(List.of(-1, 1, 1), pollers.results().stream().sorted().toList());
        } finally {
            Fds.close(fd);
            Fds.close(good);
        }
    }

    @Test
    void wordsArmedInACallThatABrokenFilterEndsAreArmed() {
        try (var memory = SharedMemory.anonymous(64)) {
            var word = memory.word32(0);
            filter.breaksIn = "attach";
            var list = KeventList.allocate(2)
                    .set(0, word, Kqueue.EVFILT_USERMEM, EV_ADD, Kqueue.NOTE_USERMEM_INT, 0, "word")
                    .set(1, 1, NUMBER, EV_ADD, 0, 0, null);
            assertSame(BROKEN, assertThrows(IllegalStateException.class,
                    () -> Kqueue.kevent(queue.fd(), list, 2, null, 0, null)));
            queue.wake(word, 1);
            assertEquals(1, queue.poll(event -> assertEquals("word", event.attachment()), Kq.LONG));
        }
    }

    @Test
    void aRefusalInACallIsAnEntryAsWithAnyFilter() {
        filter.breaksIn = "attach";
        filter.with = new KeventException(Errno.ENXIO, "refused");
        var list = KeventList.allocate(1).set(0, 1, NUMBER, EV_ADD, 0, 0, "mine");
        assertEquals(1, Kqueue.kevent(queue.fd(), list, 1, list, 1, null));
        assertEquals(List.of(new Kq.Event(1, NUMBER, EV_ERROR, 0, Errno.ENXIO, "mine")), Kq.list(list, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"detach", "close", ""})
    void theQueueIsClosedWhateverItsFiltersThrow(String where) {
        List<String> fds = OpenFds.list();
        var broken = new FragileFilter();
        var other = EventQueue.open(Options.defaults().filter(broken));
        other.register(Interest.of(NUMBER, 1), null);
        other.register(Interest.of(NUMBER, 2), null);
        broken.breaksIn = where;
        if (where.isEmpty()) {
            other.close();
        } else {
            assertSame(BROKEN, assertThrows(IllegalStateException.class, other::close));
        }
        OpenFds.assertNoneBut(fds);
        assertEquals(1, broken.calls("close").size());
        assertEquals(2, broken.calls("detach").size());
    }

    @Test
    void aForeignTriggerThatAFilterRefusesIsAnEventAndLosesNoOther() {
        var broken = new FragileFilter();
        try (var owned = EventQueue.open(Options.defaults().filter(broken).singleOwner())) {
            broken.fires = false;
            var knote = owned.register(Interest.of(NUMBER, 1), null);
            broken.breaksIn = "touch";
            broken.with = new KeventException(Errno.ENXIO, "refused");
            try (var foreign = Callers.start(() -> {
                knote.trigger();
                return owned.register(User.of(2).fflags(NOTE_TRIGGER), null);
            })) {
                foreign.result();
            }
            List<Long> errnos = new ArrayList<>();
            assertEquals(2,
                    owned.poll(event -> errnos.add(event.isError() ? event.data() : 0), Duration.ZERO));
            assertTrue(errnos.contains((long) Errno.ENXIO), errnos::toString);
        }
    }

    @Test
    void aForeignPostThatBreaksAFilterLosesNoOther() {
        var broken = new FragileFilter();
        try (var owned = EventQueue.open(Options.defaults().filter(broken).singleOwner())) {
            owned.register(User.of(1), null);
            broken.breaksIn = "attach";
            try (var foreign = Callers.start(() -> {
                owned.register(Interest.of(NUMBER, 1), null);
                return owned.register(User.of(2).fflags(NOTE_TRIGGER), null);
            })) {
                foreign.result();
            }
            assertSame(BROKEN, assertThrows(IllegalStateException.class,
                    () -> owned.poll(event -> {}, Duration.ZERO)));
            assertEquals(1, owned.poll(event -> assertEquals(2, event.ident()), Duration.ZERO));
        }
    }
}
