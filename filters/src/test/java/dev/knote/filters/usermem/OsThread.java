package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A thread, and what the kernel knows of it. */
final class OsThread {
    /** epoll_pwait, of x86-64 and aarch64; epoll_pwait2; io_uring_enter. */
    private static final Set<String> POLLS = Set.of("281", "22", "441", "426");

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

    /** Returns when the thread sleeps in a poller: it may sleep for other reasons before, in a monitor, say. */
    OsThread awaitPolling() {
        await(() -> tid != 0 && state() == 'S' && POLLS.contains(systemCall()),
                "the thread's sleep in a poller");
        return this;
    }

    private String systemCall() {
        try {
            return Files.readString(Path.of("/proc/self/task/" + tid + "/syscall")).split(" ")[0];
        } catch (IOException gone) {
            return "none";
        }
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
