package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import dev.knote.sync.SharedMutex.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a SharedMutex promises among threads, JVMs and C programs. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SharedMutexProcessTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(5);

    @TempDir
    private static Path directory;
    private static String program;

    private final SharedMemory memory = SharedMemory.anonymous(MutexPeer.BYTES);
    private final List<Process> processes = new ArrayList<>();

    @BeforeAll
    static void build() throws Exception {
        program = MutexPeer.build(directory);
    }

    @AfterEach
    void close() throws Exception {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
        memory.close();
    }

    @Test
    void one_at_a_time_of_threads_and_jvms_and_C() throws Exception {
        int each = FULL ? 2_000_000 : 50_000;
        List<Process> peers = List.of(
                jvm("count", "" + each), c("count", "" + each), c("count", "" + each));
        List<FutureTask<Void>> threads = List.of(thread(each), thread(each));
        for (FutureTask<Void> thread : threads) {
            thread.get();
        }
        for (Process peer : peers) {
            assertTrue(peer.waitFor(FULL ? 300 : 30, TimeUnit.SECONDS), "a process does not end");
            assertEquals(0, peer.exitValue(), "exit status");
        }
        assertEquals(5L * each, MutexPeer.first(memory));
        assertEquals(5L * each, MutexPeer.second(memory));
        assertEquals(0, MutexPeer.died(memory));
    }

    /** The test above is worth something. */
    @Test
    void a_lock_that_is_none_is_caught() throws Exception {
        Process one = c("broken", "0");
        Process other = c("broken", "0");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (one.isAlive() && other.isAlive()) {
            assertTrue(System.nanoTime() < end, "nobody has noticed");
            Thread.yield();
        }
        assertEquals(3, (one.isAlive() ? other : one).waitFor());
    }

    @Test
    void an_owner_that_is_killed_is_reported_to_the_next_one() throws Exception {
        SharedMutex mutex = SharedMutex.of(memory.segment(), 0);
        for (int i = 1; i <= 2; i++) {
            Process owner = i == 1 ? c("hold") : jvm("hold");
            MutexPeer.awaitDone(memory, i);
            assertEquals(Outcome.BUSY, mutex.tryLock());
            owner.destroyForcibly().waitFor();
            long from = System.nanoTime();
            assertEquals(Outcome.OWNER_DIED, mutex.lock());
            assertTrue(System.nanoTime() - from < MOST_NANOS, "it was told too late");
            mutex.consistent();
            mutex.unlock();
        }
    }

    @Test
    void C_is_told_of_the_death_of_a_jvm() throws Exception {
        Process owner = jvm("hold");
        MutexPeer.awaitDone(memory, 1);
        Process waiter = c("count", "1");
        owner.destroyForcibly().waitFor();
        MutexPeer.awaitEnd(waiter, 0);
        assertEquals(1, MutexPeer.died(memory));
    }

    @Test
    void an_owner_that_nobody_has_waited_for_is_dead() throws Exception {
        c("zombie");
        MutexPeer.awaitDone(memory, 1);
        assertEquals(Outcome.OWNER_DIED, SharedMutex.of(memory.segment(), 0).tryLock(Duration.ofSeconds(20)));
    }

    @Test
    void whoever_is_killed_the_living_go_on() throws Exception {
        List<FutureTask<Void>> threads = List.of(thread(0), thread(0));
        Process peer = c("count", "0");
        MutexPeer.awaitJoined(memory, 3);
        for (int i = FULL ? 300 : 12; i > 0; i--) {
            long joined = MutexPeer.joined(memory);
            Process victim = i % 6 == 1 ? jvm("count", "0") : c("count", "0");
            MutexPeer.awaitJoined(memory, joined + 1);
            long more = ThreadLocalRandom.current().nextInt(3000);
            MutexPeer.awaitDone(memory, MutexPeer.done(memory) + more);
            victim.destroyForcibly().waitFor();
            long from = System.nanoTime();
            MutexPeer.awaitDone(memory, MutexPeer.done(memory) + 100);
            assertTrue(System.nanoTime() - from < MOST_NANOS, "they went on too late");
        }
        MutexPeer.end(memory);
        for (FutureTask<Void> thread : threads) {
            thread.get();
        }
        MutexPeer.awaitEnd(peer, 0);
        SharedMutex mutex = SharedMutex.of(memory.segment(), 0);
        if (mutex.lock() == Outcome.LOCKED) {
            assertEquals(MutexPeer.first(memory), MutexPeer.second(memory));
        }
    }

    private Process c(String... words) throws Exception {
        return kept(MutexPeer.c(program, memory, words));
    }

    private Process jvm(String... words) throws Exception {
        return kept(MutexPeer.jvm(memory, words));
    }

    private Process kept(Process process) {
        processes.add(process);
        return process;
    }

    private FutureTask<Void> thread(long n) {
        FutureTask<Void> task = new FutureTask<>(() -> MutexPeer.count(memory, n), null);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }
}
