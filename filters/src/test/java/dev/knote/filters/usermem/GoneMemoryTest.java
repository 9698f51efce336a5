package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ERROR;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.linux.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that goes away under a wait: its arena is closed, or its file is cut. Nobody wakes its words any more. */
@Timeout(60)
class GoneMemoryTest {
    private final Queue queue = new Queue();
    private TestMemory memory;

    @AfterEach
    void close() throws Exception {
        queue.close();
        if (memory != null) {
            memory.close();
        }
    }

    /** The event comes within seconds, once, and takes the knote with it. */
    private void assertGone(MemorySegment word) {
        long start = System.nanoTime();
        assertEquals(1, queue.poll(Queue.LONG), "events");
        assertEquals(word.address(), queue.list.ident(0));
        assertEquals(EVFILT_USERMEM, queue.list.filter(0));
        assertTrue((queue.list.flags(0) & EV_ERROR) != 0, "EV_ERROR");
        assertTrue((queue.list.flags(0) & EV_ONESHOT) != 0, "EV_ONESHOT: there is no knote any more");
        assertEquals(Errno.EFAULT, queue.list.data(0));
        assertTrue(System.nanoTime() - start < 3_000_000_000L, "within 3 s");
        queue.assertQuiet();
        Queue.assertErrno(Errno.ENOENT, () -> queue.change(word, EV_DELETE, 0, 0));
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void memoryUnmappedBeforeTheCallIsAnErrorEvent(Place place) throws Exception {
        memory = place.open();
        MemorySegment word = memory.word(0, Width.INT);
        queue.add(word, Width.INT);
        memory.unmap();
        assertGone(word);
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void memoryUnmappedDuringTheCallIsAnErrorEvent(Width width) throws Exception {
        memory = Place.SHM.open();
        MemorySegment word = memory.word(0, width);
        queue.add(word, width);
        FutureTask<Void> waiting = new FutureTask<>(() -> assertGone(word), null);
        OsThread.start(waiting).awaitPolling();
        memory.unmap();
        waiting.get();
    }

    /** The JVM interrupts the reader by itself, as nobody else does here. */
    @Test
    void whoReadsTheWordInTheMomentInWhichItsArenaIsClosedIsNotInterrupted() throws Exception {
        for (int round = 0; round < 300; round++) {
            Arena arena = Arena.ofShared();
            MemorySegment word = arena.allocate(Integer.BYTES, Integer.BYTES);
            var reading = new CountDownLatch(1);
            FutureTask<Boolean> reader = new FutureTask<>(() -> {
                for (int i = 0;; i++, reading.countDown()) {
                    queue.list.set(0, word, EVFILT_USERMEM, EV_ADD, Width.INT.fflags, i, null);
                    int n = Kqueue.kevent(queue.kq, queue.list, 1, queue.list, 1, Duration.ZERO);
                    if (n == 1 && (queue.list.flags(0) & EV_ERROR) != 0) {
                        return Thread.currentThread().isInterrupted();
                    }
                }
            });
            Thread.ofPlatform().start(reader);
            reading.await();
            arena.close();
            assertFalse(reader.get(), "interrupted");
        }
    }

    @Test
    void privateWaitsToo() throws Exception {
        memory = Place.ARENA.open();
        MemorySegment word = memory.word(0, Width.INT);
        queue.change(word, EV_ADD, Width.INT.fflags | NOTE_USERMEM_PRIVATE, Width.VALUE);
        memory.unmap();
        assertGone(word);
    }

    @ParameterizedTest
    @CsvSource({"SHM, INT", "SHM, LONG", "FILE, INT", "CHANNEL, LONG"})
    void aFileThatWasCutIsAnErrorEvent(Place place, Width width) throws Exception {
        memory = place.open();
        MemorySegment word = memory.word(0, width);
        queue.add(word, width);
        FutureTask<Void> waiting = new FutureTask<>(() -> assertGone(word), null);
        OsThread.start(waiting).awaitPolling();
        cut(memory.path());
        waiting.get();
    }

    /** HotSpot's handler of SIGBUS knows fewer instructions than its compiler: the reads must be of those it knows. */
    @ParameterizedTest
    @EnumSource(Width.class)
    void aFileThatWasCutIsAnErrorEventAlsoInCompiledCode(Width width) throws Exception {
        memory = Place.SHM.open();
        MemorySegment word = memory.word(0, width);
        queue.add(word, width);
        for (int i = 0; i < 40_000; i++) {
            Queue.anonWake(word, 1, 0);
            assertEquals(1, queue.poll(Queue.LONG), "a wake without an event");
        }
        cut(memory.path());
        assertGone(word);
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aFileThatWasCutIsRefused(Width width) throws Exception {
        memory = Place.SHM.open();
        cut(memory.path());
        Queue.assertErrno(Errno.EFAULT, () -> queue.add(memory.word(0, width), width));
        queue.assertQuiet();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void otherWordsAreWaitedForAsBefore(boolean cut) throws Exception {
        memory = Place.SHM.open();
        try (TestMemory other = Place.SHM.open()) {
            MemorySegment stays = other.word(0, Width.INT);
            MemorySegment goes = memory.word(0, Width.INT);
            queue.add(stays, Width.INT);
            queue.add(goes, Width.INT);
            if (cut) {
                cut(memory.path());
            } else {
                memory.unmap();
            }
            assertGone(goes);
            queue.wake(stays, 1);
            assertEquals(Width.VALUE, queue.await(stays));
        }
    }

    /** An address is often used again at once, while the queue still has the wait for the memory before. */
    @Test
    void newMemoryAtTheSameAddressIsAnotherWord() throws Exception {
        memory = Place.SHM.open();
        TestMemory old = Place.SHM.open();
        MemorySegment word = old.word(0, Width.INT);
        queue.add(word, Width.INT);
        old.close();
        try (Arena arena = Arena.ofShared();
                var file = FileChannel.open(memory.path(), StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            var mapped = file.map(FileChannel.MapMode.READ_WRITE, 0, TestMemory.BYTES, arena);
            assumeTrue(mapped.address() == word.address(), "the kernel chose another address");
            MemorySegment again = mapped.asSlice(0, Integer.BYTES);
            queue.add(again, Width.INT);
            Queue.anonWake(memory.word(0, Width.INT), 1, 0);
            assertEquals(Width.VALUE, queue.await(again));
            queue.change(again, EV_DELETE, 0, 0);
        }
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void aWordOfAnotherThreadsArenaIsAnErrorAndNoException(Width width) throws Exception {
        var word = new MemorySegment[1];
        OsThread.runAndExit(() -> {
            word[0] = Arena.ofConfined().allocate(width.bytes, width.bytes);
            width.store(word[0], Width.VALUE);
        });
        Queue.assertErrno(Errno.EFAULT, () -> queue.add(word[0], width));
        queue.assertQuiet();
    }

    /** Of an owner: in the call that adds the word, which is his first, and in a later one. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryUnmappedWhileAnOwnerSleepsIsAnErrorEvent(boolean addedBefore) throws Exception {
        memory = Place.SHM.open();
        MemorySegment word = memory.word(0, Width.INT);
        FutureTask<Void> waiting = new FutureTask<>(() -> {
            try (EventQueue owned = EventQueue.open(Options.defaults().singleOwner())) {
                KeventList list = KeventList.allocate(1);
                list.set(0, word, EVFILT_USERMEM, EV_ADD, Width.INT.fflags, Width.VALUE, null);
                if (addedBefore) {
                    assertEquals(0, Kqueue.kevent(owned.fd(), list, 1, null, 0, null));
                }
                assertEquals(1,
                        Kqueue.kevent(owned.fd(), list, addedBefore ? 0 : 1, list, 1, Queue.LONG));
                assertTrue((list.flags(0) & EV_ERROR) != 0, "EV_ERROR");
                assertEquals(Errno.EFAULT, list.data(0));
            }
        }, null);
        OsThread.start(waiting).awaitPolling();
        memory.unmap();
        waiting.get();
    }

    private static void cut(Path path) throws Exception {
        try (var file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            file.truncate(0);
        }
    }
}
