package dev.knote.sync;

import static dev.knote.words.Words.NEVER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.words.Words;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a set promises within a process, by futex_waitv and by a queue. */
@Timeout(60)
class WaitSetTest {
    private static final int DIRECTLY = 128;
    private static final int BY_QUEUE = 0;
    private static final Duration SOON = Duration.ofMillis(20);
    private static final int WORDS = 2000;

    private final SharedMemory memory = SharedMemory.anonymous((long) WORDS * SharedMemory.LINE);

    @AfterEach
    void unmap() {
        memory.close();
    }

    private static WaitSet open(int most) {
        return WaitSet.open(most, NEVER);
    }

    private SharedEvent auto(int i) {
        return SharedEvent.auto(memory.segment(), (long) i * SharedMemory.LINE);
    }

    private SharedEvent manual(int i) {
        return SharedEvent.manual(memory.segment(), (long) i * SharedMemory.LINE);
    }

    private SharedSemaphore semaphore(int i) {
        return SharedSemaphore.of(memory.segment(), (long) i * SharedMemory.LINE);
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void the_lowest_index_is_taken_first_and_taken_means_gone(int most) {
        try (WaitSet set = open(most)) {
            SharedEvent[] events = {auto(0), auto(1), auto(2)};
            SharedSemaphore semaphore = semaphore(3);
            for (SharedEvent event : events) {
                set.add(event);
            }
            assertEquals(3, set.add(semaphore));
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            assertEquals(0, semaphore.release(2));
            assertTrue(events[2].set());
            assertTrue(events[0].set());
            assertFalse(events[0].set(), "set twice is set once");
            assertEquals(0, set.waitAny(null));
            assertFalse(events[0].isSet());
            assertTrue(events[1].set());
            assertEquals(1, set.waitAny(Duration.ZERO));
            assertEquals(2, set.waitAny(null));
            assertEquals(3, set.waitAny(null));
            assertEquals(1, semaphore.units());
            assertEquals(3, set.waitAny(null));
            assertEquals(0, semaphore.units());
            assertEquals(WaitSet.TIMEOUT, set.waitAny(Duration.ZERO));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void a_manual_event_and_a_word_stay_available_until_they_are_not(int most) {
        try (WaitSet set = open(most)) {
            MemorySegment word = memory.word32(0);
            SharedEvent event = manual(1);
            set.add(word, 0);
            set.add(event);
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            event.set();
            assertEquals(1, set.waitAny(null));
            assertEquals(1, set.waitAny(null));
            Words.set(word, 5);
            Words.wake(word, Integer.MAX_VALUE);
            assertEquals(0, set.waitAny(null));
            set.expect(0, 5);
            assertEquals(1, set.waitAny(null));
            assertTrue(event.reset());
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            Words.set(word, 6);
            Words.wake(word, 1);
            assertEquals(0, set.waitAny(null));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void a_sleeper_is_woken_by_each_kind_again_and_again(int most) throws Exception {
        SharedEvent auto = auto(0);
        SharedEvent manual = manual(1);
        SharedSemaphore semaphore = semaphore(2);
        MemorySegment word = memory.word32(3);
        MemorySegment answer = memory.word32(4);
        int rounds = 200;
        Waiter<Void> waiter = Waiter.start(() -> {
            try (WaitSet set = open(most)) {
                set.add(auto);
                set.add(manual);
                set.add(semaphore);
                set.add(word, 0);
                for (int i = 0; i < rounds; i++) {
                    int index = set.waitAny(null);
                    if (index == 1) {
                        manual.reset();
                    } else if (index == 3) {
                        set.expect(3, Words.get(word));
                    }
                    Words.set(answer, i * 4 + index + 1);
                }
                return null;
            }
        });
        Random random = new Random(1);
        for (int i = 0; i < rounds; i++) {
            int which = random.nextInt(4);
            switch (which) {
                case 0 -> auto.set();
                case 1 -> manual.set();
                case 2 -> semaphore.release(1);
                default -> {
                    Words.add(word, 1);
                    Words.wake(word, 1);
                }
            }
            int expected = i * 4 + which + 1;
            Waiter.await("answer " + expected, () -> Words.get(answer) == expected);
        }
        waiter.result();
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void a_timeout_is_waited_for_and_not_much_longer(int most) {
        try (WaitSet set = open(most)) {
            set.add(auto(0));
            set.add(auto(1));
            long begin = System.nanoTime();
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            assertFalse(set.waitAll(SOON));
            long took = System.nanoTime() - begin;
            assertTrue(took >= 2 * SOON.toNanos() && took < Waiter.PATIENCE.toNanos(), took + " ns");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void an_interrupt_does_not_end_a_wait_and_is_not_forgotten(int most) throws Exception {
        SharedEvent event = auto(0);
        Waiter<Boolean> waiter = Waiter.start(() -> {
            try (WaitSet set = open(most)) {
                set.add(event);
                set.add(auto(1));
                Thread.currentThread().interrupt();
                assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
                Words.set(memory.word32(2), 1);
                assertEquals(0, set.waitAny(null));
                return Thread.currentThread().isInterrupted();
            }
        });
        Waiter.await("a wait that ended in time", () -> Words.get(memory.word32(2)) == 1);
        waiter.thread.interrupt();
        event.set();
        assertTrue(waiter.result());
    }

    @Test
    void all_are_taken_or_none() {
        try (WaitSet set = open(DIRECTLY)) {
            SharedEvent auto = auto(0);
            SharedEvent manual = manual(1);
            SharedSemaphore semaphore = semaphore(2);
            MemorySegment word = memory.word32(3);
            set.add(auto);
            set.add(manual);
            set.add(semaphore);
            set.add(word, 0);
            auto.set();
            semaphore.release(2);
            manual.set();
            assertFalse(set.waitAll(SOON), "the word is missing");
            assertTrue(auto.isSet());
            assertEquals(2, semaphore.units());
            Words.set(word, 1);
            assertTrue(set.waitAll(Duration.ZERO));
            assertFalse(auto.isSet());
            assertTrue(manual.isSet());
            assertEquals(1, semaphore.units());
            assertFalse(set.waitAll(Duration.ZERO));
            assertEquals(1, semaphore.units());
        }
    }

    @Test
    void who_is_woken_for_one_and_waits_for_all_wakes_the_next_one() throws Exception {
        for (int i = 0; i < 10; i++) {
            SharedSemaphore first = semaphore(2 * i);
            SharedSemaphore second = semaphore(2 * i + 1);
            Waiter<Boolean> all = Waiter.start(() -> {
                try (WaitSet set = open(DIRECTLY)) {
                    set.add(second);
                    set.add(first);
                    return set.waitAll(null);
                }
            });
            Waiter.awaitSleepers(memory.word32(2 * i));
            all.awaitAsleep();
            Waiter<Integer> any = Waiter.start(() -> {
                try (WaitSet set = open(DIRECTLY)) {
                    set.add(first);
                    return set.waitAny(null);
                }
            });
            any.awaitAsleep();
            first.release(1);
            assertEquals(0, any.result());
            second.release(1);
            first.release(1);
            assertTrue(all.result());
        }
    }

    @Test
    void what_was_taken_is_given_back_when_another_is_gone_by_then() {
        SharedSemaphore semaphore = semaphore(0);
        SharedEvent event = auto(1);
        SharedMutex mutex = SharedMutex.of(memory.segment(), 2L * SharedMemory.LINE);
        semaphore.release(1);
        event.set();
        Waitable[] members = {semaphore, new Fleeting(memory.word32(3)), event, new MutexMember(mutex)};
        assertFalse(new AllWait(members).await(Words.deadline(0), NEVER));
        assertEquals(1, semaphore.units());
        assertTrue(event.isSet());
        assertFalse(mutex.isOwner());
    }

    /** Is always there until somebody wants to take it. */
    private static final class Fleeting extends Waitable {
        Fleeting(MemorySegment word) {
            super(word);
        }

        @Override
        boolean isAvailable() {
            return true;
        }

        @Override
        boolean take() {
            return false;
        }

        @Override
        void giveBack() {
            throw new AssertionError("it was not taken");
        }

        @Override
        long prepare(boolean kept) {
            return AVAILABLE;
        }

        @Override
        boolean keep() {
            return false;
        }

        @Override
        void leave() {}

        @Override
        void passOn() {}

        @Override
        boolean isConsumed() {
            return false;
        }

        @Override
        int rank() {
            return 3;
        }
    }

    @Test
    void waiting_for_all_ends_when_the_last_one_of_a_thousand_comes() throws Exception {
        int n = 1000;
        Waiter<Boolean> waiter = Waiter.start(() -> {
            try (WaitSet set = open(DIRECTLY)) {
                for (int i = 0; i < n; i++) {
                    set.add(auto(i));
                }
                return set.waitAll(Waiter.PATIENCE);
            }
        });
        for (int i = n; i-- > 1;) {
            auto(i).set();
        }
        Waiter.awaitSleepers(memory.word32(0));
        assertFalse(waiter.isDone());
        auto(0).set();
        assertTrue(waiter.result());
        for (int i = 0; i < n; i++) {
            assertFalse(auto(i).isSet(), "event " + i);
        }
    }

    @Test
    void one_of_two_thousand_of_all_kinds_is_found() throws Exception {
        Random random = new Random(2);
        try (WaitSet set = WaitSet.open()) {
            for (int i = 0; i < WORDS; i++) {
                switch (i % 4) {
                    case 0 -> set.add(memory.word32(i), 0);
                    case 1 -> set.add(auto(i));
                    case 2 -> set.add(semaphore(i));
                    default -> set.add(manual(i));
                }
            }
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            for (int round = 0; round < 300; round++) {
                int i = random.nextInt(WORDS);
                Waiter<Void> setter = Waiter.start(() -> {
                    makeAvailable(i);
                    return null;
                });
                assertEquals(i, set.waitAny(Waiter.PATIENCE));
                setter.result();
                if (i % 4 == 0) {
                    set.expect(i, Words.get(memory.word32(i)));
                } else if (i % 4 == 3) {
                    manual(i).reset();
                }
            }
            assertEquals(WaitSet.TIMEOUT, set.waitAny(Duration.ZERO));
        }
    }

    private void makeAvailable(int i) {
        switch (i % 4) {
            case 0 -> {
                Words.add(memory.word32(i), 1);
                Words.wake(memory.word32(i), 1);
            }
            case 1 -> auto(i).set();
            case 2 -> semaphore(i).release(1);
            default -> manual(i).set();
        }
    }

    @Test
    void a_set_that_does_not_wait_keeps_no_wake_from_one_that_does() throws Exception {
        SharedEvent event = auto(0);
        int rounds = 100;
        try (WaitSet idle = open(BY_QUEUE)) {
            idle.add(event);
            idle.add(auto(1));
            assertEquals(WaitSet.TIMEOUT, idle.waitAny(SOON));
            for (int most : new int[] {DIRECTLY, BY_QUEUE}) {
                Waiter<Integer> waiter = Waiter.start(() -> {
                    int taken = 0;
                    try (WaitSet set = open(most)) {
                        set.add(event);
                        set.add(auto(2));
                        while (taken < rounds && set.waitAny(null) == 0) {
                            taken++;
                        }
                    }
                    return taken;
                });
                for (int i = 0; i < rounds; i++) {
                    event.set();
                    Waiter.await("a take", () -> !event.isSet());
                }
                assertEquals(rounds, waiter.result());
            }
            assertEquals(WaitSet.TIMEOUT, idle.waitAny(SOON));
            event.set();
            assertEquals(0, idle.waitAny(null));
        }
        assertEquals(0, Words.get(memory.word32(0)) & Flagged.KEEPER, "nobody keeps it any more");
    }

    @Test
    void what_nobody_waits_for_any_more_costs_no_wake() throws Exception {
        SharedEvent event = auto(0);
        try (WaitSet set = open(DIRECTLY)) {
            set.add(event);
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
        }
        event.set();
        assertEquals(1, Words.get(memory.word32(0)), "the flag of sleepers is gone");
    }

    @Test
    void wrong_use_is_told() {
        MemorySegment segment = memory.segment();
        assertThrows(KeventException.class, () -> SharedEvent.auto(segment, 2));
        assertThrows(KeventException.class, () -> SharedSemaphore.of(segment, segment.byteSize()));
        assertThrows(KeventException.class, () -> SharedEvent.manual(MemorySegment.ofArray(new int[1]), 0));
        assertThrows(IllegalArgumentException.class, () -> semaphore(0).release(0));
        semaphore(0).release(SharedSemaphore.MOST);
        var tooMany = assertThrows(KeventException.class, () -> semaphore(0).release(1));
        assertTrue(tooMany.getMessage().contains("units is 1"), tooMany.getMessage());
        WaitSet set = WaitSet.open();
        assertThrows(IllegalStateException.class, () -> set.waitAny(Duration.ZERO));
        set.add(auto(1));
        var twice = assertThrows(IllegalArgumentException.class, () -> set.add(memory.word32(1), 0));
        assertTrue(twice.getMessage().contains("at index 0"), twice.getMessage());
        assertThrows(IllegalArgumentException.class, () -> set.expect(0, 1));
        assertThrows(IllegalArgumentException.class, () -> set.expect(1, 1));
        assertThrows(IllegalArgumentException.class, () -> set.waitAny(Duration.ofNanos(-1)));
        set.close();
        assertThrows(IllegalStateException.class, () -> set.waitAny(Duration.ZERO));
        assertThrows(IllegalStateException.class, () -> set.add(auto(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRECTLY, BY_QUEUE})
    void memory_that_was_closed_is_told(int most) {
        Arena arena = Arena.ofShared();
        try (WaitSet set = open(most)) {
            set.add(auto(0));
            set.add(SharedEvent.auto(arena.allocate(4, 4), 0));
            assertEquals(WaitSet.TIMEOUT, set.waitAny(SOON));
            arena.close();
            assertThrows(RuntimeException.class, () -> set.waitAny(Duration.ofSeconds(10)));
        }
    }
}
