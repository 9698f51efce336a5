package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tokens within one process, in blocking calls and in queues. */
@Timeout(60)
class JobTokensTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final SharedMemory memory = SharedMemory.anonymous(4096);

    @AfterEach
    void close() {
        memory.close();
    }

    private int waiters() {
        return memory.segment().get(ValueLayout.JAVA_INT, 8) & 0xffff;
    }

    @Test
    void thereAreAsManyAsWereMadeAndEachIsTakenOnce() {
        JobTokens tokens = JobTokens.of(memory.segment(), 5);
        BitSet taken = new BitSet();
        for (int i = 0; i < 5; i++) {
            taken.set(tokens.tryTake());
        }
        assertEquals(5, taken.cardinality());
        assertEquals(-1, tokens.tryTake());
        assertEquals(-1, tokens.take(Duration.ZERO));
        tokens.release(3);
        assertEquals(1, tokens.free());
        assertEquals(3, JobTokens.of(memory.segment()).tryTake());
        assertEquals(ProcessHandle.current().pid(), tokens.holderPid(3));
    }

    @Test
    void aTakeEndsWhenItsTimeHasPassedAndCountsAsAWaiterNoMore() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        tokens.tryTake();
        long begin = System.nanoTime();
        assertEquals(-1, tokens.take(Duration.ofMillis(20)));
        assertTrue(System.nanoTime() - begin >= 20_000_000);
        assertEquals(0, waiters());
    }

    @Test
    void aReleaseWakesASleeper() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        int token = tokens.tryTake();
        var taker = CompletableFuture.supplyAsync(() -> tokens.take(LONG));
        Peers.await("a waiter", () -> waiters() == 1);
        assertFalse(taker.isDone());
        tokens.release(token);
        assertEquals(token, taker.join());
        assertEquals(0, waiters());
    }

    @Test
    void aTokenIsWaitedForAmongTimers() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        int token = tokens.tryTake();
        try (EventQueue queue = EventQueue.open(); TokenWait wait = tokens.waitIn(queue, "token")) {
            assertEquals(-1, wait.tryTake());
            queue.register(Timer.after(Duration.ofMillis(5)), "job");
            int got = -1;
            while ((got = wait.tryTake()) < 0) {
                queue.poll(event -> {
                    if (event.attachment().equals("job")) {
                        tokens.release(token);
                    }
                }, LONG);
            }
            assertEquals(token, got);
            assertEquals(0, waiters());
        }
    }

    @Test
    void aReleaseByAnotherThreadIsAnEventOfTheQueue() {
        JobTokens tokens = JobTokens.of(memory.segment(), 2);
        tokens.tryTake();
        tokens.tryTake();
        try (EventQueue queue = EventQueue.open(); TokenWait wait = tokens.waitIn(queue, "token")) {
            for (int round = 0; round < 200; round++) {
                int token = round % 2;
                assertEquals(-1, wait.tryTake());
                var releaser = CompletableFuture.runAsync(() -> tokens.release(token));
                int got;
                while ((got = wait.tryTake()) < 0) {
                    queue.poll(event -> assertEquals("token", event.attachment()), LONG);
                }
                assertEquals(token, got);
                releaser.join();
            }
        }
    }

    @Test
    void whoWantsNoMorePassesTheWakeOn() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        int token = tokens.tryTake();
        try (EventQueue queue = EventQueue.open(); TokenWait wait = tokens.waitIn(queue, "token")) {
            for (boolean polled : new boolean[] {false, true}) {
                assertEquals(-1, wait.tryTake());
                queue.poll(event -> {}, Duration.ZERO); // the queue stands first in line
                var taker = CompletableFuture.supplyAsync(() -> tokens.take(LONG));
                Peers.await("two waiters", () -> waiters() == 2);
                tokens.release(token);
                if (polled && !taker.isDone()) {
                    queue.poll(event -> {}, Duration.ZERO);
                }
                wait.cancel();
                assertEquals(token, taker.join());
            }
        }
        assertEquals(0, waiters());
    }

    @Test
    void whoGoesOnKeepsItsTokenWhileNobodyWaits() {
        JobTokens tokens = JobTokens.of(memory.segment(), 2);
        int token = tokens.take(LONG);
        for (int i = 0; i < 1000; i++) {
            assertEquals(token, tokens.next(token));
        }
        assertEquals(1, tokens.free());
        assertEquals(0, memory.segment().get(ValueLayout.JAVA_INT, 4), "wakes");
    }

    @Test
    void whoGoesOnLeavesTheTokenToOneWhoWaits() throws Exception {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        for (int round = 0; round < 20; round++) {
            int token = tokens.take(LONG);
            var other = CompletableFuture.supplyAsync(() -> tokens.take(LONG));
            Peers.await("a waiter", () -> waiters() == 1);
            while (token >= 0) {
                token = tokens.next(token);
            }
            assertEquals(0, (int) other.get(), "who waited has it");
            tokens.release(0);
        }
        assertEquals(0, waiters());
    }

    /** It is left to others about once in a millisecond, and not each time. */
    @Test
    void whoGoesOnDoesNotWakeForEachJob() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        int token = tokens.take(LONG);
        memory.segment().set(ValueLayout.JAVA_INT, 8, 1); // as one leaves it that was killed
        long begin = System.nanoTime();
        for (int i = 0; i < 100_000; i++) {
            assertEquals(token, tokens.next(token));
        }
        int wakes = memory.segment().get(ValueLayout.JAVA_INT, 4);
        long millis = (System.nanoTime() - begin) / 1_000_000;
        assertTrue(wakes >= 1 && wakes <= 2 + millis, wakes + " wakes in " + millis + " ms");
    }

    @Test
    void moreThreadsThanTokensNeverHoldMoreThanThereAre() throws Exception {
        int most = 3;
        JobTokens tokens = JobTokens.of(memory.segment(), most);
        AtomicInteger held = new AtomicInteger();
        AtomicInteger worst = new AtomicInteger();
        int rounds = Peers.FULL ? 200_000 : 5_000;
        Thread[] threads = new Thread[6];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int n = 0; n < rounds; n++) {
                    int token = tokens.take(null);
                    token = n % 2 == 0 ? tokens.next(token) : token;
                    if (token < 0) {
                        continue;
                    }
                    worst.accumulateAndGet(held.incrementAndGet(), Math::max);
                    held.decrementAndGet();
                    tokens.release(token);
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(worst.get() <= most, "held at once: " + worst);
        assertEquals(most, tokens.free());
        assertEquals(0, waiters());
    }

    @Test
    void waitersThatWereKilledAreForgottenAfterWakesInVain() {
        JobTokens tokens = JobTokens.of(memory.segment(), 1);
        memory.segment().set(ValueLayout.JAVA_INT, 8, 7); // as seven killed ones leave it
        for (int i = 0; i < 16; i++) {
            tokens.release(tokens.tryTake());
        }
        assertEquals(0, waiters());
    }

    @Test
    void wrongUseIsSaid() {
        JobTokens tokens = JobTokens.of(memory.segment(), 2);
        MemorySegment shortMemory = memory.segment().asSlice(0, 64);
        assertMessage("tokens is 0: expected 1 to", () -> JobTokens.of(memory.segment(), 0));
        assertMessage("tokens is 3: expected 2", () -> JobTokens.of(memory.segment(), 3));
        assertMessage("its first word is 0", () -> JobTokens.of(memory.segment().asSlice(1024)));
        assertMessage("not a free one", () -> tokens.release(1));
        assertMessage("token is 2: expected 0 to 1", () -> tokens.release(2));
        assertMessage("JobTokens.next: token is 1: expected one that this process holds",
                () -> tokens.next(1));
        assertMessage("JobTokens.next: token is -1: expected 0 to 1", () -> tokens.next(-1));
        assertMessage("timeout is PT-1S", () -> {
            tokens.tryTake();
            tokens.tryTake();
            tokens.take(Duration.ofSeconds(-1));
        });
        assertThrows(KeventException.class, () -> JobTokens.of(shortMemory, 2));
        assertThrows(KeventException.class, () -> JobTokens.of(memory.segment().asSlice(4), 2));
        assertThrows(KeventException.class, () -> JobTokens.of(MemorySegment.ofArray(new long[100]), 2));
    }

    private static void assertMessage(String part, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(part), message);
    }
}
