package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.linux.Futex;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.function.Executable;

/** Conditions that come true in a while, threads that sleep in futex(2), errors. */
final class Wait {
    private Wait() {}

    static void until(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, () -> "waited in vain for " + what);
            LockSupport.parkNanos(100_000);
        }
    }

    /** A thread that ends when it is woken on the word, by whatever process. */
    static Thread sleeper(MemorySegment word) {
        int value = Words.get(word);
        int before = asleep(word);
        Thread thread = Thread.ofPlatform().daemon()
                .start(() -> Futex.wait(word.address(), value, 0));
        until(() -> asleep(word) == before + 1, "a sleeper");
        return thread;
    }

    /** How many wait for the word in the kernel: moving them to where they are counts them. */
    static int asleep(MemorySegment word) {
        return Futex.requeue(word.address(), Words.get(word), 0, Integer.MAX_VALUE, word.address());
    }

    static boolean hasEnded(Thread thread) {
        return thread.getState() == Thread.State.TERMINATED;
    }

    static void errno(int errno, Executable call) {
        KeventException e = assertThrows(KeventException.class, call);
        assertEquals(errno, e.errno(), e.getMessage());
    }
}
