package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Other processes change words in the pool's queue, and are killed. */
@Timeout(120)
class PoolProcessTest extends PoolFixture {
    private static final int WORDS = 16;

    @TempDir
    Path directory;

    private final AtomicIntegerArray seen = new AtomicIntegerArray(WORDS);

    @Test
    void theLastValueOfEachWordThatACProgramChangesIsSeen() throws Exception {
        try (SharedMemory memory = words(); LeaderFollowers pool = pool(memory)) {
            Process waker = new ProcessBuilder(waker()).redirectErrorStream(true).start();
            finish(waker);
            checkAllSeen(memory, pool);
        }
    }

    @Test
    void theLastValueOfEachWordThatAnotherJvmChangesIsSeen() throws Exception {
        try (SharedMemory memory = words(); LeaderFollowers pool = pool(memory)) {
            finish(new ProcessBuilder(jvm()).redirectErrorStream(true).start());
            checkAllSeen(memory, pool);
        }
    }

    /** Killed between a change and its wake, it takes that wake with it, and no more. */
    @Test
    void whoIsKilledTakesNoWakeWithHimButHisLast() throws Exception {
        List<String> command = waker();
        command.set(3, "1000000000");
        try (SharedMemory memory = words(); LeaderFollowers pool = pool(memory)) {
            for (int kill = 0; kill < (Eventually.FULL ? 200 : 8); kill++) {
                int before = SharedMemory.load32(memory.word32(0));
                Process waker = new ProcessBuilder(command).start();
                Eventually.await(() -> "changes", () -> SharedMemory.load32(memory.word32(0)) > before + 10);
                LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(3_000_000));
                waker.destroyForcibly();
                assertTrue(waker.waitFor(20, TimeUnit.SECONDS));
                Eventually.await(() -> unseen(memory) + " words are behind, " + pool.statistics(),
                        () -> unseen(memory) <= 1);
                for (int i = 0; i < WORDS; i++) {
                    queue.wake(memory.word32(i), 1);
                }
                checkAllSeen(memory, pool);
            }
        }
    }

    private SharedMemory words() throws Exception {
        Files.write(directory.resolve("words"), new byte[4096]);
        return SharedMemory.map(directory.resolve("words"));
    }

    private LeaderFollowers pool(SharedMemory memory) {
        LeaderFollowers pool = start(options(1, 4).policy(
                Policy.thrifty(Duration.ofNanos(2000), Duration.ofNanos(50_000), 4)));
        for (int i = 0; i < WORDS; i++) {
            int me = i;
            pool.register(UserMem.int32(memory.word32(i), 0), event -> seen.set(me, (int) event.data()));
        }
        return pool;
    }

    private int unseen(SharedMemory memory) {
        int behind = 0;
        for (int i = 0; i < WORDS; i++) {
            behind += seen.get(i) == SharedMemory.load32(memory.word32(i)) ? 0 : 1;
        }
        return behind;
    }

    private void checkAllSeen(SharedMemory memory, LeaderFollowers pool) {
        Eventually.await(() -> seen + ", " + pool.statistics(), () -> unseen(memory) == 0);
        assertEquals(0, pool.statistics().wasted());
    }

    private static void finish(Process process) throws Exception {
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
    }

    /** The C program, built: PROGRAM FILE WORDS ROUNDS. */
    private List<String> waker() throws Exception {
        assumeTrue(List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(place -> Files.isExecutable(Path.of(place, "gcc"))), "no gcc here");
        Path source = directory.resolve("waker.c");
        try (var in = PoolProcessTest.class.getResourceAsStream("waker.c")) {
            Files.write(source, in.readAllBytes());
        }
        String program = directory.resolve("waker").toString();
        finish(new ProcessBuilder("gcc", "-O1", "-o", program, source.toString()).redirectErrorStream(true)
                .start());
        return new ArrayList<>(List.of(program, directory.resolve("words").toString(),
                String.valueOf(WORDS), String.valueOf(Eventually.FULL ? 500_000 : 4_000)));
    }

    private List<String> jvm() {
        return List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                PoolWaker.class.getName(), directory.resolve("words").toString(), String.valueOf(WORDS),
                String.valueOf(Eventually.FULL ? 500_000 : 4_000));
    }
}
