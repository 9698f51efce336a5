package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A thread, and what the kernel knows of it. */
final class OsThread {
    private final Thread thread;
    private volatile int tid;

    private OsThread(Runnable body) {
        thread = Thread.ofPlatform().daemon().unstarted(() -> {
            tid = Threads.gettid();
            body.run();
        });
    }

    static OsThread start(Runnable body) {
        OsThread made = new OsThread(body);
        made.thread.start();
        return made;
    }

    /** Runs it in a thread that is gone, for the kernel too, when this returns. */
    static void runAndExit(Runnable body) throws InterruptedException {
        OsThread made = start(body);
        made.thread.join();
        await(() -> !Files.exists(Path.of("/proc/self/task/" + made.tid)), "the thread's exit");
    }

    /** Returns when the thread sleeps in the kernel. */
    OsThread awaitAsleep() {
        await(() -> tid != 0 && state() == 'S', "the thread's sleep");
        return this;
    }

    void interrupt() {
        thread.interrupt();
    }

    static void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, () -> "waited in vain for " + what);
            LockSupport.parkNanos(200_000);
        }
    }

    private char state() {
        try {
            String stat = Files.readString(Path.of("/proc/self/task/" + tid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (IOException gone) {
            return 'X';
        }
    }
}
