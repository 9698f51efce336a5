package dev.knote.filters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.conformance.Pipe;
import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a thread sees that is awake for longer than anybody wants to wait. */
@Timeout(120)
class SpinningTest {
    private static final Duration FOR_LONG = Duration.ofSeconds(60);
    private static final long WELL_INTO_IT_NANOS = 20_000_000;
    private static final int DEADLINE_SECONDS = 20;

    @BeforeEach
    void needsTwoProcessors() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
    }

    private static void whileSpinning(boolean singleOwner, Consumer<EventQueue> prepare,
            Consumer<EventQueue> act, int events) throws Exception {
        Options options = Options.defaults().spin(FOR_LONG);
        var result = new CompletableFuture<Integer>();
        try (var queue = EventQueue.open(singleOwner ? options.singleOwner() : options)) {
            Thread spinner = new Thread(() -> {
                try {
                    prepare.accept(queue);
                    result.complete(queue.poll(event -> {}, null));
                } catch (Throwable t) {
                    result.completeExceptionally(t);
                }
            });
            spinner.start();
            awaitSpinning(spinner, result);
            long acted = System.nanoTime();
            act.accept(queue);
            assertTrue(System.nanoTime() - acted < TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS), "at once");
            assertEquals(events, result.get(DEADLINE_SECONDS, TimeUnit.SECONDS));
        }
    }

    /** Until it has used so much of a processor that it must be spinning. */
    private static void awaitSpinning(Thread spinner, CompletableFuture<?> result) {
        var threads = ManagementFactory.getThreadMXBean();
        long from = threads.getThreadCpuTime(spinner.threadId());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (threads.getThreadCpuTime(spinner.threadId()) - from < WELL_INTO_IT_NANOS) {
            assertTrue(!result.isDone() && System.nanoTime() < deadline, "it does not spin");
            Thread.yield();
        }
    }

    @Test
    void anFdIsSeenWhileSpinning() throws Exception {
        for (boolean singleOwner : new boolean[] {true, false}) {
            try (var pipe = new Pipe()) {
                whileSpinning(singleOwner, queue -> queue.register(Read.of(pipe.reader()), null),
                        queue -> pipe.write(1), 1);
            }
        }
    }

    @Test
    void anFdIsSeenWhileSpinningForAWord() throws Exception {
        for (boolean singleOwner : new boolean[] {true, false}) {
            try (var pipe = new Pipe(); var memory = SharedMemory.anonymous(64)) {
                whileSpinning(singleOwner, queue -> {
                    queue.register(Read.of(pipe.reader()), null);
                    queue.register(UserMem.int32(memory.word32(0), 0), null);
                }, queue -> pipe.write(1), 1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWakeupEndsTheSpinning(boolean singleOwner) throws Exception {
        whileSpinning(singleOwner, queue -> {}, EventQueue::wakeup, 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCloseEndsTheSpinning(boolean singleOwner) {
        var ended = assertThrows(ExecutionException.class,
                () -> whileSpinning(singleOwner, queue -> {}, EventQueue::close, 0));
        assertEquals(Errno.EBADF, assertInstanceOf(KeventException.class, ended.getCause()).errno());
    }
}
