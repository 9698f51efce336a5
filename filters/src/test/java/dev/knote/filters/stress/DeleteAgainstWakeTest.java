package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Futex;
import dev.knote.linux.Threads;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One wake for one waiter is posted while the waiter who is first in line leaves. It must be his event, if he saw it,
 * or else the next one's: never nobody's, never both's.
 */
@Timeout(900)
class DeleteAgainstWakeTest {
    private static final Duration PATIENCE = StressSize.PATIENCE;

    private static final int OVER = -1;

    enum Way {
        DELETE(350_000, 15_000),
        LOOK_THEN_DELETE(350_000, 15_000),
        ONE_SHOT(150_000, 8_000),
        PRIVATE(150_000, 20_000),
        CLOSE(50_000, 2_000);

        final int rounds;

        Way(int full, int brief) {
            rounds = StressSize.of(full, brief);
        }
    }

    private final long begin = System.nanoTime();
    private final Resources resources = new Resources();
    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final MemorySegment word = memory.word32(0);
    private final AtomicInteger round = new AtomicInteger();
    private final AtomicInteger woken = new AtomicInteger();
    /** How many waiters the last wake found. */
    private volatile int found;

    @AfterEach
    void close() {
        memory.close();
        resources.checkReturned();
    }

    @ParameterizedTest
    @EnumSource
    void aWakeGoesToTheFirstOrToTheSecond(Way way) throws Exception {
        Interest interest = way == Way.PRIVATE
                ? UserMem.privately(UserMem.int32(word, 0))
                : UserMem.int32(word, 0);
        int secondEvents = 0;
        try (EventQueue second = EventQueue.open();
                EventQueue kept = EventQueue.open();
                Crew crew = crew()) {
            startWaker(crew, way == Way.PRIVATE, false);
            for (int i = 1; StressSize.goesOn(i, way.rounds, begin); i++) {
                EventQueue first = way == Way.CLOSE ? EventQueue.open() : kept;
                Knote one = first.register(way == Way.ONE_SHOT ? interest.oneShot() : interest, "first");
                Knote two = second.register(interest, "second");
                round.set(i);
                Crew.jitter(80);
                int firstHad = way == Way.LOOK_THEN_DELETE || way == Way.ONE_SHOT
                        ? first.poll(event -> {}, Duration.ZERO)
                        : 0;
                if (way == Way.CLOSE) {
                    first.close();
                } else {
                    one.cancel();
                }
                awaitWaker(crew, i);
                int secondHad = second.poll(event -> {}, firstHad == 1 ? Duration.ZERO : PATIENCE);
                assertEquals(1, firstHad + secondHad, "events of one wake, round " + i + ", " + way);
                assertEquals(0, second.poll(event -> {}, Duration.ZERO), "a second event, round " + i);
                secondEvents += secondHad;
                two.cancel();
                assertNobodyWaits(i);
            }
            round.set(OVER);
            crew.join(PATIENCE);
        }
        assertTrue(secondEvents > 0, "no round in which the first one left in time");
    }

    /**
     * A word of 64 bits of which the half that the kernel does not see changes while it is being armed: whether the
     * wait was counted as woken decides whether its knote, when it goes unseen, owes a wake.
     */
    @Test
    void aWakeThatMetTheArmingOfAWideWordIsPassedOn() throws Exception {
        int rounds = StressSize.of(100_000, 10_000);
        MemorySegment wide = memory.word64(0);
        int owed = 0;
        try (EventQueue first = EventQueue.open();
                EventQueue second = EventQueue.open();
                Crew crew = crew()) {
            startWaker(crew, false, true);
            for (int i = 1; StressSize.goesOn(i, rounds, begin); i++) {
                long value = SharedMemory.load64(wide);
                round.set(i);
                Crew.jitter(60);
                Knote one = first.register(UserMem.int64(wide, value), "first");
                awaitWaker(crew, i);
                Knote two = second.register(UserMem.int32(word, 0), "second");
                one.cancel();
                int had = second.poll(event -> {}, found == 1 ? PATIENCE : Duration.ZERO);
                assertEquals(found, had, "wakes passed on, round " + i);
                owed += had;
                two.cancel();
                assertNobodyWaits(i);
            }
            round.set(OVER);
            crew.join(PATIENCE);
        }
        assertTrue(owed > 0, "no wake met a waiter");
    }

    /** The second in line is a thread in futex(2). */
    @Test
    void aWakeOwedByADeletedKnoteReachesAThreadInFutexWait() throws Exception {
        int rounds = StressSize.of(100_000, 3_000);
        AtomicInteger sleeps = new AtomicInteger();
        AtomicInteger risen = new AtomicInteger();
        AtomicInteger tid = new AtomicInteger();
        try (EventQueue first = EventQueue.open();
                Crew crew = crew()) {
            startWaker(crew, false, false);
            crew.start("sleeper", () -> {
                tid.set(Threads.gettid());
                for (int i = 1;; i++) {
                    int now = i;
                    crew.await("leave to sleep", () -> sleeps.get() >= now || round.get() == OVER);
                    if (round.get() == OVER) {
                        return;
                    }
                    assertEquals(0, Futex.wait(word.address(), 0, 0), "woken");
                    risen.incrementAndGet();
                }
            });
            crew.await("the sleeper", () -> tid.get() != 0);
            Path call = Path.of("/proc/self/task/" + tid + "/syscall");
            for (int i = 1; StressSize.goesOn(i, rounds, begin); i++) {
                int now = i;
                Knote one = first.register(UserMem.int32(word, 0), "first");
                sleeps.set(i);
                crew.await("the sleeper in the kernel", () -> sleepsOnTheWord(call));
                round.set(i);
                Crew.jitter(80);
                one.cancel();
                awaitWaker(crew, i);
                crew.await("the sleeper to be woken", () -> risen.get() >= now);
                assertNobodyWaits(i);
            }
            round.set(OVER);
            crew.join(PATIENCE);
        }
    }

    private Crew crew() {
        return new Crew(() -> "round " + round + ", woken " + woken + ", found " + found);
    }

    private void startWaker(Crew crew, boolean isPrivate, boolean changes) {
        crew.start("waker", () -> {
            for (int i = 1;; i++) {
                int now = i;
                crew.await("round " + now, () -> round.get() >= now || round.get() == OVER);
                if (round.get() == OVER) {
                    return;
                }
                Crew.jitter(80);
                if (changes) {
                    SharedMemory.add64(memory.word64(0), 1L << 32);
                }
                if (isPrivate) {
                    Words.wakePrivately(word, 1);
                } else {
                    found = Futex.wake(word.address(), 1);
                }
                woken.set(i);
            }
        });
    }

    private void awaitWaker(Crew crew, int i) {
        crew.await("the wake " + i, () -> woken.get() >= i);
    }

    private void assertNobodyWaits(int i) {
        assertEquals(0, Futex.wake(word.address(), 100), "waiters left armed, round " + i);
    }

    /** Whether a thread, of which this is the file "syscall", sleeps on the word, and not on one of the JVM's. */
    private boolean sleepsOnTheWord(Path call) {
        String asleep = Words.FUTEX_CALL + " 0x" + Long.toHexString(word.address()) + " ";
        try {
            return Files.readString(call).startsWith(asleep);
        } catch (IOException e) {
            return false;
        }
    }
}
