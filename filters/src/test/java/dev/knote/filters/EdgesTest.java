package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_WRITE;
import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Interest;
import dev.knote.Kevent;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.conformance.Callers;
import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Edges that a filter has asked for, {@link FilterKnote#watchEdges}, and that the handler takes past the list. */
@Timeout(60)
class EdgesTest {
    private static final int EDGES = -150;
    private static final int OTHER_EDGES = -151;
    /** More than one poll gives. */
    private static final int MANY = 600;

    private final EventQueue queue = EventQueue.open(
            Options.defaults().singleOwner().filter(new EdgeFilter(EDGES))
                    .filter(new EdgeFilter(OTHER_EDGES)));
    private final List<Integer> fds = new ArrayList<>();
    private final List<Object> got = new ArrayList<>();
    private BiConsumer<Object, Integer> then = (target, events) -> {};

    /** The target is the user's object; the interest his fflags. */
    private record EdgeFilter(int number) implements Filter {
        @Override
        public String name() {
            return "EDGES";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {
            knote.watchEdges((int) knote.ident(), change.fflags(), change.udata());
        }

        @Override
        public boolean event(FilterKnote knote) {
            return false;
        }
    }

    /** Keeps what it takes, in order. */
    private final class Taker implements EventHandler {
        @Override
        public void handle(Event event) {
            got.add(event.attachment());
        }

        @Override
        public void edge(Object target, int events) {
            got.add(target);
            then.accept(target, events);
        }
    }

    @AfterEach
    void close() {
        queue.close();
        fds.forEach(Fds::close);
    }

    private int eventfd() {
        int fd = Fds.eventfd();
        fds.add(fd);
        return fd;
    }

    private static void write(int fd) {
        try (var arena = Arena.ofConfined()) {
            var one = arena.allocate(ValueLayout.JAVA_LONG);
            one.set(ValueLayout.JAVA_LONG, 0, 1);
            assertEquals(8, Fds.write(fd, one.address(), 8));
        }
    }

    private Knote watch(int fd, Object target) {
        return queue.register(Interest.of(EDGES, fd).fflags(FilterKnote.FD_READ), target);
    }

    private int poll(Duration timeout) {
        return queue.poll(new Taker(), timeout);
    }

    /** A queue with a ring, where there are any, finds out about fds in another way. */
    private void haveAWord(boolean wanted, SharedMemory memory) {
        if (wanted) {
            queue.register(UserMem.int32(memory.word32(0), 0), "word");
        }
        assertEquals(0, poll(Duration.ZERO));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void edgesComeInTheOrderInWhichTheKernelToldThemAndEventsInBetween(boolean withWord) {
        try (var memory = SharedMemory.anonymous(64)) {
            haveAWord(withWord, memory);
            List<Object> all = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                int fd = eventfd();
                watch(fd, fd);
                all.add(fd);
            }
            Collections.shuffle(all, new Random(7));
            all.forEach(fd -> write((int) fd));
            Knote user = queue.register(User.of(1).clear(), "user");
            then = (target, events) -> {
                if (target.equals(all.getFirst())) {
                    user.trigger();
                }
            };
            for (int polls = 0; got.size() <= MANY; polls++) {
                assertTrue(polls < MANY, "edges are missing: " + got.size());
                assertTrue(poll(Duration.ZERO) > 0);
            }
            assertTrue(got.indexOf("user") < MANY, "an event waits for all edges");
            got.remove("user");
            assertEquals(all, got);
            assertEquals(0, poll(Duration.ZERO));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anEdgeEndsASleep(boolean withWord) {
        try (var memory = SharedMemory.anonymous(64)) {
            haveAWord(withWord, memory);
            int fd = eventfd();
            watch(fd, "edge");
            try (var other = Callers.start(() -> {
                write(fd);
                return true;
            })) {
                assertEquals(1, poll(null));
                assertTrue(other.result());
            }
            assertEquals(List.of("edge"), got);
        }
    }

    @Test
    void anEdgeTellsTheBitsOfItsMoment() {
        int fd = eventfd();
        queue.register(Interest.of(EDGES, fd).fflags(FilterKnote.FD_BOTH), "edge");
        List<Integer> bits = new ArrayList<>();
        then = (target, events) -> bits.add(events);
        assertEquals(1, poll(Duration.ZERO));
        write(fd);
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(List.of(Epoll.EPOLLOUT, Epoll.EPOLLIN | Epoll.EPOLLOUT), bits);
    }

    @Test
    void anEdgeOfAFdThatWasClosedMeanwhileReachesNeitherItsTargetNorTheNextOneOfTheNumber() {
        int[] two = {eventfd(), eventfd()};
        Knote[] knotes = {watch(two[0], 0), watch(two[1], 1)};
        then = (target, events) -> {
            int other = 1 - (int) target;
            knotes[other].cancel();
            Fds.close(two[other]);
            assertEquals(two[other], Fds.eventfd()); // the lowest number that is free
            watch(two[other], "next");
        };
        write(two[0]);
        write(two[1]);
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(0, poll(Duration.ZERO));
        assertEquals(1, got.size(), got.toString());
    }

    @Test
    void aFdThatIsWatchedAnewMeanwhileGivesItsEdgeToTheNewTargetOnce() {
        int[] two = {eventfd(), eventfd()};
        Knote[] knotes = {watch(two[0], 0), watch(two[1], 1)};
        then = (target, events) -> {
            if (target instanceof Integer first) {
                knotes[1 - first].cancel();
                watch(two[1 - first], "next");
            }
        };
        write(two[0]);
        write(two[1]);
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(0, poll(Duration.ZERO));
        assertEquals("next", got.get(1));
    }

    @Test
    void aHandlerThatThrowsLeavesTheOtherEdgesToTheNextPollWhichDoesNotSleep() {
        for (int i = 0; i < 3; i++) {
            int fd = eventfd();
            watch(fd, i);
            write(fd);
        }
        then = (target, events) -> {
            throw new IllegalStateException("a handler's");
        };
        assertThrows(IllegalStateException.class, () -> poll(null));
        then = (target, events) -> {};
        assertEquals(2, poll(null));
        assertEquals(List.of(0, 1, 2), got);
    }

    @Test
    void aPollWithinAnEdgeTakesTheOthers() {
        for (int i = 0; i < 3; i++) {
            int fd = eventfd();
            watch(fd, i);
            write(fd);
        }
        then = (target, events) -> {
            if (target.equals(0)) {
                assertEquals(2, poll(null));
            }
        };
        assertEquals(1, poll(null));
        assertEquals(List.of(0, 1, 2), got);
    }

    @Test
    void afterACloseNoEdgeComes() {
        for (int i = 0; i < 3; i++) {
            int fd = eventfd();
            watch(fd, i);
            write(fd);
        }
        then = (target, events) -> queue.close();
        assertEquals(1, poll(null));
        expectErrno(Errno.EBADF, () -> poll(Duration.ZERO));
        assertEquals(List.of(0), got);
    }

    @Test
    void allWhoWatchAFdAreToldOnceWhetherByEdgeOrByEvent() {
        int fd = eventfd();
        watch(fd, "edge");
        queue.register(Interest.of(OTHER_EDGES, fd).fflags(FilterKnote.FD_READ), "other edge");
        Knote read = queue.register(Interest.of(EVFILT_READ, fd).clear(), "event");
        write(fd);
        poll(Duration.ZERO);
        assertEquals(List.of("edge", "event", "other edge"), sorted());
        read.cancel();
        write(fd);
        poll(Duration.ZERO);
        assertEquals(List.of("edge", "other edge"), sorted());
        assertEquals(0, poll(Duration.ZERO));
    }

    @Test
    void oneOfTwoWhoWatchAFdMayEndTheOther() {
        int fd = eventfd();
        Knote[] knotes = {watch(fd, 0),
                queue.register(Interest.of(OTHER_EDGES, fd).fflags(FilterKnote.FD_READ), 1)};
        then = (target, events) -> knotes[1 - (int) target].cancel();
        write(fd);
        assertEquals(1, poll(Duration.ZERO));
        write(fd);
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(1, got.stream().distinct().count(), got.toString());
    }

    @Test
    void aKnoteOfWritingAloneBesideItDoesNotTakeTheEdges() {
        int fd = eventfd();
        watch(fd, "edge");
        Knote write = queue.register(Interest.of(EVFILT_WRITE, fd).clear(), "event");
        poll(Duration.ZERO);
        got.clear();
        write.cancel();
        write(fd);
        assertEquals(1, poll(Duration.ZERO));
        assertEquals(List.of("edge"), got);
    }

    private List<Object> sorted() {
        List<Object> all = got.stream().sorted().toList();
        got.clear();
        return all;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClearedKnoteThatIsChangedWhileEdgesAreLeftHasOneEvent(boolean withWord) {
        try (var memory = SharedMemory.anonymous(64)) {
            haveAWord(withWord, memory);
            int readable = eventfd();
            Interest read = Interest.of(EVFILT_READ, readable).clear();
            queue.register(read, "event");
            for (int i = 0; i < MANY; i++) {
                int fd = eventfd();
                watch(fd, "edge");
                write(fd);
            }
            assertTrue(poll(Duration.ZERO) < MANY, "none are left");
            write(readable);
            queue.register(read, "event");
            Knote user = queue.register(User.of(1).clear(), "user");
            user.trigger();
            assertTrue(poll(Duration.ZERO) > 0);
            assertTrue(got.contains("user"), "an event waits for all edges");
            while (poll(Duration.ZERO) > 0) {
                assertTrue(got.size() <= MANY + 2, "an event too many");
            }
            assertEquals(1, Collections.frequency(got, "event"));
            assertEquals(MANY, Collections.frequency(got, "edge"));
        }
    }

    @Test
    void keventLeavesEdgesToPoll() {
        int fd = eventfd();
        watch(fd, "edge");
        write(fd);
        assertEquals(0, queue.kevent(null, 0, KeventList.allocate(4), 4, null));
        assertEquals(1, poll(null));
    }

    @Test
    void aHandlerForEventsAloneRefusesEdges() {
        int fd = eventfd();
        watch(fd, "edge");
        write(fd);
        assertThrows(UnsupportedOperationException.class, () -> queue.poll(event -> {}, null));
    }

    @Test
    void aQueueWithoutAnOwnerRefusesAndSoDoesWritingAlone() {
        int fd = eventfd();
        try (var shared = EventQueue.open(Options.defaults().filter(new EdgeFilter(EDGES)))) {
            expectErrno(Errno.EINVAL, () -> shared
                    .register(Interest.of(EDGES, fd).fflags(FilterKnote.FD_READ), "edge"));
        }
        expectErrno(Errno.EINVAL,
                () -> queue.register(Interest.of(EDGES, fd).fflags(FilterKnote.FD_WRITE), "edge"));
        assertFalse(queue.looksReady());
    }
}
