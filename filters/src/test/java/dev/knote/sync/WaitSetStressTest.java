package dev.knote.sync;

import static dev.knote.words.Words.NEVER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.knote.SharedMemory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many who wait for the same. Nobody looks again by himself here: a wake that is lost, or stays with one who does not
 * take, leaves something that nobody takes, and is seen.
 */
@Timeout(1200)
class WaitSetStressTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int DIRECTLY = 128;
    private static final int BY_QUEUE = 0;
    private static final int EACH = 3;
    private static final int TAKERS = 6;

    private final SharedMemory memory = SharedMemory.anonymous(64L * SharedMemory.LINE);
    private final List<SharedSemaphore> semaphores = new ArrayList<>();
    private final List<SharedEvent> events = new ArrayList<>();
    /** How many bursts are over. */
    private final AtomicInteger over = new AtomicInteger();
    private final SharedEvent stop = SharedEvent.manual(memory.segment(), 63L * SharedMemory.LINE);

    WaitSetStressTest() {
        for (int i = 0; i < EACH; i++) {
            semaphores.add(SharedSemaphore.of(memory.segment(), (long) i * SharedMemory.LINE));
            events.add(SharedEvent.auto(memory.segment(), (long) (EACH + i) * SharedMemory.LINE));
        }
    }

    @AfterEach
    void unmap() {
        memory.close();
    }

    @Test
    void each_unit_and_each_set_of_an_event_is_taken_once() throws Exception {
        int bursts = FULL ? 200_000 : 1500;
        AtomicLong taken = new AtomicLong();
        List<Waiter<Void>> takers = new ArrayList<>();
        for (int i = 0; i < TAKERS; i++) {
            int most = i % 2 == 0 ? DIRECTLY : BY_QUEUE;
            int seed = i;
            boolean slow = i < TAKERS / 2;
            takers.add(Waiter.start(() -> take(most, new Random(seed), taken, slow)));
        }
        Random random = new Random(7);
        long made = 0;
        for (int burst = 0; burst < bursts; burst++) {
            for (int i = random.nextInt(8); i >= 0; i--) {
                made += make(random);
            }
            long expected = made;
            int number = burst;
            Waiter.await("burst " + number + " of what is taken", () -> taken.get() == expected);
            over.incrementAndGet();
        }
        stop.set();
        over.set(Integer.MAX_VALUE);
        for (Waiter<Void> taker : takers) {
            taker.result();
        }
        assertEquals(made, taken.get());
        semaphores.forEach(semaphore -> assertEquals(0, semaphore.units()));
        events.forEach(event -> assertFalse(event.isSet()));
    }

    private long make(Random random) {
        int i = random.nextInt(EACH);
        if (random.nextBoolean()) {
            return events.get(i).set() ? 1 : 0;
        }
        int units = 1 + random.nextInt(3);
        semaphores.get(i).release(units);
        return units;
    }

    /** @param slow takes nothing more in a burst: the wakes that were counted for it are for others then */
    private Void take(int most, Random random, AtomicLong taken, boolean slow) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 2 * EACH; i++) {
            order.add(i);
        }
        Collections.shuffle(order, random);
        try (WaitSet set = WaitSet.open(most, NEVER)) {
            for (int i : order) {
                int ignored = i < EACH ? set.add(events.get(i)) : set.add(semaphores.get(i - EACH));
            }
            int end = set.add(stop);
            while (set.waitAny(null) != end) {
                int now = over.get();
                taken.incrementAndGet();
                while (slow && over.get() == now) {
                    Thread.yield();
                }
            }
            return null;
        }
    }

    @Test
    void all_of_several_are_taken_by_one_at_a_time_and_everybody_comes_through() throws Exception {
        int rounds = FULL ? 200_000 : 1500;
        int[] guarded = new int[EACH + 1];
        semaphores.forEach(semaphore -> semaphore.release(1));
        List<Waiter<int[]>> takers = new ArrayList<>();
        for (int i = 0; i < TAKERS; i++) {
            int seed = i;
            takers.add(Waiter.start(() -> takeAll(new Random(seed), rounds, guarded)));
        }
        int[] expected = new int[guarded.length];
        for (Waiter<int[]> taker : takers) {
            int[] counts = taker.result(FULL ? 600 : 60);
            for (int i = 0; i < counts.length; i++) {
                expected[i] += counts[i];
            }
        }
        for (int i = 0; i < guarded.length; i++) {
            assertEquals(expected[i], guarded[i], "what number " + i + " guards");
        }
        semaphores.forEach(semaphore -> assertEquals(1, semaphore.units()));
    }

    /** Two of them each time, or one by waitAny, who is the thief that makes the others give back. */
    private int[] takeAll(Random random, int rounds, int[] guarded) {
        int[] counts = new int[guarded.length];
        int first = random.nextInt(EACH);
        int second = (first + 1 + random.nextInt(EACH - 1)) % EACH;
        SharedMutex mutex = SharedMutex.of(memory.segment(), 40L * SharedMemory.LINE);
        try (WaitSet both = WaitSet.open(DIRECTLY, NEVER); WaitSet one = WaitSet.open(DIRECTLY, NEVER)) {
            both.add(semaphores.get(first));
            both.add(semaphores.get(second));
            int locked = both.add(mutex);
            one.add(semaphores.get(second));
            for (int i = 0; i < rounds; i++) {
                if (random.nextInt(4) == 0) {
                    one.waitAny(null);
                    guarded[second]++;
                    counts[second]++;
                    semaphores.get(second).release(1);
                } else {
                    both.waitAll(null);
                    if (i % 8 == 0) {
                        Thread.yield();
                    }
                    for (int k : new int[] {first, second, EACH}) {
                        guarded[k]++;
                        counts[k]++;
                    }
                    both.unlock(locked);
                    semaphores.get(first).release(1);
                    semaphores.get(second).release(1);
                }
            }
        }
        return counts;
    }
}
