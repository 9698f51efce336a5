package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads without a loop that wait for words. */
@Timeout(60)
class MemoryWordsTest {
    private static final Duration LONG = Duration.ofSeconds(15);

    private final SharedMemory memory = SharedMemory.anonymous(64 * SharedMemory.LINE);

    /** Who waits. */
    enum Kind {
        VIRTUAL, PLATFORM;

        Thread start(Runnable body) {
            return this == VIRTUAL
                    ? Thread.ofVirtual().start(body)
                    : Thread.ofPlatform().daemon().start(body);
        }
    }

    /** A thread that waits for a word. */
    private record Waiting(Thread thread, FutureTask<Long> value) {
        long get() throws Exception {
            return value.get(15, TimeUnit.SECONDS);
        }

        Throwable failure() {
            return assertThrows(ExecutionException.class, this::get).getCause();
        }
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private MemorySegment word(int line) {
        return memory.word32(line);
    }

    private static Waiting wait(Kind kind, MemorySegment word, long expected) {
        var value = new FutureTask<>(() -> MemoryWords.await(word, expected, LONG));
        return new Waiting(kind.start(value), value);
    }

    /** Whether the kernel has waiters of the word; it is not woken. */
    private boolean isWaitedFor(MemorySegment word) {
        MemorySegment aside = word(63); // moved there, and back
        int value = word.get(ValueLayout.JAVA_INT, 0);
        return Futex.requeueOne(word.address(), value, aside.address()) > 0
                && Futex.requeueOne(aside.address(), 0, word.address()) > 0; // unless it was leaving
    }

    private void awaitWaiting(MemorySegment word) {
        WordFixture.await(() -> isWaitedFor(word), "a waiter in the kernel");
    }

    private void awaitNobody(MemorySegment word) {
        WordFixture.await(() -> !isWaitedFor(word), "the end of the wait in the kernel");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aChangeThatIsWokenEndsTheWaitWithTheValue(Kind kind) throws Exception {
        for (int bytes : new int[] {4, 8}) {
            MemorySegment word = memory.segment().asSlice(128, bytes);
            Waiting waiting = wait(kind, word, 0);
            awaitWaiting(word);
            WordFixture.change(word, bytes == 8 ? 5L << 40 | 1 : -5);
            assertEquals(bytes == 8 ? 5L << 40 | 1 : -5, waiting.get());
            awaitNobody(word);
            SharedMemory.store64(memory.word64(2), 0);
        }
    }

    @Test
    void aWordThatDiffersIsReturnedAtOnce() throws Exception {
        SharedMemory.store32(word(1), 3);
        assertEquals(3, MemoryWords.await(word(1), 2));
        assertEquals(3, MemoryWords.await(word(1), 2, Duration.ZERO));
    }

    @Test
    void aChangeOfTheHighHalfAloneIsOne() throws Exception {
        MemorySegment word = memory.word64(1);
        Waiting waiting = wait(Kind.VIRTUAL, word, 0);
        awaitWaiting(word);
        WordFixture.change(word, 1L << 32);
        assertEquals(1L << 32, waiting.get());
    }

    @Test
    void aWakeWithoutAChangeIsNone() throws Exception {
        Waiting waiting = wait(Kind.VIRTUAL, word(1), 0);
        for (int i = 0; i < 3; i++) {
            awaitWaiting(word(1));
            MemoryWords.wake(word(1), 10);
        }
        awaitWaiting(word(1));
        assertFalse(waiting.value.isDone());
        WordFixture.change(word(1), 1);
        assertEquals(1, waiting.get());
    }

    @Test
    void allWaitersOfAWordHearOfItAndThoseThatExpectTheValueWaitOn() throws Exception {
        List<Waiting> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(wait(i % 2 == 0 ? Kind.VIRTUAL : Kind.PLATFORM, word(1), 0));
        }
        awaitParked(waiting);
        awaitWaiting(word(1));
        SharedMemory.store32(word(1), 1);
        Waiting next = wait(Kind.VIRTUAL, word(1), 1);
        awaitParked(List.of(next));
        assertFalse(waiting.getFirst().value.isDone(), "nobody has been woken");
        MemoryWords.wake(word(1), 1);
        for (Waiting one : waiting) {
            assertEquals(1, one.get());
        }
        awaitWaiting(word(1));
        assertFalse(next.value.isDone());
        WordFixture.change(word(1), 2);
        assertEquals(2, next.get());
        awaitNobody(word(1));
    }

