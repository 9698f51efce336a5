package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Knote;
import dev.knote.filters.User;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each knote is triggered again when its event has been handled: none may be lost, none handled twice. */
@Timeout(300)
class PoolStressTest extends PoolFixture {
    private static final int KNOTES = 24;

    private final AtomicIntegerArray triggered = new AtomicIntegerArray(KNOTES);
    private final AtomicIntegerArray handled = new AtomicIntegerArray(KNOTES);
    private final AtomicInteger wrong = new AtomicInteger();

    @ParameterizedTest
    @ValueSource(strings = {"thrifty", "lifo", "fifo", "eager thrifty"})
    void noEventIsLostOrHandledTwiceWhateverHandlersAndSizesDo(String name) throws Exception {
        int rounds = Eventually.FULL ? 20_000 : 300;
        LeaderFollowers pool = start(options(1, 6).policy(policy(name)).bound(Duration.ofMillis(4))
                .keepIdle(Duration.ofMillis(3)));
        Knote[] knotes = new Knote[KNOTES];
        for (int i = 0; i < KNOTES; i++) {
            int me = i;
            knotes[i] = pool.register(User.of(i).clear(), event -> handle(me));
        }
        Thread[] triggers = new Thread[2];
        for (int t = 0; t < triggers.length; t++) {
            int mine = t;
            triggers[t] = Thread.ofPlatform().daemon().start(() -> trigger(knotes, mine, rounds));
        }
        for (Thread thread : triggers) {
            while (thread.isAlive()) {
                pool.resize(1, 1 + ThreadLocalRandom.current().nextInt(6));
                thread.join(1);
            }
        }
        assertEquals(0, wrong.get());
        for (int i = 0; i < KNOTES; i++) {
            assertEquals(rounds, handled.get(i), "knote " + i + ", " + pool.statistics());
        }
        PoolStatistics figures = pool.statistics();
        assertEquals(0, figures.wasted(), figures.toString());
        assertTrue(thrown.isEmpty(), thrown.toString());
    }

    private static Policy policy(String name) {
        return switch (name) {
            case "lifo" -> Policy.lifo();
            case "fifo" -> Policy.fifo();
            case "thrifty" -> Policy.thrifty();
            default -> Policy.thrifty(Duration.ofNanos(500), Duration.ofNanos(50_000), 4);
        };
    }

    private void handle(int i) {
        if (handled.get(i) != triggered.get(i) - 1) {
            wrong.incrementAndGet();
        }
        int kind = ThreadLocalRandom.current().nextInt(200);
        if (kind == 0) {
            LockSupport.parkNanos(200_000);
        } else if (kind < 5) {
            blockForAMoment();
        }
        handled.incrementAndGet(i);
    }

    private static void blockForAMoment() {
        try {
            LeaderFollowers.blocking(() -> {
                LockSupport.parkNanos(50_000);
                return null;
            });
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void trigger(Knote[] knotes, int first, int rounds) {
        for (int round = 1; round <= rounds; round++) {
            int now = round;
            for (int i = first; i < KNOTES; i += 2) {
                int knote = i;
                Eventually.await(() -> "knote " + knote + " round " + now,
                        () -> handled.get(knote) == triggered.get(knote));
                triggered.incrementAndGet(i);
                knotes[i].trigger();
            }
        }
        Eventually.await(() -> "the last events", () -> {
            boolean all = true;
            for (int i = first; i < KNOTES; i += 2) {
                all &= handled.get(i) == rounds;
            }
            return all;
        });
    }
}
