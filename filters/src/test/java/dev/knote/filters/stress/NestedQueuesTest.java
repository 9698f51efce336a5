package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A queue in a queue in a queue: what happens in the innermost is seen at the top, and the levels between say so. */
@Timeout(600)
class NestedQueuesTest {
    private static final int SOURCES = 2;
    private static final Duration NONE = Duration.ZERO;

    @Test
    void everythingThatHappensThreeLevelsBelowIsSeenAtTheTop() throws Exception {
        int rounds = StressSize.of(300_000, 3_000);
        Resources resources = new Resources();
        AtomicLongArray said = new AtomicLongArray(SOURCES);
        AtomicLongArray answered = new AtomicLongArray(SOURCES);
        AtomicLong seen = new AtomicLong();
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                EventQueue top = EventQueue.open();
                EventQueue middle = EventQueue.open();
                EventQueue bottom = EventQueue.open();
                Crew crew = new Crew(() -> "said " + said + ", answered " + answered + ", seen " + seen)) {
            top.register(Read.of(middle.fd()), null);
            middle.register(Read.of(bottom.fd()), null);
            Knote user = bottom.register(User.of(1).clear(), 0);
            bottom.register(UserMem.int32(memory.word32(0), 0), 1);
            for (int i = 0; i < SOURCES; i++) {
                int source = i;
                crew.start("source " + i, () -> {
                    for (long n = 1; n <= rounds; n++) {
                        long now = n;
                        said.set(source, n);
                        if (source == 0) {
                            user.trigger();
                        } else {
                            Words.wake(memory.word32(0), 1);
                        }
                        crew.await("the event " + n, () -> answered.get(source) >= now);
                    }
                });
            }
            long end = SOURCES * (long) rounds;
            while (seen.get() < end && !crew.hasFailed()) {
                if (top.poll(event -> assertTrue(event.data() > 0, "events pending"),
                        Duration.ofSeconds(1)) > 0) {
                    middle.poll(event -> assertTrue(event.data() > 0, "events pending"), NONE);
                    bottom.poll(event -> {
                        int source = (Integer) event.attachment();
                        seen.incrementAndGet();
                        answered.set(source, said.get(source));
                    }, NONE);
                }
            }
            crew.join(StressSize.PATIENCE);
        }
        resources.checkReturned();
    }
}
