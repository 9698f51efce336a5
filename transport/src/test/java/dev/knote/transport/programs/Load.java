package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Requests to a program, many in flight. Each has its number in its text, and so has its answer; most are small, some are
 * larger than a socket's buffer.
 */
final class Load {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));

    /** How many requests. */
    static final int REQUESTS = FULL ? 100_000 : 5_000;

    /** When it is too late. */
    static final long PATIENCE_SECONDS = FULL ? 400 : 120;

    private static final int IN_FLIGHT = 64;
    private static final int SMALL = 512;
    private static final int LARGE = 200_000;
    private static final int LARGE_EVERY = 499;
    private static final int FAILURES_TOLD = 5;
    private static final String TEXT = IntStream.range(0, 50_000).mapToObj(Integer::toString)
            .collect(Collectors.joining(","));

    private final Semaphore window = new Semaphore(IN_FLIGHT);
    private final AtomicIntegerArray answers = new AtomicIntegerArray(REQUESTS);
    private final AtomicInteger failed = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);

    /** The program as a function whose answer comes later. */
    interface Program {
        void ask(int number, String question, BiConsumer<String, Throwable> answer) throws Exception;
    }

    private Load() {}

    static String question(int number) {
        int length = number % LARGE_EVERY == 0 ? LARGE : number % SMALL;
        int start = number % SMALL;
        return number + ":" + TEXT.substring(start, start + length);
    }

    static String answer(String question) {
        return "to " + question;
    }

    /** Asks all there is to ask; fails unless each question was answered once, rightly and in time. */
    static void run(String name, Program program) throws Exception {
        var load = new Load();
        long start = System.nanoTime();
        load.ask(program);
        boolean ended = load.window.tryAcquire(IN_FLIGHT, load.nanosLeft(), TimeUnit.NANOSECONDS);
        long nanos = System.nanoTime() - start;
        int lost = 0;
        for (int number = 0; number < REQUESTS; number++) {
            lost += load.answers.get(number) == 0 ? 1 : 0;
        }
        report(name, nanos, lost, load.failed.get());
        assertEquals(List.of(), List.copyOf(load.failures), "wrong answers");
        assertEquals(0, lost, ended ? "without an answer" : "without an answer in time");
    }

    static void report(String name, long nanos, int lost, int failed) {
        System.out.printf("%-44s %s: %d requests in %.1f s, %d lost, %d wrong%n", name, Channels.pollerName(),
                REQUESTS, nanos / 1e9, lost, failed);
    }

    private void ask(Program program) throws Exception {
        for (int number = 0; number < REQUESTS; number++) {
            if (failed.get() > FAILURES_TOLD
                    || !window.tryAcquire(nanosLeft(), TimeUnit.NANOSECONDS)) {
                return;
            }
            int asked = number;
            String question = question(number);
            program.ask(number, question,
                    (answer, failure) -> arrived(asked, answer(question), answer, failure));
        }
    }

    private long nanosLeft() {
        return Math.max(0, deadline - System.nanoTime());
    }

    private void arrived(int number, String expected, String answer, Throwable failure) {
        if (failure != null) {
            fail(number + ": " + failure);
        } else if (!expected.equals(answer)) {
            fail(number + ": " + answer.substring(0, Math.min(answer.length(), 40)) + " of "
                    + answer.length());
        }
        if (answers.getAndIncrement(number) != 0) {
            fail(number + ": twice");
            return; // its place in the window is taken by another
        }
        window.release();
    }

    private void fail(String what) {
        if (failed.incrementAndGet() <= FAILURES_TOLD) {
            failures.add(what);
        }
    }

    /** Questions on one connection, whose answers come in their order. */
    static final class Conversation {
        private final Queue<BiConsumer<String, Throwable>> waiting = new ConcurrentLinkedQueue<>();

        /** Before the question is sent. */
        void asked(BiConsumer<String, Throwable> answer) {
            waiting.add(answer);
        }

        void answered(String text) {
            BiConsumer<String, Throwable> first = waiting.poll();
            assertNotNull(first, "an answer to nothing");
            first.accept(text, null);
        }

        void failed(Throwable failure) {
            for (var next = waiting.poll(); next != null; next = waiting.poll()) {
                next.accept(null, failure);
            }
        }
    }
}
