package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tokens among processes, some of which are killed while they hold or wait. */
@Timeout(300)
class TokenKillTest {
    private static final int TOKENS = 3;
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    private static Path temp;

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final String path = memory.path().toString();
    private JobTokens tokens;
    private Peers peers;

    @BeforeEach
    void open() {
        tokens = JobTokens.of(memory.segment(), TOKENS);
        peers = new Peers(temp);
    }

    @AfterEach
    void close() throws Exception {
        peers.close();
        memory.close();
    }

    /** Another JVM: takes by a queue, or holds one for ever. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            try (SharedMemory memory = SharedMemory.map(Path.of(arguments[0]));
                    EventQueue queue = EventQueue.open()) {
                JobTokens tokens = JobTokens.of(memory.segment());
                TokenWait wait = tokens.waitIn(queue, "token");
                int rounds = Integer.parseInt(arguments[1]);
                int token = -1;
                for (int i = 0; rounds == 0 || i < rounds; i++) {
                    while (token < 0 && (token = wait.tryTake()) < 0) {
                        queue.poll(event -> {}, null);
                    }
                    if (i % 3 > 0 && i != rounds - 1) {
                        token = tokens.next(token);
                    } else {
                        tokens.release(token);
                        token = -1;
                    }
                }
                wait.close();
            }
        }
    }

    private void assertAllThere() {
        Peers.await("all tokens", () -> {
            tokens.recover();
            return tokens.free() == TOKENS;
        });
        for (int i = 0; i < TOKENS; i++) {
            assertTrue(tokens.tryTake() >= 0);
        }
        assertEquals(-1, tokens.tryTake());
    }

    @Test
    void processesOfBothKindsTakeTheirTurnsToTheEnd() throws Exception {
        List<Process> all = new ArrayList<>();
        int rounds = Peers.FULL ? 200_000 : 3_000;
        for (int i = 0; i < 4; i++) {
            all.add(peers.c("tokens", path, "" + rounds, "50"));
        }
        all.add(peers.jvm(Child.class, path, "" + rounds));
        for (Process process : all) {
            Peers.awaitSuccess(process);
        }
        assertEquals(0, tokens.lost());
        assertEquals(0, memory.segment().get(ValueLayout.JAVA_INT, 8) & 0xffff, "waiters");
        assertAllThere();
    }

    @Test
    void whatAKilledHolderHeldIsTakenBackAndReported() throws Exception {
        Process holder = peers.c("tokens", path, "0", "100000000");
        for (int i = 0; i < TOKENS - 1; i++) {
            tokens.take(LONG);
        }
        Peers.await("the holder", () -> tokens.free() == 0);
        Peers.kill(holder);
        assertEquals(1, tokens.recover());
        assertEquals(1, tokens.lost());
        assertTrue(tokens.tryTake() >= 0);
        assertEquals(0, tokens.recover());
    }

    @Test
    void whoWaitsGetsTheTokenOfAKilledHolderThoughNobodyRecovers() throws Exception {
        Process holder = peers.c("tokens", path, "0", "100000000");
        for (int i = 0; i < TOKENS - 1; i++) {
            tokens.take(LONG);
        }
        Peers.await("the holder", () -> tokens.free() == 0);
        holder.destroyForcibly();
        assertTrue(tokens.take(LONG) >= 0);
        assertEquals(1, tokens.lost());
    }

    @Test
    void aTokenOfTheSamePidInAnEarlierLifeIsTakenBack() {
        long other = Holder.SELF - (1L << Holder.PID_BITS);
        memory.segment().set(ValueLayout.JAVA_LONG, 64, other);
        assertEquals(1, tokens.recover());
        assertEquals(1, tokens.lost());
        assertEquals(TOKENS, tokens.free());
    }

    @Test
    void tokensOfTheLivingAreNotTakenBack() throws Exception {
        Process holder = peers.c("tokens", path, "0", "100000000");
        int mine = tokens.take(LONG);
        Peers.await("the holder", () -> tokens.free() == TOKENS - 2);
        for (int i = 0; i < 100; i++) {
            assertEquals(0, tokens.recover());
        }
        assertTrue(holder.isAlive());
        tokens.release(mine);
    }

    @Test
    void theLivingGoOnWhileOthersAreKilledAnywhere() throws Exception {
        int kills = Peers.FULL ? 2_000 : 60;
        List<Process> living = new ArrayList<>();
        long begin = System.nanoTime();
        for (int i = 0; i < 2; i++) {
            living.add(peers.c("tokens", path, "0", "200"));
        }
        Process queued = peers.jvm(Child.class, path, "0");
        for (int i = 0; i < kills; i++) {
            Process victim = peers.c("tokens", path, "0", i % 2 == 0 ? "2000" : "20");
            Process other = peers.c("tokens", path, "0", "20");
            victim.waitFor(ThreadLocalRandom.current().nextInt(15_000), TimeUnit.MICROSECONDS);
            Peers.kill(victim);
            Peers.kill(other);
            int token = tokens.take(LONG);
            assertTrue(token >= 0, "no token after kill " + i);
            tokens.release(token);
            if (!Peers.FULL && System.nanoTime() - begin > 4_000_000_000L) {
                break;
            }
        }
        for (Process process : living) {
            assertTrue(process.isAlive());
            Peers.kill(process);
        }
        assertTrue(queued.isAlive());
        Peers.kill(queued);
        assertAllThere();
    }

    @Test
    void aWaiterThatWasWokenAndKilledTakesNothingWithIt() throws Exception {
        int rounds = Peers.FULL ? 300 : 8;
        int[] mine = new int[TOKENS];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < TOKENS; i++) {
                mine[i] = tokens.take(LONG);
                assertTrue(mine[i] >= 0, "token " + i + " in round " + round);
            }
            Process first = peers.c("tokens", path, "0", "20");
            Peers.await("the first waiter", () -> waiters() >= 1);
            int before = waiters();
            Process second = peers.c("tokens", path, "1", "20");
            Peers.await("the second waiter", () -> waiters() > before);
            first.destroyForcibly();
            tokens.release(mine[0]); // may be lost with the first
            Peers.kill(first);
            if (tokens.holderPid(mine[0]) == first.pid()) {
                tokens.recover();
            }
            Peers.awaitSuccess(second);
            tokens.release(mine[1]);
            tokens.release(mine[2]);
        }
        assertAllThere();
    }

    private int waiters() {
        return memory.segment().get(ValueLayout.JAVA_INT, 8) & 0xffff;
    }
}
