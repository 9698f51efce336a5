package dev.knote.transport;

import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The program of another JVM: virtual threads that wait for words, in rounds. In each round every word becomes the
 * round's number; each thread that has seen it counts itself in word {@link #COUNT}.
 */
final class WordThreads {
    static final int WORDS = 100;
    static final int COUNT = 200;
    static final int BYTES = 256 * SharedMemory.LINE;

    private WordThreads() {}

    public static void main(String[] arguments) throws InterruptedException {
        int threads = Integer.parseInt(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        try (SharedMemory memory = SharedMemory.map(Path.of(arguments[0]))) {
            List<Thread> started = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                MemorySegment word = memory.word32(1 + i % WORDS);
                started.add(Thread.ofVirtual().start(() -> run(memory, word, threads, rounds)));
            }
            for (Thread thread : started) {
                thread.join();
            }
        }
    }

    private static void run(SharedMemory memory, MemorySegment word, int threads, int rounds) {
        try {
            for (int round = 1; round <= rounds; round++) {
                long value = MemoryWords.await(word, round - 1, Duration.ofSeconds(40));
                if (value != round) {
                    throw new IllegalStateException("round " + round + ", value " + value);
                }
                if (SharedMemory.add32(memory.word32(COUNT), 1) + 1 == round * threads) {
                    MemoryWords.wake(memory.word32(COUNT), Integer.MAX_VALUE);
                }
            }
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }
}