    private static void awaitParked(List<Waiting> waiting) {
        for (Waiting one : waiting) {
            WordFixture.await(() -> one.thread.getState() == Thread.State.TIMED_WAITING
                    || one.thread.getState() == Thread.State.WAITING, "a parked thread");
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aTimeoutEndsTheWaitAndLeavesNobodyWaiting(Kind kind) throws Exception {
        var value = new FutureTask<>(() -> MemoryWords.await(word(1), 0, Duration.ofMillis(30)));
        kind.start(value);
        ExecutionException thrown = assertThrows(ExecutionException.class,
                () -> value.get(15, TimeUnit.SECONDS));
        assertInstanceOf(TimeoutException.class, thrown.getCause());
        awaitNobody(word(1));
        assertThrows(TimeoutException.class, () -> MemoryWords.await(word(1), 0, Duration.ZERO));
        assertThrows(TimeoutException.class, () -> MemoryWords.await(word(1), 0, Duration.ofSeconds(-1)));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void anInterruptEndsTheWaitAndLeavesNobodyWaiting(Kind kind) throws Exception {
        Waiting waiting = wait(kind, word(1), 0);
        Waiting other = wait(kind, word(1), 0);
        awaitParked(List.of(waiting, other));
        awaitWaiting(word(1));
        waiting.thread.interrupt();
        assertInstanceOf(InterruptedException.class, waiting.failure());
        awaitWaiting(word(1));
        WordFixture.change(word(1), 1);
        assertEquals(1, other.get());
        awaitNobody(word(1));
    }

    @Test
    void whoIsInterruptedBeforeDoesNotWait() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> MemoryWords.await(word(1), 0));
        assertFalse(Thread.interrupted(), "the interrupt is still set");
    }

    @Test
    void aWakeThatComesWhenAllHaveGivenUpIsNotSwallowed() throws Exception {
        for (int i = 0; i < 200; i++) {
            Waiting waiting = wait(Kind.VIRTUAL, word(1), 0);
            awaitWaiting(word(1));
            waiting.thread.interrupt();
            Thread.ofVirtual().start(() -> MemoryWords.wake(word(1), 1)).join();
            waiting.failure();
            Waiting next = wait(Kind.VIRTUAL, word(1), 0);
            awaitWaiting(word(1));
            WordFixture.change(word(1), 1);
            assertEquals(1, next.get());
            SharedMemory.store32(word(1), 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryThatGoesAwayIsAnExceptionForEachOfItsWaiters(boolean cut) throws Exception {
        SharedMemory going = SharedMemory.openOrCreate("knote-await-" + ProcessHandle.current().pid(), 8192);
        List<Waiting> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(wait(Kind.VIRTUAL, going.word32(65), 0));
        }
        Waiting other = wait(Kind.VIRTUAL, word(1), 0);
        awaitParked(waiting);
        if (cut) {
            try (var file = FileChannel.open(going.path(), StandardOpenOption.WRITE)) {
                file.truncate(4096);
            }
        } else {
            going.close();
        }
        for (Waiting one : waiting) {
            assertEquals(Errno.EFAULT, assertInstanceOf(KeventException.class, one.failure()).errno());
        }
        going.close();
        going.unlink();
        WordFixture.change(word(1), 1);
        assertEquals(1, other.get());
    }

    @Test
    void whatIsNoWordIsRefused() {
        assertErrno(Errno.EFAULT, MemorySegment.ofArray(new int[1]));
        assertErrno(Errno.EINVAL, memory.segment());
        assertErrno(Errno.EINVAL, memory.segment().asSlice(2, 4));
        assertErrno(Errno.EINVAL, memory.segment().asSlice(4, 8));
        try (Arena confined = Arena.ofConfined()) {
            assertErrno(Errno.EFAULT, confined.allocate(4, 4));
        }
        Arena shared = Arena.ofShared();
        MemorySegment closed = shared.allocate(8, 8);
        shared.close();
        assertErrno(Errno.EFAULT, closed);
        assertThrows(KeventException.class, () -> MemoryWords.wake(word(1), -1));
    }

    private static void assertErrno(int errno, MemorySegment word) {
        KeventException e = assertThrows(KeventException.class, () -> MemoryWords.await(word, 0, LONG));
        assertEquals(errno, e.errno(), e::getMessage);
    }

    @Test
    void nothingKeepsTheMemoryOfAWaitThatHasEnded() throws Exception {
        List<WeakReference<MemorySegment>> words = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            words.add(new WeakReference<>(waitAndGiveUp()));
        }
        WordFixture.await(() -> {
            System.gc();
            return words.stream().filter(word -> word.get() != null).count() <= 1; // the last may be on a stack
        }, "the memory's end");
    }

    private MemorySegment waitAndGiveUp() throws Exception {
        MemorySegment word = Arena.ofAuto().allocate(4, 4);
        Waiting waiting = wait(Kind.VIRTUAL, word, 0);
        awaitWaiting(word);
        waiting.thread.interrupt();
        assertInstanceOf(InterruptedException.class, waiting.failure());
        awaitNobody(word);
        return word;
    }

    @Test
    void ofManyRoundsThereIsNoneWithoutItsWake() throws Exception {
        int rounds = Integer.getInteger("knote.rounds",
                "full".equals(System.getProperty("knote.stress")) ? 200_000
                        : 5_000);
        MemorySegment answer = word(2);
        Thread other = Thread.ofVirtual().start(() -> {
            for (int i = 1; i <= rounds; i++) {
                awaitValue(word(1), i);
                WordFixture.change(answer, i);
            }
        });
        for (int i = 1; i <= rounds; i++) {
            WordFixture.change(word(1), i);
            awaitValue(answer, i);
        }
        other.join();
    }

    private static void awaitValue(MemorySegment word, int value) {
        try {
            assertEquals(value, MemoryWords.await(word, value - 1, LONG));
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("value " + value + " of " + word, e);
        }
    }
}
