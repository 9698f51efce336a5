package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each waker goes on only when its wake has become an event: one that is lost stops it for good. */
@Timeout(1800)
class TriggerTest {
    /** Wakers 0 to 2 are threads of this process, 3 is another process. */
    private static final int WAKERS = 4;
    private static final int LOCAL = 3;
    private static final Duration TICK = Duration.ofSeconds(1);

    private final Resources resources = new Resources();

    @AfterEach
    void compare() {
        resources.checkReturned();
    }

    /** 8 times 4 wakers: ten million wakes in a full run. */
    @ParameterizedTest(name = "single owner {0}, one-shot {1}, value changes {2}")
    @CsvSource({"false,false,false", "false,false,true", "false,true,false", "false,true,true",
            "true,false,false",
            "true,false,true", "true,true,false", "true,true,true"})
    void noWakeIsLost(boolean owner, boolean oneShot, boolean changes) throws Exception {
        long wakes = StressSize.of(312_500, 1_000);
        Options options = owner ? Options.defaults().singleOwner() : Options.defaults();
        long[] events = new long[WAKERS];
        Process process = null;
        try (SharedMemory memory = SharedMemory.anonymous(Waker.BYTES);
                EventQueue queue = EventQueue.open(options);
                Crew crew = new Crew(() -> state(memory))) {
            for (int i = 0; i < WAKERS; i++) {
                register(queue, memory, i, oneShot);
            }
            process = Waker.start(memory, LOCAL, wakes, changes);
            for (int i = 0; i < LOCAL; i++) {
                Waker waker = new Waker(memory, i, changes);
                crew.start("waker " + i, () -> {
                    for (long n = 1; n <= wakes; n++) {
                        waker.exchange(n, crew::hasFailed);
                    }
                });
            }
            long quietSince = System.nanoTime();
            while (!allAnswered(memory, wakes)) {
                int n = queue.poll(event -> {
                    int i = (Integer) event.attachment();
                    events[i]++;
                    if (oneShot) {
                        register(queue, memory, i, true);
                    }
                    Waker.answer(memory, i);
                }, TICK);
                long now = System.nanoTime();
                quietSince = n > 0 ? now : quietSince;
                assertTrue(now - quietSince < StressSize.PATIENCE.toNanos(),
                        () -> "a wake was lost: " + state(memory));
            }
            crew.join(StressSize.PATIENCE);
            assertEquals(0, process.waitFor(), "exit status of the other process");
            for (int i = 0; i < WAKERS; i++) {
                if (changes) {
                    assertTrue(events[i] >= wakes, events[i] + " events of waker " + i);
                } else {
                    assertEquals(wakes, events[i], "events of waker " + i + ", each of whose wakes is one");
                }
            }
        } finally {
            if (process != null) {
                process.destroyForcibly().waitFor();
            }
        }
    }

    @ParameterizedTest(name = "single owner {0}")
    @ValueSource(booleans = {false, true})
    void noTriggerOfAUserEventIsLost(boolean owner) throws Exception {
        long triggers = StressSize.of(1_000_000, 5_000);
        AtomicLongArray said = new AtomicLongArray(WAKERS);
        AtomicLongArray answered = new AtomicLongArray(WAKERS);
        Options options = owner ? Options.defaults().singleOwner() : Options.defaults();
        try (EventQueue queue = EventQueue.open(options);
                Crew crew = new Crew(() -> "said " + said + ", answered " + answered)) {
            Knote[] knotes = new Knote[WAKERS];
            for (int i = 0; i < WAKERS; i++) {
                knotes[i] = queue.register(User.of(i).clear(), i);
                int index = i;
                crew.start("trigger " + i, () -> {
                    for (long n = 1; n <= triggers; n++) {
                        long now = n;
                        said.set(index, n);
                        knotes[index].trigger();
                        crew.await("the event " + n, () -> answered.get(index) >= now);
                    }
                });
            }
            long events = 0;
            while (events < WAKERS * triggers && !crew.hasFailed()) {
                events += queue.poll(event -> {
                    int i = (Integer) event.attachment();
                    answered.set(i, said.get(i));
                }, TICK);
            }
            crew.join(StressSize.PATIENCE);
            assertEquals(WAKERS * triggers, events);
            assertEquals(0, queue.poll(event -> {}, Duration.ZERO), "events left");
        }
    }

    private static void register(EventQueue queue, SharedMemory memory, int i, boolean oneShot) {
        Interest interest = UserMem.int32(memory.word32(i), SharedMemory.load32(memory.word32(i)));
        queue.register(oneShot ? interest.oneShot() : interest, i);
    }

    private static boolean allAnswered(SharedMemory memory, long wakes) {
        for (int i = 0; i < WAKERS; i++) {
            if (SharedMemory.load64(memory.word64(i + Waker.ANSWERED)) < wakes) {
                return false;
            }
        }
        return true;
    }

    private static String state(SharedMemory memory) {
        long[] said = new long[WAKERS];
        long[] answered = new long[WAKERS];
        for (int i = 0; i < WAKERS; i++) {
            said[i] = SharedMemory.load64(memory.word64(i + Waker.SAID));
            answered[i] = SharedMemory.load64(memory.word64(i + Waker.ANSWERED));
        }
        return "said " + Arrays.toString(said) + ", answered " + Arrays.toString(answered);
    }
}
