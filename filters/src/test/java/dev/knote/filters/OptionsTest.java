package dev.knote.filters;

import static dev.knote.filters.conformance.Kq.expectErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Interest;
import dev.knote.Kevent;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.filters.conformance.OpenFds;
import dev.knote.linux.Errno;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a queue can be opened with. */
@Timeout(60)
class OptionsTest {
    /** Fires at once. */
    private static class Numbered implements Filter {
        private final int number;
        private boolean closed;
        int closes;
        private RuntimeException onClose;

        Numbered(int number) {
            this.number = number;
        }

        @Override
        public int number() {
            return number;
        }

        @Override
        public String name() {
            return "NUMBERED";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {}

        @Override
        public boolean event(FilterKnote knote) {
            knote.data(number);
            return true;
        }

        @Override
        public void close() {
            closed = true;
            closes++;
            if (onClose != null) {
                throw onClose;
            }
        }
    }

    @Test
    void thirdPartyFiltersWorkByTheirNumbers() {
        var near = new Numbered(-40);
        var far = new Numbered(-100);
        var last = new Numbered(Short.MIN_VALUE);
        var options = Options.defaults().filter(near).filter(far).filter(last);
        try (var queue = EventQueue.open(options)) {
            for (int number : new int[] {-40, -100, Short.MIN_VALUE}) {
                queue.register(Interest.of(number, 1).oneShot(), null);
                assertEquals(1, queue.poll(event -> {
                    assertEquals(number, event.filter());
                    assertEquals(number, event.data());
                }, null));
            }
        }
        assertTrue(near.closed && far.closed && last.closed);
    }

    @Test
    void aFilterBelongsToTheQueuesOfItsOptionsAlone() {
        var filter = new Numbered(-100);
        try (var with = EventQueue.open(Options.defaults().filter(filter)); var without = EventQueue.open()) {
            with.register(Interest.of(-100, 1), null);
            expectErrno(Errno.EINVAL, () -> without.register(Interest.of(-100, 1), null));
        }
    }

    @Test
    void aNumberThatIsTakenIsRefusedAndNothingIsLeftOpen() {
        EventQueue.open().close();
        List<String> fds = OpenFds.list();
        for (int number : new int[] {Kqueue.EVFILT_USER, Kqueue.EVFILT_READ, Kqueue.EVFILT_USERMEM}) {
            var options = Options.defaults().filter(new Numbered(number));
            expectErrno(Errno.EINVAL, () -> EventQueue.open(options));
        }
        var twice = Options.defaults().filter(new Numbered(-100)).filter(new Numbered(-100));
        expectErrno(Errno.EINVAL, () -> EventQueue.open(twice));
        OpenFds.assertNoneBut(fds);
    }

    @Test
    void aQueueThatIsNotToBeClosesTheFiltersThatWereGivenToIt() {
        var first = new Numbered(-100);
        var second = new Numbered(-100);
        var third = new Numbered(-101);
        first.onClose = new IllegalStateException("the first does not close");
        var options = Options.defaults().filter(first).filter(second).filter(third).filter(first);
        var refused = assertThrows(KeventException.class, () -> EventQueue.open(options));
        assertEquals(Errno.EINVAL, refused.errno());
        for (var filter : new Numbered[] {first, second, third}) {
            assertEquals(1, filter.closes);
        }
        assertArrayEquals(new Throwable[] {first.onClose}, refused.getSuppressed());
    }

    @Test
    void whyThereIsNoQueueIsNotHiddenByAFilterThatDoesNotClose() {
        var filter = new Numbered(-100);
        filter.onClose = new IllegalStateException("it does not close");
        var options = Options.defaults().filter(filter).poller("nonsense");
        var thrown = assertThrows(IllegalArgumentException.class, () -> EventQueue.open(options));
        assertArrayEquals(new Throwable[] {filter.onClose}, thrown.getSuppressed());
        assertEquals(1, filter.closes);
    }

    @Test
    void allFiltersAreClosedAndAllThatTheyThrowIsTold() {
        var filters = new Numbered[] {new Numbered(-40), new Numbered(-100), new Numbered(-101)};
        var options = Options.defaults();
        for (var filter : filters) {
            filter.onClose = new IllegalStateException("number " + filter.number);
            options = options.filter(filter);
        }
        var queue = EventQueue.open(options);
        var thrown = assertThrows(IllegalStateException.class, queue::close);
        assertEquals(2, thrown.getSuppressed().length);
        for (var filter : filters) {
            assertEquals(1, filter.closes);
        }
    }

