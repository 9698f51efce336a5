package dev.knote.sync;

import static dev.knote.words.Words.NEVER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mutexes in a set, by futex_waitv and by a queue. */
@Timeout(60)
class WaitSetMutexTest {
    private static final int DIRECTLY = 128;
    private static final int BY_QUEUE = 0;
    private static final Duration SOON = Duration.ofMillis(20);

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final SharedMutex mutex = SharedMutex.of(memory.segment(), 0);
    private final SharedEvent event = SharedEvent.auto(memory.segment(), SharedMutex.BYTES);

    @AfterEach
    void unmap() {
        memory.close();
    }

    private WaitSet open(int most) {
        WaitSet set = WaitSet.open(most, NEVER);
        set.add(mutex);
        set.add(event);
        return set;
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void a_mutex_is_taken_as_often_as_its_owner_wants_and_given_back_as_often(int most) throws Exception {
        try (WaitSet set = open(most)) {
            assertEquals(0, set.waitAny(null));
            assertEquals(0, set.waitAny(null));
            event.set();
            assertTrue(set.waitAll(Duration.ZERO));
            assertFalse(set.isAbandoned(0));
            assertFalse(set.waitAll(SOON), "the event is gone");
            for (int i = 0; i < 3; i++) {
                assertTrue(mutex.isOwner());
                assertEquals(SharedMutex.Outcome.BUSY, Waiter.start(mutex::tryLock).result());
                set.unlock(0);
            }
            assertFalse(mutex.isOwner());
            assertThrows(KeventException.class, () -> set.unlock(0));
            assertThrows(IllegalArgumentException.class, () -> set.unlock(1));
            mutex.lock();
            assertEquals(0, set.waitAny(null));
            set.unlock(0);
            assertTrue(mutex.isOwner(), "who had it before still has it");
            mutex.unlock();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void who_waits_gets_it_when_it_is_unlocked(int most) throws Exception {
        mutex.lock();
        Waiter<Integer> waiter = Waiter.start(() -> {
            try (WaitSet set = open(most)) {
                int index = set.waitAny(null);
                set.unlock(0);
                return index;
            }
        });
        Waiter.awaitSleepers(memory.segment());
        assertFalse(waiter.isDone());
        mutex.unlock();
        assertEquals(0, waiter.result());
        assertEquals(SharedMutex.Outcome.LOCKED, mutex.tryLock());
        mutex.unlock();
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void what_a_dead_owner_left_is_reported_and_not_lost_by_waiting_for_more(int most) throws Exception {
        Waiter<SharedMutex.Outcome> owner = Waiter.start(mutex::lock);
        owner.result();
        owner.thread.join();
        try (WaitSet set = open(most)) {
            assertFalse(set.waitAll(Duration.ofMillis(300)), "the event is missing");
            assertEquals(0, set.waitAny(Waiter.PATIENCE));
            assertTrue(set.isAbandoned(0));
            mutex.consistent();
            set.unlock(0);
            assertEquals(0, set.waitAny(Waiter.PATIENCE));
            assertFalse(set.isAbandoned(0));
            set.unlock(0);
        }
    }
}
