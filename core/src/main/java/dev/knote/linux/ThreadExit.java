package dev.knote.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Has something done between the end of a Java thread and the exit of its kernel thread. The kernel thread is made to
 * wait on a semaphore by the destructor of a thread-specific value: {@code sem_wait} itself, so that no Java code runs
 * on a thread that the JVM has let go.
 */
public final class ThreadExit {
    private static final long SEM_SIZE = 64;
    private static final long POLL_MILLIS = 1;
    private static final int KEY = createKey();
    private static final MethodHandle SET = Native.function(
            "pthread_setspecific", MethodType.methodType(int.class, int.class, long.class));
    private static final MethodHandle POST = Native.function("sem_post",
            MethodType.methodType(int.class, long.class));
    private static final MethodHandle INIT = Native.function("sem_init",
            MethodType.methodType(int.class, long.class, int.class, int.class));

    /** Semaphores of threads that are alive, or exiting. */
    private static final Set<MemorySegment> IN_USE = ConcurrentHashMap.newKeySet();

    static {
        // After the end of the JVM nobody would let them go, and the process would not end.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> IN_USE.forEach(ThreadExit::letGo)));
    }

    /** Semaphores that no thread will wait on any more. Their number is that of the threads alive at once. */
    private static final ConcurrentLinkedQueue<MemorySegment> SPARE = new ConcurrentLinkedQueue<>();

    private ThreadExit() {}

    /**
     * Runs {@code task} on a virtual thread after the calling platform thread has ended, and lets its kernel thread
     * exit after that. Call it once a thread.
     */
    public static void holdUp(Runnable task) {
        Thread thread = Thread.currentThread();
        int tid = Threads.gettid();
        MemorySegment spare = SPARE.poll();
        MemorySegment semaphore = spare != null ? spare : Arena.global().allocate(SEM_SIZE, SEM_SIZE);
        call(INIT, semaphore, 0, 0);
        IN_USE.add(semaphore);
        call(SET, semaphore, KEY);
        Thread.ofVirtual().name("knote-exit-of-" + tid).start(() -> {
            try {
                thread.join();
                task.run();
            } catch (InterruptedException e) {
                throw new AssertionError("nobody else has this thread", e);
            } finally {
                letGo(semaphore);
            }
            recycle(semaphore, tid);
        });
    }

    private static void letGo(MemorySegment semaphore) {
        call(POST, semaphore);
    }

    private static void recycle(MemorySegment semaphore, int tid) {
        try {
            while (Threads.tgkill(Threads.getpid(), tid, 0) == 0) {
                Thread.sleep(POLL_MILLIS);
            }
            IN_USE.remove(semaphore);
            SPARE.add(semaphore);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int createKey() {
        MethodHandle create = Native.function(
                "pthread_key_create", MethodType.methodType(int.class, long.class, long.class));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment key = arena.allocate(Integer.BYTES, Integer.BYTES);
            long destructor = Native.symbol("sem_wait").orElseThrow().address();
            int result = (int) create.invokeExact(key.address(), destructor);
            if (result != 0) {
                throw new IllegalStateException("pthread_key_create: " + Errno.name(result));
            }
            return key.get(ValueLayout.JAVA_INT, 0);
        } catch (Throwable t) {
            throw new IllegalStateException("no way to hear of the exit of a thread", t);
        }
    }

    private static void call(MethodHandle function, MemorySegment semaphore, int... more) {
        int result;
        try {
            result = switch (more.length) {
                case 0 -> (int) function.invokeExact(semaphore.address());
                case 1 -> (int) function.invokeExact(more[0], semaphore.address());
                default -> (int) function.invokeExact(semaphore.address(), more[0], more[1]);
            };
        } catch (Throwable t) {
            throw new AssertionError("a downcall does not throw", t);
        }
        if (result != 0) {
            throw new IllegalStateException("a semaphore or a thread-specific value failed: " + result);
        }
    }
}
