package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.SharedMemory;
import dev.knote.sync.SharedMutex.Outcome;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Who locks the mutex at 0 and changes what it guards: two numbers, at 128 and 192, that are the same for all who may
 * look. At 256 stands how often that was done, at 320 whether to end, at 384 how many owners have died,
 * at 448 how many peers have locked it ten times. A peer is a thread, a JVM, or mutex.c.
 */
final class MutexPeer {
    static final int BYTES = 4096;

    private static final int SECONDS = 20;
    private static final long FIRST = 128;
    private static final long SECOND = 192;
    private static final int JOINED = 10;
    private static final int WORK = 300;
    private static long sink;

    private MutexPeer() {}

    /** What mutex.c does for the same words: "count N" and "hold". */
    public static void main(String[] args) {
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]))) {
            if (args.length > 2) {
                count(memory, Long.parseLong(args[2]));
                return;
            }
            SharedMutex.of(memory.segment(), 0).lock();
            SharedMemory.add64(memory.word64(4), 1);
            while (true) {
                java.util.concurrent.locks.LockSupport.park();
            }
        }
    }

    /** Locks {@code n} times, 0 for ever, until it is time to end. */
    static void count(SharedMemory memory, long n) {
        SharedMutex mutex = SharedMutex.of(memory.segment(), 0);
        for (long i = 0; (n == 0 || i < n) && SharedMemory.load32(memory.word32(5)) == 0; i++) {
            if (mutex.lock() == Outcome.OWNER_DIED) {
                memory.segment().set(ValueLayout.JAVA_LONG, SECOND, first(memory));
                SharedMemory.add64(memory.word64(6), 1);
                mutex.consistent();
            }
            change(memory);
            mutex.unlock();
            SharedMemory.add64(memory.word64(4), 1);
            if (i == JOINED) {
                SharedMemory.add64(memory.word64(7), 1);
            }
        }
    }

    private static void change(SharedMemory memory) {
        long value = first(memory);
        assertEquals(value, second(memory), "what the last owner has left");
        memory.segment().set(ValueLayout.JAVA_LONG, FIRST, value + 1);
        for (int i = 0; i < WORK; i++) {
            sink += i ^ value;
        }
        java.lang.invoke.VarHandle.fullFence();
        assertEquals(value, second(memory), "somebody else was in between");
        memory.segment().set(ValueLayout.JAVA_LONG, SECOND, value + 1);
    }

    static long first(SharedMemory memory) {
        return memory.segment().get(ValueLayout.JAVA_LONG, FIRST);
    }

    static long second(SharedMemory memory) {
        return memory.segment().get(ValueLayout.JAVA_LONG, SECOND);
    }

    static long done(SharedMemory memory) {
        return SharedMemory.load64(memory.word64(4));
    }

    static long died(SharedMemory memory) {
        return SharedMemory.load64(memory.word64(6));
    }

    static void end(SharedMemory memory) {
        SharedMemory.store32(memory.word32(5), 1);
    }

    static long joined(SharedMemory memory) {
        return SharedMemory.load64(memory.word64(7));
    }

    static void awaitDone(SharedMemory memory, long count) {
        await(() -> done(memory), count);
    }

    static void awaitJoined(SharedMemory memory, long count) {
        await(() -> joined(memory), count);
    }

    private static void await(LongSupplier number, long count) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (number.getAsLong() < count) {
            assertTrue(System.nanoTime() < end, () -> number.getAsLong() + ": expected " + count);
            Thread.yield();
        }
    }

    /** Builds mutex.c; the path of the program. */
    static String build(Path directory) throws Exception {
        assumeTrue(List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(path -> Files.isExecutable(Path.of(path, "gcc"))), "no gcc here");
        Path source = directory.resolve("mutex.c");
        try (var in = MutexPeer.class.getResourceAsStream("mutex.c")) {
            Files.write(source, in.readAllBytes());
        }
        String program = directory.resolve("mutex").toString();
        Process gcc = new ProcessBuilder("gcc", "-O2", "-Wall", "-Werror", "-o", program, source.toString())
                .redirectErrorStream(true).start();
        String output = new String(gcc.getInputStream().readAllBytes());
        assertEquals(0, gcc.waitFor(), output);
        return program;
    }

    static Process c(String program, SharedMemory memory, String... words) throws Exception {
        return start(List.of(program), memory, words);
    }

    static Process jvm(SharedMemory memory, String... words) throws Exception {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return start(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
                        "--enable-native-access=ALL-UNNAMED", "-cp", path, MutexPeer.class.getName()),
                memory, words);
    }

    private static Process start(List<String> program, SharedMemory memory, String... words)
            throws Exception {
        List<String> command = new ArrayList<>(program);
        command.add(memory.path().toString());
        command.addAll(List.of(words));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT).start();
    }

    static void awaitEnd(Process process, int status) throws InterruptedException {
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "a process does not end");
        assertEquals(status, process.exitValue(), "exit status");
    }
}
