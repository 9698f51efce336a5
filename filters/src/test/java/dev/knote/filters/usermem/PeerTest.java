package dev.knote.filters.usermem;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_DELETE;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Futex;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Words shared with another process: one that has queues too, and a C program that knows of futex(2) alone. */
@Timeout(60)
class PeerTest {
    /** The other process. */
    enum Kind {
        /** Uses futex(2). */
        C,
        /** Uses queues. */
        JVM
    }

    private static final Map<Kind, Peer> PEERS = new EnumMap<>(Kind.class);

    @TempDir
    private static Path temp;

    private final List<Queue> queues = new ArrayList<>();
    private TestMemory memory;
    private Peer peer;
    private Queue queue;
    private MemorySegment word;

    static Stream<Arguments> everywhere() {
        List<Arguments> cases = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (Place place : new Place[] {Place.SHM, Place.FILE, Place.CHANNEL, Place.MEMFD}) {
                for (Width width : Width.values()) {
                    cases.add(Arguments.of(kind, place, width));
                }
            }
        }
        return cases.stream();
    }

    static Peer peer(Kind kind) throws Exception {
        if (!PEERS.containsKey(kind)) {
            PEERS.put(kind, start(kind));
        }
        return PEERS.get(kind);
    }

    private static Peer start(Kind kind) throws Exception {
        return kind == Kind.C ? Peer.c(temp) : Peer.jvm();
    }

    private void open(Kind kind, Place place, Width width) throws Exception {
        memory = place.open();
        word = memory.word(1, width);
        queue = newQueue();
        peer = peer(kind).map(memory);
    }

    private Queue newQueue() {
        Queue made = new Queue();
        queues.add(made);
        return made;
    }

    @AfterEach
    void close() throws IOException {
        queues.forEach(Queue::close);
        if (memory != null) {
            memory.close();
        }
    }

    @AfterAll
    static void stopPeers() {
        PEERS.values().forEach(Peer::close);
        PEERS.clear();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void itsStoreAndWakeFire(Kind kind, Place place, Width width) throws Exception {
        open(kind, place, width);
        queue.add(word, width);
        for (long value : new long[] {width.other, 1, Width.VALUE}) {
            peer.store(word, width, value);
            peer.wake(word, 1, false);
            assertEquals(value, queue.await(word));
        }
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void itsWakeAloneFiresEachTime(Kind kind, Place place, Width width) throws Exception {
        open(kind, place, width);
        queue.add(word, width);
        for (int round = 0; round < 3; round++) {
            int count = peer.wake(word, 10, false);
            assertTrue(count == 1 || count == -1, "woken: " + count);
            assertEquals(Width.VALUE, queue.await(word));
        }
        queue.assertQuiet();
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void itsStoreBeforeTheAddFires(Kind kind, Place place, Width width) throws Exception {
        open(kind, place, width);
        peer.store(word, width, width.other);
        queue.add(word, width);
        assertEquals(width.other, queue.await(word));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void triggerWakesItsSleepers(Kind kind, Place place, Width width) throws Exception {
        open(kind, place, width);
        peer.waits("one", word, width, false);
        peer.waits("two", word, width, false);
        peer.waits("three", word, width, false);
        queue.wake(word, 1);
        peer.awaitWoken("one");
        assertFalse(peer.isWoken("two"), "a wake of one woke two");
        Queue.anonWake(word, 1000, 0);
        peer.awaitWoken("two");
        peer.awaitWoken("three");
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void itsWakeOnAnotherWordDoesNotFire(Kind kind, Place place, Width width) throws Exception {
        open(kind, place, width);
        queue.add(word, width);
        long at = memory.offset(word);
        for (long other : new long[] {at - 8, at - 4, at + 4, at + 8, at + 64, at + TestMemory.PAGE}) {
            assertTrue(peer.wake(memory.at(other, Width.INT), 1000, false) <= 0, "somebody woken");
        }
        queue.assertQuiet();
        peer.wake(word, 1, false);
        queue.await(word);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void wakesGoToQueuesAndItsSleepersInTheirOrder(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.INT);
        Queue third = newQueue();
        queue.add(word, Width.INT, EV_ONESHOT);
        peer.waits("second", word, Width.INT, false);
        third.add(word, Width.INT, EV_ONESHOT);
        peer.waits("fourth", word, Width.INT, false);

        Queue.anonWake(word, 1, 0);
        queue.await(word);
        assertFalse(peer.isWoken("second"), "out of turn");
        third.assertQuiet();

        Queue.anonWake(word, 1, 0);
        peer.awaitWoken("second");
        third.assertQuiet();

        peer.wake(word, 1, false);
        third.await(word);
        assertFalse(peer.isWoken("fourth"), "out of turn");

        peer.wake(word, 1, false);
        peer.awaitWoken("fourth");
        assertEquals(0, Futex.wake(word.address(), 1000), "nobody is left");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void oneWakeOfAThousandWakesAllOfBothProcesses(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.LONG);
        for (int i = 0; i < 4; i++) {
            newQueue().add(word, Width.LONG);
            peer.waits("sleeper" + i, word, Width.LONG, false);
        }
        Queue.anonWake(word, 1000, 0);
        for (int i = 0; i < 4; i++) {
            peer.awaitWoken("sleeper" + i);
            queues.get(i + 1).await(word);
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aPrivateWaitDoesNotHearIt(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.INT);
        queue.change(word, EV_ADD, Width.INT.fflags | NOTE_USERMEM_PRIVATE, Width.VALUE);
        assertTrue(peer.wake(word, 1000, false) <= 0, "somebody woken");
        assertTrue(peer.wake(word, 1000, true) <= 0, "somebody woken");
        queue.assertQuiet();
        Queue.anonWake(word, 1, NOTE_USERMEM_PRIVATE);
        queue.await(word);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void itsPrivateWaitDoesNotHearUs(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.INT);
        peer.waits("private", word, Width.INT, true);
        peer.waits("shared", word, Width.INT, false);
        Queue.anonWake(word, 1000, NOTE_USERMEM_PRIVATE);
        Queue.anonWake(word, 1000, 0);
        peer.awaitWoken("shared");
        assertFalse(peer.isWoken("private"));
        peer.wake(word, 1, true);
        peer.awaitWoken("private");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aWakeGoesOnFromAWaitThatIsDeletedToItsSleeper(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.INT);
        queue.add(word, Width.INT);
        peer.waits("next", word, Width.INT, false);
        queue.wake(word, 1);
        queue.change(word, EV_DELETE, 0, 0);
        peer.awaitWoken("next");
        queue.assertQuiet();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aWakeIsNotSwallowedByAProcessThatWasKilled(Kind kind) throws Exception {
        open(kind, Place.SHM, Width.INT);
        try (Peer victim = start(kind).map(memory)) {
            victim.waits("victim", word, Width.INT, false);
            queue.add(word, Width.INT);
            victim.kill();
            Queue.anonWake(word, 1, 0);
            queue.await(word);
        }
    }
}
