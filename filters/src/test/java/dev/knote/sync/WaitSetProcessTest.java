package dev.knote.sync;

import static dev.knote.sync.WaitSetPeer.COUNTERS;
import static dev.knote.sync.WaitSetPeer.END;
import static dev.knote.sync.WaitSetPeer.EVENT;
import static dev.knote.sync.WaitSetPeer.MUTEX;
import static dev.knote.sync.WaitSetPeer.SEMAPHORE;
import static dev.knote.sync.WaitSetPeer.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import dev.knote.words.Words;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several JVMs and C programs that wait for the same, and some that are killed. */
@Timeout(600)
class WaitSetProcessTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int DIRECTLY = 128;
    private static final int BY_QUEUE = 0;

    @TempDir
    private Path directory;

    private final SharedMemory memory = SharedMemory.anonymous(at(WaitSetPeer.LINES));
    private final SharedEvent event = SharedEvent.auto(memory.segment(), at(EVENT));
    private final SharedSemaphore semaphore = SharedSemaphore.of(memory.segment(), at(SEMAPHORE));
    private final SharedEvent end = SharedEvent.manual(memory.segment(), at(END));
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void endAll() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly();
            assertTrue(process.waitFor(20, TimeUnit.SECONDS), "a process that does not die");
        }
        memory.close();
    }

    @Test
    void each_set_of_an_event_by_the_bytes_of_a_C_program_is_taken_once() throws Exception {
        int count = FULL ? 1_000_000 : 5000;
        for (int most : new int[] {DIRECTLY, BY_QUEUE}) {
            try (WaitSet set = WaitSet.open(most, Words.NEVER)) {
                set.add(event);
                set.add(semaphore);
                set.add(end);
                Process program = c("set", at(EVENT), count);
                for (int i = 0; i < count; i++) {
                    assertEquals(0, set.waitAny(Waiter.PATIENCE), "after " + i);
                }
                assertEquals(0, program.waitFor());
                assertFalse(event.isSet());
                c("manual", at(END), 0);
                assertEquals(2, set.waitAny(Waiter.PATIENCE));
                end.reset();
            }
        }
    }

    @Test
    void each_unit_goes_to_one_of_two_JVMs_a_C_program_and_this_one() throws Exception {
        int count = FULL ? 1_000_000 : 5000;
        jvm(COUNTERS, DIRECTLY, false);
        jvm(COUNTERS + 1, BY_QUEUE, false);
        Waiter.await("the other JVMs", () -> Words.get(memory.word32(COUNTERS - 1)) == 2);
        c("take", at(SEMAPHORE), at(COUNTERS + 2));
        Waiter<Void> mine = Waiter.start(() -> {
            String[] args = {memory.path().toString(), "" + (COUNTERS + 3), "" + BY_QUEUE, "false"};
            WaitSetPeer.main(args);
            return null;
        });
        Process program = c("release", at(SEMAPHORE), count);
        Waiter.await("all units", () -> counted(4) == count);
        assertEquals(0, program.waitFor());
        assertEquals(0, semaphore.units());
        end.set();
        mine.result();
        assertEquals(count, counted(4));
    }

    @Test
    void a_waiter_that_is_killed_strands_nobody() throws Exception {
        int kills = FULL ? 300 : 12;
        Random random = new Random();
        Waiter<Void> living = Waiter.start(() -> {
            String[] args = {memory.path().toString(), "" + COUNTERS, "" + DIRECTLY, "false"};
            WaitSetPeer.main(args);
            return null;
        });
        Process keeper = jvm(COUNTERS + 1, BY_QUEUE, false);
        Waiter.await("the other JVM", () -> Words.get(memory.word32(COUNTERS - 1)) == 2);
        for (int kill = 0; kill < kills; kill++) {
            Process victim = kill == kills / 2 ? keeper : c("take", at(SEMAPHORE), at(COUNTERS + 2));
            for (int i = random.nextInt(200); i > 0; i--) {
                semaphore.release(1);
            }
            victim.destroyForcibly();
            semaphore.release(3);
            assertTrue(victim.waitFor(20, TimeUnit.SECONDS));
            Waiter.await("units left by one who was killed", () -> semaphore.units() == 0);
            int before = counted(2);
            event.set();
            Waiter.await("a living one that takes the event", () -> counted(2) > before && !event.isSet());
        }
        end.set();
        living.result();
    }

    @Test
    void a_mutex_whose_owner_is_killed_is_had_by_who_waits_for_any() throws Exception {
        for (int most : new int[] {DIRECTLY, BY_QUEUE}) {
            Words.set(memory.word32(COUNTERS - 1), 0);
            Process owner = jvm(COUNTERS, DIRECTLY, true);
            Waiter.await("the owner", () -> Words.get(memory.word32(COUNTERS - 1)) == 1);
            SharedMutex mutex = SharedMutex.of(memory.segment(), at(MUTEX));
            try (WaitSet set = WaitSet.open(most, Words.NEVER)) {
                set.add(SharedEvent.auto(memory.segment(), at(20)));
                set.add(mutex);
                Waiter<Void> killer = Waiter.start(() -> {
                    Waiter.awaitSleepers(memory.word32(MUTEX));
                    owner.destroyForcibly();
                    return null;
                });
                assertEquals(1, set.waitAny(Waiter.PATIENCE));
                assertTrue(set.isAbandoned(1));
                killer.result();
                mutex.consistent();
                set.unlock(1);
            }
        }
    }

    private int counted(int processes) {
        int sum = 0;
        for (int i = 0; i < processes; i++) {
            sum += Words.get(memory.word32(COUNTERS + i));
        }
        return sum;
    }

    private Process c(String what, long offset, long number) throws Exception {
        return start(List.of(program().toString(), what, memory.path().toString(), "" + offset, "" + number));
    }

    private Path program() throws Exception {
        Path program = directory.resolve("waitset");
        if (Files.exists(program)) {
            return program;
        }
        assumeTrue(isThere("gcc"), "no gcc here");
        Path source = directory.resolve("waitset.c");
        try (var in = WaitSetProcessTest.class.getResourceAsStream("waitset.c")) {
            Files.write(source, in.readAllBytes());
        }
        Process gcc = new ProcessBuilder("gcc", "-O1", "-Wall", "-o", program.toString(), source.toString())
                .redirectErrorStream(true).start();
        String output = new String(gcc.getInputStream().readAllBytes());
        assertEquals(0, gcc.waitFor(), output);
        return program;
    }

    private static boolean isThere(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    private Process jvm(int counter, int most, boolean owns) throws Exception {
        String poller = System.getProperty("knote.poller", "");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        if (!poller.isEmpty()) {
            command.add(1, "-Dknote.poller=" + poller);
        }
        command.addAll(List.of(WaitSetPeer.class.getName(), memory.path().toString(), "" + counter,
                "" + most, "" + owns));
        return start(command);
    }

    private Process start(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT).start();
        processes.add(process);
        return process;
    }
}
