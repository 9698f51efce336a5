package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 10,000 virtual threads of another JVM wait for words on two carriers; this JVM and a C program change them. */
@Timeout(120)
class WordThreadsTest {
    private static final int THREADS = 10_000;
    private static final int ROUNDS = 6;

    @TempDir
    Path temp;

    @Test
    void allOfTenThousandHearOfEveryChangeOnTwoCarriers() throws Exception {
        var carriers = List.of("-Djdk.virtualThreadScheduler.parallelism=2",
                "-Djdk.virtualThreadScheduler.maxPoolSize=2");
        try (SharedMemory memory = SharedMemory.anonymous(WordThreads.BYTES);
                Changer waiters = Changer.jvm(temp, WordThreads.class, carriers, memory.path().toString(),
                        "" + THREADS, "" + ROUNDS)) {
            for (int round = 1; round <= ROUNDS; round++) {
                if (round % 2 == 0) {
                    sweepByC(memory, round);
                } else {
                    for (int line = 1; line <= WordThreads.WORDS; line++) {
                        WordFixture.change(memory.word32(line), round);
                    }
                }
                awaitCount(memory.word32(WordThreads.COUNT), round * THREADS, waiters);
            }
            waiters.join(Duration.ofSeconds(30));
            assertEquals("", waiters.said());
        }
    }

    private void sweepByC(SharedMemory memory, int round) throws Exception {
        try (Changer c = Changer.c(temp, memory.path().toString(), "sweep", "" + WordThreads.WORDS,
                "" + round)) {
            c.join(Duration.ofSeconds(20));
        }
    }

    /** The last of a round wakes. */
    private static void awaitCount(MemorySegment count, long expected, Changer waiters) throws Exception {
        long end = System.nanoTime() + 60_000_000_000L;
        for (long now = SharedMemory.load32(count); now != expected;) {
            if (!waiters.isAlive() || System.nanoTime() - end > 0) {
                fail(now + " of " + expected + " were woken; the other JVM said " + waiters.said());
            }
            try {
                now = MemoryWords.await(count, now, Duration.ofSeconds(1));
            } catch (TimeoutException stillNow) {
                continue;
            }
        }
    }
}
