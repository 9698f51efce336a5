package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import dev.knote.linux.Threads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is to cost no system call: counted by strace in another JVM. */
@Timeout(120)
class LatchSystemCallTest {
    private static final int ROUNDS = 5_000;

    @TempDir
    private Path temp;

    @Test
    void settingALatchWhoseOwnerIsAwakeAndTakingATokenThatIsThereMakeNone() throws Exception {
        boolean there = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(in -> Files.isExecutable(Path.of(in, "strace")));
        assumeTrue(there, "no strace here");
        Path trace = temp.resolve("trace");
        List<String> command = new ArrayList<>(List.of("strace", "-ff", "-o", trace.toString()));
        command.addAll(Peers.java(Child.class));
        String said;
        try (Peers peers = new Peers(temp)) {
            Process process = peers.start(command);
            said = new String(process.getInputStream().readAllBytes());
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), said);
            assumeTrue(process.exitValue() == 0, "strace may not trace here");
        }
        List<String> calls = Files.readAllLines(temp.resolve("trace." + said.strip()));
        List<Integer> marks = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            if (calls.get(i).startsWith("getppid")) {
                marks.add(i);
            }
        }
        assertEquals(3, marks.size(), "marks");
        // A few are the JVM's own.
        int free = marks.get(1) - marks.get(0);
        assertTrue(free < ROUNDS / 50, free + " calls");
        assertTrue(calls.subList(marks.get(1), marks.get(2)).toString().contains("futex("),
                "no wake is seen");
    }

    /** Sets and takes; then sets of what sleeps. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            try (SharedMemory memory = SharedMemory.anonymous(4096)) {
                Latch latch = Latch.own(memory.segment(), 0);
                JobTokens tokens = JobTokens.of(memory.segment().asSlice(1024), 8);
                work(latch, tokens, 1_000);
                System.out.println(Threads.gettid());
                mark();
                work(latch, tokens, ROUNDS);
                mark();
                SharedMemory.store32(memory.segment(), Latch.ASLEEP); // as an owner does that goes to sleep
                latch.set();
                mark();
            }
        }

        private static void work(Latch latch, JobTokens tokens, int rounds) {
            for (int i = 0; i < rounds; i++) {
                latch.set();
                latch.set();
                latch.await(null);
                latch.reset();
                tokens.release(tokens.tryTake());
            }
        }

        private static void mark() {
            dev.knote.linux.Native.syscall(System.getProperty("os.arch").equals("amd64") ? 110 : 173, 0, 0,
                    0);
        }
    }
}
