package dev.knote.filters;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Once it is compiled, what a program does again and again makes no garbage. */
@Timeout(value = 40, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int COUNT = 20_000;
    private static final double MOST_BYTES = 0.5;
    /** The interpreter and the first compiler allocate where the last one does not: it is waited for. */
    private static final long MOST_NANOS = 25_000_000_000L;
    /** Long enough to be no timeout, and no wait for ever if an event is lost. */
    private static final Duration LONG = Duration.ofSeconds(10);

    private final KeventList events = KeventList.allocate(16);

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_USER_event_triggered_and_retrieved_in_one_call(boolean owned) {
        try (EventQueue queue = queue(owned)) {
            add(queue, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0);
            KeventList trigger = KeventList.allocate(1);
            EV_SET(trigger, 0, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, null);
            assertFree(() -> assertEquals(1, kevent(queue.fd(), trigger, 1, events, 8, Duration.ZERO)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_USER_event_triggered_by_its_knote_and_polled(boolean owned) {
        try (EventQueue queue = queue(owned)) {
            Knote knote = queue.register(User.of(1).clear(), "attachment");
            EventHandler handler = event -> assertEquals("attachment", event.attachment());
            assertFree(() -> {
                knote.trigger();
                assertEquals(1, queue.poll(handler, Duration.ZERO));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"true,0", "false,0", "true," + EV_CLEAR, "true," + EV_DISPATCH})
    void a_READ_event_of_a_pipe(boolean owned, int mode) throws Throwable {
        try (Pipe pipe = new Pipe(); EventQueue queue = queue(owned)) {
            add(queue, pipe.in, EVFILT_READ, EV_ADD | mode, 0, 0);
            KeventList enable = KeventList.allocate(1);
            EV_SET(enable, 0, pipe.in, EVFILT_READ, EV_ENABLE, 0, 0, null);
            int changes = mode == EV_DISPATCH ? 1 : 0;
            long buffer = pipe.buffer.address();
            assertFree(() -> {
                assertEquals(8, Fds.write(pipe.out, buffer, 8));
                assertEquals(1, kevent(queue.fd(), enable, changes, events, 8, LONG));
                assertEquals(8, Fds.read(pipe.in, buffer, 8));
            });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_WRITE_event_of_a_pipe(boolean owned) throws Throwable {
        try (Pipe pipe = new Pipe(); EventQueue queue = queue(owned)) {
            add(queue, pipe.out, EVFILT_WRITE, EV_ADD, 0, 0);
            assertFree(() -> assertEquals(1, kevent(queue.fd(), null, 0, events, 8, LONG)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_event_of_a_periodic_TIMER(boolean owned) {
        try (EventQueue queue = queue(owned)) {
            add(queue, 1, EVFILT_TIMER, EV_ADD, NOTE_NSECONDS, 1);
            assertFree(() -> assertEquals(1, kevent(queue.fd(), null, 0, events, 8, LONG)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void setting_a_TIMER_anew(boolean owned) {
        try (EventQueue queue = queue(owned)) {
            KeventList add = KeventList.allocate(1);
            long[] seconds = {1000};
            assertFree(() -> {
                EV_SET(add, 0, 1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 1000 + (++seconds[0] & 7), null);
                assertEquals(0, kevent(queue.fd(), add, 1, null, 0, null));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({
            "true," + NOTE_USERMEM_INT,
            "false," + NOTE_USERMEM_INT,
            "true," + NOTE_USERMEM_LONG,
            "true," + (NOTE_USERMEM_INT | NOTE_USERMEM_PRIVATE),
            "false," + (NOTE_USERMEM_LONG | NOTE_USERMEM_PRIVATE)})
    void an_anonymous_wake_of_a_word_and_its_event(boolean owned, int fflags) {
        wakesAndEvents(owned, 1, KQUEUE_FD_ANON, fflags);
    }

    @Test
    void a_wake_by_the_queue_and_its_event() {
        wakesAndEvents(true, 1, 0, NOTE_USERMEM_INT);
    }

    @ParameterizedTest
    @CsvSource({
            "true,8,0," + NOTE_USERMEM_INT,
            "false,8,0," + NOTE_USERMEM_INT,
            "true,8,0," + (NOTE_USERMEM_INT | NOTE_USERMEM_PRIVATE),
            "true,3," + KQUEUE_FD_ANON + "," + NOTE_USERMEM_LONG})
    void several_wakes_in_a_changelist_and_their_events(boolean owned, int n, int by, int fflags) {
        wakesAndEvents(owned, n, by, fflags);
    }

    /** @param by who wakes: KQUEUE_FD_ANON, or 0 for the queue itself */
    private void wakesAndEvents(boolean owned, int n, int by, int fflags) {
        try (SharedMemory memory = SharedMemory.anonymous((long) n * SharedMemory.LINE);
                EventQueue queue = queue(owned)) {
            MemorySegment[] words = new MemorySegment[n];
            KeventList wakes = KeventList.allocate(n);
            for (int i = 0; i < n; i++) {
                boolean wide = (fflags & NOTE_USERMEM_LONG) != 0;
                words[i] = wide ? memory.word64(i) : memory.word32(i);
                EV_SET(events, 0, words[i], EVFILT_USERMEM, EV_ADD, fflags, 0, null);
                kevent(queue.fd(), events, 1, null, 0, null);
                int wake = NOTE_TRIGGER | fflags & NOTE_USERMEM_PRIVATE;
                EV_SET(wakes, i, words[i], EVFILT_USERMEM, EV_ANON, wake, 1, null);
            }
            int waker = by == 0 ? queue.fd() : by;
            assertFree(() -> {
                for (MemorySegment word : words) {
                    SharedMemory.add32(word, 1);
                }
                kevent(waker, wakes, n, null, 0, null);
                for (int got = 0; got < n;) {
                    int more = kevent(queue.fd(), null, 0, events, n, LONG);
                    assertTrue(more > 0, "a wake without an event");
                    got += more;
                }
            });
        }
    }

    private static EventQueue queue(boolean owned) {
        return EventQueue.open(owned ? Options.defaults().singleOwner() : Options.defaults());
    }

    private void add(EventQueue queue, long ident, int filter, int flags, int fflags, long data) {
        EV_SET(events, 0, ident, filter, flags, fflags, data, null);
        kevent(queue.fd(), events, 1, null, 0, null);
    }

    private static final class Pipe implements AutoCloseable {
        final MemorySegment buffer = Arena.ofAuto().allocate(8, 8);
        final int in;
        final int out;

        Pipe() throws Throwable {
            MethodHandle pipe = Native.function("pipe", MethodType.methodType(int.class, long.class));
            assertEquals(0, (int) pipe.invokeExact(buffer.address()));
            in = buffer.getAtIndex(ValueLayout.JAVA_INT, 0);
            out = buffer.getAtIndex(ValueLayout.JAVA_INT, 1);
        }

        @Override
        public void close() {
            Fds.close(in);
            Fds.close(out);
        }
    }

    /** Runs the operation until a run of it allocates nothing, or for too long. */
    private static void assertFree(Runnable operation) {
        long begin = System.nanoTime();
        double bytes;
        do {
            bytes = bytesOf(operation);
        } while (bytes >= MOST_BYTES && System.nanoTime() - begin < MOST_NANOS);
        assertTrue(bytes < MOST_BYTES, bytes + " bytes an operation");
    }

    private static double bytesOf(Runnable operation) {
        long from = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < COUNT; i++) {
            operation.run();
        }
        return (double) (THREADS.getCurrentThreadAllocatedBytes() - from) / COUNT;
    }
}
