package dev.knote.poll;

import dev.knote.linux.IoUring;
import dev.knote.linux.ThreadExit;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Keeps waits armed when the thread that armed them exits. The kernel cancels a thread's futex waits in a ring at its
 * exit, and a wake posted before they are armed anew would be lost. So a thread that arms in a shared ring has its
 * exit held up, after all of its Java code has run, until a thread that lives as long as the JVM has armed its waits
 * again. A virtual thread has no kernel thread of its own, and arms by way of the keeper.
 */
final class Keeper {
    private static final Set<RingWords> RINGS = ConcurrentHashMap.newKeySet();
    private static final ThreadLocal<Boolean> REGISTERED = ThreadLocal.withInitial(() -> false);

    /** Takes rings' locks. */
    private static final class Adopter {
        static final Worker WORKER = new Worker("knote-keeper");
    }

    /** Submits for virtual threads, which hold the ring's lock meanwhile, so that this one must not want any. */
    private static final class Armer {
        static final Worker WORKER = new Worker("knote-armer");
    }

    private Keeper() {}

    static void opened(RingWords ring) {
        RINGS.add(ring);
    }

    static void closed(RingWords ring) {
        RINGS.remove(ring);
    }

    /** The thread in whose name {@link #submit} arms. */
    static Thread armer() {
        Thread current = Thread.currentThread();
        return current.isVirtual() ? Armer.WORKER.thread : current;
    }

    /** {@link IoUring#submit} of a batch that arms waits. */
    static int submit(IoUring ring) {
        Thread current = Thread.currentThread();
        if (current.isVirtual()) {
            return Armer.WORKER.run(ring::submit);
        }
        if (!REGISTERED.get()) {
            REGISTERED.set(true);
            ThreadExit.holdUp(() -> Adopter.WORKER.run(() -> adoptAll(current)));
        }
        return ring.submit();
    }

    /** Arms the waits of a thread that is about to exit in the calling thread's name. */
    private static int adoptAll(Thread exiting) {
        for (RingWords ring : RINGS) {
            ring.adopt(exiting);
        }
        return 0;
    }

    /** A thread that lives as long as the JVM. */
    private static final class Worker {
        final Thread thread;
        private final LinkedBlockingQueue<FutureTask<Integer>> work = new LinkedBlockingQueue<>();

        Worker(String name) {
            thread = Thread.ofPlatform().daemon().name(name).start(this::work);
        }

        /** Has the task run there, and waits for it, whatever interrupts. */
        int run(Callable<Integer> task) {
            FutureTask<Integer> future = new FutureTask<>(task);
            work.add(future);
            boolean interrupted = false;
            try {
                for (;;) {
                    try {
                        return future.get();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    } catch (ExecutionException e) {
                        throw new IllegalStateException(e.getCause());
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private void work() {
            while (true) {
                try {
                    work.take().run();
                } catch (InterruptedException e) {
                    // a thread that nobody has; it goes on
                }
            }
        }
    }
}
