package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ring by itself, in one process. */
@Timeout(60)
class EventRingTest {
    private static final int SLOTS = 8;
    private static final Duration LONG = Duration.ofSeconds(10);

    private final SharedMemory memory = SharedMemory.anonymous(EventRing.bytes(SLOTS));
    private final MemorySegment bytes = memory.segment();
    private final EventRing producer = EventRing.create(bytes, SLOTS);
    private final EventRing consumer = EventRing.open(bytes);
    private final KeventList in = KeventList.allocate(2 * SLOTS);
    private final KeventList out = KeventList.allocate(2 * SLOTS);
    private long next;

    @AfterEach
    void close() {
        memory.close();
    }

    private int put(int n) {
        for (int i = 0; i < n; i++) {
            in.set(i, next + i, -11, 0x20, 7, -(next + i), 100 + next + i);
            in.ext(i, 3, 5);
        }
        int done = producer.put(in, 0, n);
        next += done;
        return done;
    }

    private long bell() {
        return bytes.get(ValueLayout.JAVA_INT, 192);
    }

    private Thread takes(int expected, Duration timeout) {
        return Thread.ofPlatform().daemon().start(new FutureTask<>(() -> {
            KeventList list = KeventList.allocate(1);
            assertEquals(expected, EventRing.open(bytes).take(list, 1, timeout));
            return null;
        }));
    }

    @Test
    void eventsComeOutAsTheyWentIn() {
        assertEquals(3, put(3));
        assertEquals(3, consumer.size());
        assertEquals(2, consumer.take(out, 2, Duration.ZERO));
        assertEquals(1, out.ident(1));
        assertEquals(-11, out.filter(1));
        assertEquals(0x20, out.flags(1));
        assertEquals(7, out.fflags(1));
        assertEquals(-1, out.data(1));
        assertEquals(101, EventRing.udata(out, 1));
        assertEquals(5, out.ext(1, 3));
        assertEquals(1, consumer.take(out, 8, null));
        assertEquals(2, out.ident(0));
        assertEquals(0, consumer.take(out, 8, Duration.ZERO));
        assertEquals(0, consumer.take(out, 8, Duration.ofMillis(3)));
    }

    @Test
    void theBytesAreThoseOfTheJavadoc() {
        put(2);
        consumer.take(out, 1, Duration.ZERO);
        assertEquals(0x474e524b, bytes.get(ValueLayout.JAVA_INT, 0));
        assertEquals(SLOTS, bytes.get(ValueLayout.JAVA_INT, 4));
        assertEquals(2, bytes.get(ValueLayout.JAVA_LONG, 64), "tail");
        assertEquals(1, bytes.get(ValueLayout.JAVA_LONG, 128), "head");
        assertEquals(101, bytes.get(ValueLayout.JAVA_LONG, 256 + 64 + 24), "udata of event 1");
        assertEquals(256 + 64 * SLOTS, EventRing.bytes(SLOTS));
        producer.close();
        assertEquals(1, bytes.get(ValueLayout.JAVA_INT, 8), "closed");
    }

    @Test
    void itGoesRoundManyTimes() {
        for (long i = 0; i < 50 * SLOTS;) {
            put(SLOTS - 1);
            int n = consumer.take(out, SLOTS, Duration.ZERO);
            assertEquals(SLOTS - 1, n);
            for (int k = 0; k < n; k++) {
                assertEquals(i++, out.ident(k));
            }
        }
    }

    @Test
    void whatHasNoRoomIsSaidCountedAndReportedInItsPlace() {
        assertEquals(SLOTS, put(SLOTS + 3));
        producer.drop(3);
        assertEquals(0, put(2));
        producer.drop(2);
        assertEquals(5, consumer.dropped());
        assertEquals(SLOTS, consumer.take(out, SLOTS, Duration.ZERO));
        assertEquals(2, put(2));
        assertEquals(3, consumer.take(out, SLOTS, Duration.ZERO));
        assertEquals(0, out.filter(0));
        assertEquals(Kqueue.EV_ERROR, out.flags(0));
        assertEquals(Errno.ENOBUFS, out.data(0));
        assertEquals(5, out.ident(0), "dropped since the last record");
        assertEquals(5, out.ext(0, 0), "dropped in all");
        assertEquals(SLOTS, out.ident(1), "the next event");
        producer.drop(1);
        assertEquals(1, consumer.take(out, SLOTS, Duration.ZERO), "told at once if there is room");
        assertEquals(1, out.ident(0));
        assertEquals(6, out.ext(0, 0));
    }

