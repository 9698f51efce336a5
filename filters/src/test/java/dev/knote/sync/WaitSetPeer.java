package dev.knote.sync;

import dev.knote.SharedMemory;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Another JVM: takes whatever there is until the end is said, and counts it. */
final class WaitSetPeer {
    /** Lines of the memory. */
    static final int EVENT = 0;
    static final int SEMAPHORE = 1;
    static final int MUTEX = 2;
    static final int END = 3;
    /** Counters from here on, the first one of this kind of process, and so on. */
    static final int COUNTERS = 8;
    static final int LINES = 64;

    private WaitSetPeer() {}

    static long at(int line) {
        return (long) line * SharedMemory.LINE;
    }

    /** @param args the memory's path, the counter's line, most words without a queue, whether a mutex is taken and kept */
    public static void main(String[] args) {
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]));
                WaitSet set = WaitSet.open(Integer.parseInt(args[2]), 250_000_000)) {
            MemorySegment segment = memory.segment();
            MemorySegment counter = memory.word32(Integer.parseInt(args[1]));
            set.add(SharedEvent.auto(segment, at(EVENT)));
            set.add(SharedSemaphore.of(segment, at(SEMAPHORE)));
            int end = set.add(SharedEvent.manual(segment, at(END)));
            if (Boolean.parseBoolean(args[3])) {
                SharedMutex.of(segment, at(MUTEX)).lock();
            }
            Words.add(memory.word32(COUNTERS - 1), 1);
            while (set.waitAny(null) != end) {
                Words.add(counter, 1);
            }
        }
    }
}
