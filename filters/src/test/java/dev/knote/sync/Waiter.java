package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Threads;
import dev.knote.words.Words;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A thread that waits; what it waits for has to come within a generous time. */
final class Waiter<T> {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final Thread thread;
    private final FutureTask<T> task;

    private volatile int tid;

    private Waiter(Callable<T> work) {
        task = new FutureTask<>(() -> {
            tid = Threads.gettid();
            return work.call();
        });
        thread = Thread.ofPlatform().daemon().start(task);
    }

    static <T> Waiter<T> start(Callable<T> work) {
        return new Waiter<>(work);
    }

    T result() throws Exception {
        return result(PATIENCE.toSeconds());
    }

    T result(long seconds) throws Exception {
        return task.get(seconds, TimeUnit.SECONDS);
    }

    boolean isDone() {
        return task.isDone();
    }

    /** Until the kernel says that the thread sleeps, wherever. */
    void awaitAsleep() {
        await("a thread that sleeps", () -> {
            try {
                String stat = Files.readString(Path.of("/proc/self/task/" + tid + "/stat"));
                return tid != 0 && stat.charAt(stat.lastIndexOf(')') + 2) == 'S';
            } catch (IOException notYet) {
                return false;
            }
        });
    }

    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "in vain: " + what);
            Thread.yield();
        }
    }

    /** Until somebody has said in the word that he is about to sleep on it. */
    static void awaitSleepers(MemorySegment word) {
        await("a sleeper", () -> (Words.get(word) & Flagged.SLEEPERS) != 0);
    }
}
