package dev.knote.pool;

import dev.knote.SharedMemory;
import dev.knote.words.Words;
import java.nio.file.Path;

/** Changes words of a file and wakes whoever waits: FILE WORDS ROUNDS. */
final class PoolWaker {
    private PoolWaker() {}

    static void main(String[] args) {
        int words = Integer.parseInt(args[1]);
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]))) {
            for (int i = 0; i < words * Integer.parseInt(args[2]) / 4; i++) {
                var word = memory.word32(i % words);
                SharedMemory.add32(word, 1);
                Words.wake(word, 1);
            }
        }
    }
}
