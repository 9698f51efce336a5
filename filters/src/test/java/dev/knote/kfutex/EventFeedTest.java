package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Kqueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.kfutex.EventFeed.Full;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A queue's events in a ring. */
@Timeout(60)
class EventFeedTest {
    private static final int SLOTS = 8;
    private static final Duration LONG = Duration.ofSeconds(10);

    @TempDir
    private static Path temp;

    private final SharedMemory memory = SharedMemory.create("knote-feed-" + System.nanoTime(), 8192);
    private final MemorySegment bytes = memory.segment();
    private final EventRing ring = EventRing.create(bytes, SLOTS);
    private final EventRing consumer = EventRing.open(bytes);
    private final KeventList out = KeventList.allocate(2 * SLOTS);
    private EventFeed feed;

    @AfterEach
    void close() {
        if (feed != null) {
            feed.close();
        }
        memory.close();
        memory.unlink();
    }

    private void open(Full full) {
        feed = new EventFeed(ring, full);
    }

    private void take(int n) {
        for (int i = 0; i < n; i++) {
            assertEquals(1, consumer.take(out, 1, LONG), "event " + i);
        }
    }

    @ParameterizedTest
    @EnumSource(Full.class)
    void eventsOfAllKindsComeWithTheirNumbers(Full full) {
        open(full);
        try (Pipe pipe = new Pipe()) {
            feed.register(Read.of(pipe.reader), 41);
            pipe.write(3);
            take(1);
            assertEquals(41, EventRing.udata(out, 0));
            assertEquals(Kqueue.EVFILT_READ, out.filter(0));
            assertEquals(pipe.reader, out.ident(0));
            assertEquals(3, out.data(0));
            assertEquals(0, consumer.take(out, 1, Duration.ofMillis(20)), "told once");
            feed.register(Timer.after(Duration.ofMillis(1)), -7);
            take(1);
            assertEquals(-7, EventRing.udata(out, 0));
            MemorySegment word = bytes.asSlice(4096, 4);
            feed.register(UserMem.int32(word, 5).oneShot(), Long.MAX_VALUE);
            take(1);
            assertEquals(Long.MAX_VALUE, EventRing.udata(out, 0));
            assertEquals(0, out.data(0), "the word's value");
            pipe.closeWriter();
            take(1);
            assertTrue((out.flags(0) & Kqueue.EV_EOF) != 0);
            assertEquals(3, out.data(0), "and what is left");
        }
    }

    @Test
    void aFullRingLeavesEventsInTheQueueUntilThereIsRoom() {
        open(Full.WAIT);
        List<Knote> knotes = new ArrayList<>();
        int count = 100;
        for (int i = 0; i < count; i++) {
            knotes.add(feed.register(User.of(i), i));
        }
        knotes.forEach(Knote::trigger);
        Wait.until(() -> consumer.stalls() > 0, "a stall");
        knotes.forEach(Knote::trigger);
        boolean[] seen = new boolean[count];
        for (int n = 0, k; n < count; n += k) {
            k = consumer.take(out, 3, LONG);
            assertTrue(k > 0, "events after " + n);
            for (int i = 0; i < k; i++) {
                n -= seen[(int) EventRing.udata(out, i)] ? 1 : 0;
                seen[(int) EventRing.udata(out, i)] = true;
            }
        }
        assertEquals(0, consumer.dropped());
    }

