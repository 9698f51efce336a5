package dev.knote.examples;

import static dev.knote.Kqueue.*;
import static dev.knote.examples.LoadFilter.EVFILT_LOAD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A filter that is not Knote's own, of a load that the test makes up. */
@Timeout(30)
class LoadFilterTest {
    private static final Duration SHORT = Duration.ofMillis(30);
    private static final Duration LONG = Duration.ofSeconds(10);

    @TempDir
    private Path temp;

    private final List<Long> seen = new ArrayList<>();
    private EventQueue queue;

    @BeforeEach
    void open() throws IOException {
        load("0.50");
        var filter = new LoadFilter(temp.resolve("loadavg"), Duration.ofMillis(5));
        queue = EventQueue.open(Options.defaults().filter(filter));
    }

    @AfterEach
    void close() {
        queue.close();
    }

    @Test
    void firesWhenTheLoadHasRisenAndAsLongAsItIsThere() throws IOException {
        queue.register(Interest.of(EVFILT_LOAD, 1).data(100), "busy");
        assertEquals(0, poll(SHORT));
        load("1.25");
        assertEquals(1, poll(LONG));
        assertEquals(1, poll(LONG));
        assertEquals(List.of(125L, 125L), seen);
        load("0.99");
        assertEquals(0, poll(SHORT));
        load("1.00");
        assertEquals(1, poll(LONG));
    }

    @Test
    void withClearItTellsOfEachRiseOnce() throws IOException {
        queue.register(Interest.of(EVFILT_LOAD, 1).data(100).clear(), "busy");
        load("2.00");
        assertEquals(1, poll(LONG));
        assertEquals(0, poll(SHORT));
        load("0.10");
        assertEquals(0, poll(SHORT));
        load("3.00");
        assertEquals(1, poll(LONG));
        assertEquals(List.of(200L, 300L), seen);
    }

    @Test
    void cProgramsUseItByItsNumber() throws IOException {
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, 7, EVFILT_LOAD, EV_ADD | EV_ONESHOT, 0, 50, "mine");
        assertEquals(1, kevent(queue.fd(), list, 1, list, 1, LONG));
        assertEquals(List.of(7L, 50L, "mine"), List.of(list.ident(0), list.data(0), list.udata(0)));
        EV_SET(list, 0, 7, EVFILT_LOAD, EV_DELETE, 0, 0, null);
        assertErrno(Errno.ENOENT, list);
    }

    @Test
    void whatMakesNoSenseIsRefusedAndLeavesNoKnote() {
        KeventList list = KeventList.allocate(1);
        EV_SET(list, 0, 7, EVFILT_LOAD, EV_ADD, 0, -1, null);
        assertErrno(Errno.EINVAL, list);
        EV_SET(list, 0, 7, EVFILT_LOAD, EV_DELETE, 0, 0, null);
        assertErrno(Errno.ENOENT, list);
    }

    @Test
    void aQueueWithoutItDoesNotKnowIt() {
        try (var other = EventQueue.open()) {
            assertEquals(Errno.EINVAL, assertThrows(KeventException.class,
                    () -> other.register(Interest.of(EVFILT_LOAD, 1), null)).errno());
        }
    }

    @Test
    void theLoadOfThisMachineIsRead() {
        try (var real = EventQueue.open(Options.defaults().filter(new LoadFilter()))) {
            real.register(Interest.of(EVFILT_LOAD, 1), null);
            assertEquals(1, real.poll(event -> assertTrue(event.data() >= 0, "data"), LONG));
        }
    }

    private int poll(Duration timeout) {
        return queue.poll(event -> seen.add(event.data()), timeout);
    }

    private void assertErrno(int errno, KeventList list) {
        assertEquals(errno, assertThrows(KeventException.class,
                () -> kevent(queue.fd(), list, 1, null, 0, null)).errno());
    }

    /** In one step, as a reader is to see either. */
    private void load(String value) throws IOException {
        Path next = Files.writeString(temp.resolve("next"), value + " 0.00 0.00 1/100 12345\n");
        Files.move(next, temp.resolve("loadavg"), StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }
}