    @Test
    void aNumberThatIsNoneIsRefused() {
        for (int number : new int[] {0, 1, Short.MAX_VALUE, Short.MIN_VALUE - 1, Integer.MIN_VALUE}) {
            var options = Options.defaults().filter(new Numbered(number));
            expectErrno(Errno.EINVAL, () -> EventQueue.open(options));
        }
    }

    @Test
    void anUnknownPollerIsRefusedWithTheNamesThereAre() {
        List<String> fds = OpenFds.list();
        var options = Options.defaults().poller("nonsense");
        var thrown = assertThrows(IllegalArgumentException.class, () -> EventQueue.open(options));
        assertTrue(thrown.getMessage().contains("nonsense"), thrown::getMessage);
        assertTrue(thrown.getMessage().contains("io_uring") && thrown.getMessage().contains("epoll"),
                thrown::getMessage);
        OpenFds.assertNoneBut(fds);
    }

    @Test
    void eachPollerThatCanBeHadCanBeChosenAndTheOthersSayWhyNot() {
        Map<String, String> pollers = EventQueue.pollers();
        assertEquals(java.util.Set.of("io_uring", "epoll"), pollers.keySet());
        pollers.forEach((name, reason) -> {
            var options = Options.defaults().poller(name);
            if (reason == null) {
                try (var queue = EventQueue.open(options)) {
                    assertEquals(name, queue.pollerName());
                    queue.register(User.of(1), null).trigger();
                    assertEquals(1, queue.poll(event -> {}, null));
                }
            } else {
                var thrown = assertThrows(IllegalStateException.class, () -> EventQueue.open(options));
                assertTrue(thrown.getMessage().contains(reason), thrown::getMessage);
            }
        });
    }

    @Test
    void theOptionStandsAboveTheProperty() {
        try (var queue = EventQueue.open(Options.defaults().poller("epoll"))) {
            assertEquals("epoll", queue.pollerName());
        }
        String forced = System.getProperty("knote.poller");
        try (var queue = EventQueue.open()) {
            assertTrue(forced == null || forced.isEmpty() || forced.equals(queue.pollerName()));
        }
    }

    @Test
    void spinningChangesNothingButTheTime() {
        var options = Options.defaults().spin(Duration.ofNanos(5_000));
        for (var each : new Options[] {options, options.singleOwner()}) {
            try (var queue = EventQueue.open(each)) {
                assertEquals(0, queue.poll(event -> {}, Duration.ofMillis(1)));
                queue.register(Timer.after(1, Duration.ofMillis(1)), null);
                assertEquals(1, queue.poll(event -> {}, null));
            }
        }
    }

    @Test
    void optionsAreImmutable() {
        var defaults = Options.defaults();
        defaults.filter(new Numbered(-100)).poller("nonsense").singleOwner();
        try (var queue = EventQueue.open(defaults)) {
            expectErrno(Errno.EINVAL, () -> queue.register(Interest.of(-100, 1), null));
        }
    }

    @Test
    void aSpinIsADurationThatIsNotNegative() {
        List<String> before = OpenFds.list();
        assertThrows(NullPointerException.class, () -> EventQueue.open(Options.defaults().spin(null)));
        expectErrno(Errno.EINVAL, () -> Options.defaults().spin(Duration.ofNanos(-1)));
        EventQueue.open(Options.defaults().spin(Duration.ofSeconds(Long.MAX_VALUE))).close();
        OpenFds.assertNoneBut(before);
    }

    @Test
    void aFilterThatFailsBeforeTheQueueIsOpenLeavesNoFd() {
        var broken = new Numbered(-40) {
            @Override
            public boolean isFd() {
                throw new IllegalStateException("asked whether it is of fds");
            }
        };
        List<String> before = OpenFds.list();
        assertThrows(IllegalStateException.class, () -> EventQueue.open(Options.defaults().filter(broken)));
        OpenFds.assertNoneBut(before);
        assertEquals(1, broken.closes);
    }
}