    @Test
    void whatIsDroppedIsReportedAndWhatHoldsIsReportedAgain() {
        open(Full.DROP);
        List<Pipe> pipes = new ArrayList<>();
        try {
            List<Knote> users = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                Pipe pipe = new Pipe();
                pipes.add(pipe);
                feed.register(Read.of(pipe.reader), i);
                users.add(feed.register(User.of(i), 100 + i));
                pipe.write(1);
                users.get(i).trigger();
            }
            Wait.until(() -> consumer.dropped() >= 24 - SLOTS, "what has no room");
            boolean[] seen = new boolean[112];
            long reported = 0;
            int missing = 24;
            while (missing > 0) {
                assertEquals(1, consumer.take(out, 1, LONG), missing + " are missing");
                if (out.filter(0) == 0) {
                    assertEquals(Kqueue.EV_ERROR, out.flags(0));
                    assertEquals(Errno.ENOBUFS, out.data(0));
                    reported += out.ident(0);
                    assertEquals(reported, out.ext(0, 0));
                } else {
                    missing -= seen[(int) EventRing.udata(out, 0)] ? 0 : 1;
                    seen[(int) EventRing.udata(out, 0)] = true;
                }
            }
            assertTrue(reported >= 24 - SLOTS, "reported: " + reported);
            assertEquals(0, consumer.stalls(), "it never waited");
        } finally {
            pipes.forEach(Pipe::close);
        }
    }

    @ParameterizedTest
    @EnumSource(Full.class)
    void closeEndsConsumersAndTheThreadAlsoWhenTheRingIsFull(Full full) {
        open(full);
        for (int i = 0; i < 3 * SLOTS; i++) {
            feed.register(User.of(i), i).trigger();
        }
        Wait.until(() -> consumer.size() == SLOTS, "a full ring");
        feed.close();
        Wait.until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("knote-feed")), "the end of the thread");
        while (consumer.take(out, SLOTS, null) != EventRing.CLOSED) {
            assertTrue(consumer.size() < SLOTS);
        }
        Wait.errno(Errno.EBADF, () -> feed.register(User.of(1), 1));
    }

    @Test
    void memoryThatGoesEndsTheFeed() {
        open(Full.WAIT);
        Knote user = feed.register(User.of(1), 1);
        user.trigger();
        take(1);
        memory.close();
        try {
            user.trigger();
        } catch (KeventException ended) { // it had still to look at the ring after the first event
            assertEquals(Errno.EBADF, ended.errno());
        }
        Wait.until(() -> feed.errno() == Errno.EFAULT, "its end");
        Wait.errno(Errno.EBADF, () -> feed.register(User.of(2), 2));
    }

    @Test
    void aCProgramTakesThemByTheDocumentedBytes() throws Exception {
        open(Full.WAIT);
        try (Peer c = Peer.c(temp, "take", memory.path().toString()); Pipe pipe = new Pipe()) {
            Wait.until(() -> Wait.asleep(bytes.asSlice(192, 4)) == 1, "the sleep of the C program");
            feed.register(Read.of(pipe.reader), 77);
            for (int i = 1; i < 30; i++) {
                pipe.write(1);
                assertEquals("77 " + Kqueue.EVFILT_READ + " " + Kqueue.EV_CLEAR + " " + i, c.line());
            }
            feed.close();
            assertEquals("closed", c.line());
        }
    }

    /** Who was woken for an event and is killed before it takes it: another is woken within a moment. */
    @Test
    void anEventOfWhichOnlyOneThatDiedWasToldIsTakenByAnother() throws Exception {
        open(Full.WAIT);
        Knote user = feed.register(User.of(1), 5);
        MemorySegment bell = bytes.asSlice(192, 4);
        Words.or(bell, 1);
        Thread dies = Wait.sleeper(bell); // as a consumer does, and then takes nothing
        try (Peer other = Peer.c(temp, "take", memory.path().toString())) {
            Wait.until(() -> Wait.asleep(bell) == 2, "the other consumer's sleep");
            user.trigger();
            Wait.until(() -> Wait.hasEnded(dies), "the wake of the first");
            assertTrue(other.line().startsWith("5 "));
        }
    }

    @Test
    void theNumberOfAnEventIsInItsBytes() {
        open(Full.WAIT);
        feed.register(User.of(9), 0x123456789abcdefL).trigger();
        Wait.until(() -> consumer.size() == 1, "an event");
        assertEquals(0x123456789abcdefL, bytes.get(ValueLayout.JAVA_LONG, 256 + 24));
    }
}