    @Test
    void theProducerWaitsForHalfOfTheRingAndCountsThat() throws Exception {
        put(SLOTS);
        assertFalse(producer.awaitRoom(Duration.ofMillis(3)));
        assertEquals(1, consumer.stalls());
        FutureTask<Boolean> waits = new FutureTask<>(() -> producer.awaitRoom(LONG));
        Thread.ofPlatform().daemon().start(waits);
        Wait.until(() -> consumer.stalls() == 2, "the wait");
        consumer.take(out, SLOTS / 2 - 1, Duration.ZERO);
        assertFalse(waits.isDone(), "not yet");
        consumer.take(out, 1, Duration.ZERO);
        assertTrue(waits.get());
        assertTrue(producer.awaitRoom(Duration.ZERO));
        assertEquals(2, consumer.stalls());
    }

    @Test
    void sleepingConsumersAreWokenAsManyAsThereAreEvents() {
        Thread first = takes(1, null);
        Thread second = takes(1, null);
        Thread third = takes(1, null);
        Wait.until(() -> Wait.asleep(bytes.asSlice(192, 4)) == 3, "three asleep");
        put(1);
        Wait.until(() -> count(first, second, third) == 1, "one");
        put(2);
        Wait.until(() -> count(first, second, third) == 3, "all");
        assertEquals(0, consumer.size());
    }

    private static int count(Thread... threads) {
        int ended = 0;
        for (Thread thread : threads) {
            ended += Wait.hasEnded(thread) ? 1 : 0;
        }
        return ended;
    }

    @Test
    void withNobodyAsleepTheBellIsNotTouched() {
        put(1); // the first rings in any case: see create
        long before = bell();
        for (int i = 0; i < 100; i++) {
            consumer.take(out, 1, Duration.ZERO);
            put(1);
        }
        assertEquals(before, bell());
        assertEquals(0, before & 1);
    }

    @Test
    void closeLetsConsumersTakeTheRestAndEndsThem() {
        Thread sleeper = takes(EventRing.CLOSED, null);
        Wait.until(() -> Wait.asleep(bytes.asSlice(192, 4)) == 1, "one asleep");
        producer.close();
        Wait.until(() -> Wait.hasEnded(sleeper), "its end");
        EventRing again = EventRing.create(bytes, SLOTS);
        assertEquals(1, again.put(in, 0, 1));
        again.close();
        assertEquals(1, consumer.take(out, 1, null));
        assertEquals(EventRing.CLOSED, consumer.take(out, 1, null));
        assertEquals(EventRing.CLOSED, consumer.take(out, 1, Duration.ZERO));
    }

    @Test
    void aNewProducerGoesOnWhereTheOldOneEnded() {
        put(3);
        consumer.take(out, 1, Duration.ZERO);
        EventRing second = EventRing.create(bytes, SLOTS);
        in.set(0, 3, -11, 0, 0, 0, null);
        assertEquals(1, second.put(in, 0, 1));
        assertEquals(3, consumer.take(out, 8, Duration.ZERO));
        assertEquals(3, out.ident(2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, -2, 1 << 21})
    void aSizeThatIsNoneIsRefused(int slots) {
        Wait.errno(Errno.EINVAL, () -> EventRing.bytes(slots));
    }

    @Test
    void wrongUseIsRefused() {
        try (SharedMemory other = SharedMemory.anonymous(4096)) {
            Wait.errno(Errno.EAGAIN, () -> EventRing.open(other.segment()));
            Words.set(other.segment(), 42);
            Wait.errno(Errno.EINVAL, () -> EventRing.open(other.segment()));
            Wait.errno(Errno.EINVAL, () -> EventRing.create(other.segment(), SLOTS));
            Wait.errno(Errno.EINVAL, () -> EventRing.create(other.segment(), 64));
            Wait.errno(Errno.EINVAL, () -> EventRing.open(other.segment().asSlice(0, 64)));
        }
        Wait.errno(Errno.EINVAL, () -> EventRing.create(bytes, SLOTS / 2));
        Wait.errno(Errno.EFAULT, () -> EventRing.create(MemorySegment.ofArray(new byte[4096]), SLOTS));
        Wait.errno(Errno.EINVAL, () -> consumer.take(out, 0, null));
        Wait.errno(Errno.EINVAL, () -> consumer.take(out, out.size() + 1, null));
        Wait.errno(Errno.EINVAL, () -> consumer.take(out, 1, Duration.ofMillis(-1)));
        bytes.set(ValueLayout.JAVA_LONG, 128, 77);
        Wait.errno(Errno.EINVAL, () -> consumer.take(out, 1, Duration.ZERO));
        Wait.errno(Errno.EINVAL, () -> producer.put(in, 0, 1));
    }
}
