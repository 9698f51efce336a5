package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.Kqueue;
import dev.knote.linux.Threads;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What private waits cost while nobody sleeps, counted by strace in another JVM. */
@Timeout(120)
class SystemCallTest {
    private static final int ROUNDS = 5000;

    @TempDir
    private Path temp;

    @Test
    void privateWakesOfThoseAwakeMakeNoSystemCall() throws Exception {
        assumeTrue(Peer.isThere("strace"), "no strace here");
        List<String> command = new ArrayList<>(
                List.of("strace", "-ff", "-o", temp.resolve("trace").toString()));
        assumeTrue(output(new ArrayList<>(List.of("strace", "true"))) != null, "strace may not trace here");
        command.addAll(Peer.java(Child.class));
        String said = output(command);
        assertTrue(said != null && said.startsWith("thread "), said);
        String thread = said.lines().findFirst().orElseThrow().substring("thread ".length());
        List<String> calls = Files.readAllLines(temp.resolve("trace." + thread));
        int begin = next(calls, 0, "write(1, \"thread ");
        int middle = next(calls, begin, "gettid");
        int end = next(calls, middle + 1, "gettid");
        // A few are the JVM's own: it stops its threads now and then.
        List<String> wakes = calls.subList(begin + 1, middle).stream()
                .filter(call -> call.matches("(futex|epoll|io_uring|read|write|ppoll|poll|sched_yield).*"))
                .toList();
        assertTrue(wakes.size() < ROUNDS / 50,
                () -> wakes.size() + " in private wakes, such as " + wakes.getLast());
        assertTrue(end - middle > ROUNDS, "shared wakes were seen: " + (end - middle));
    }

    private static int next(List<String> calls, int from, String mark) {
        for (int i = from; i < calls.size(); i++) {
            if (calls.get(i).startsWith(mark)) {
                return i;
            }
        }
        throw new AssertionError("no " + mark + " from " + from + " on");
    }

    private static String output(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String output = new String(process.getInputStream().readAllBytes());
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
            return process.exitValue() == 0 ? output : null;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Wakes privately, then not privately, and marks in the trace where each begins and ends. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            try (TestMemory memory = Place.ARENA.open(); Queue queue = new Queue()) {
                MemorySegment word = memory.word(0, Width.INT);
                int fflags = Width.INT.fflags | Kqueue.NOTE_USERMEM_PRIVATE;
                queue.change(word, Kqueue.EV_ADD, fflags, Width.VALUE);
                rounds(queue, word, 1000, Kqueue.NOTE_USERMEM_PRIVATE);
                System.out.println("thread " + Threads.gettid());
                rounds(queue, word, ROUNDS, Kqueue.NOTE_USERMEM_PRIVATE);
                Threads.gettid();
                for (int i = 0; i < ROUNDS; i++) {
                    Queue.anonWake(word, 1, 0);
                }
                Threads.gettid();
            }
        }

        private static void rounds(Queue queue, MemorySegment word, int count, int fflags) {
            for (int i = 0; i < count; i++) {
                Queue.anonWake(word, 1, fflags);
                assertEquals(1, queue.poll(Duration.ofSeconds(1)));
            }
        }
    }
}
