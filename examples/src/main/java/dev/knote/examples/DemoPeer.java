package dev.knote.examples;

import static dev.knote.Kqueue.*;

import dev.knote.KeventList;
import dev.knote.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The demo's peer in another JVM: changes a word of shared memory and wakes who waits for it. It has no
 * queue.
 */
final class DemoPeer {
    private DemoPeer() {}

    /** Arguments: the memory's path, the number of its first line, how many rounds, milliseconds between. */
    static void main(String[] arguments) throws InterruptedException {
        int line = Integer.parseInt(arguments[1]);
        try (var memory = SharedMemory.map(Path.of(arguments[0]))) {
            MemorySegment word = memory.word32(line);
            KeventList wake = KeventList.allocate(1);
            EV_SET(wake, 0, word, EVFILT_USERMEM, 0, NOTE_TRIGGER, Integer.MAX_VALUE, null);
            for (int round = 1; round <= Integer.parseInt(arguments[2]); round++) {
                Thread.sleep(Long.parseLong(arguments[3]));
                SharedMemory.store64(memory.word64(line + 1), System.nanoTime());
                SharedMemory.store32(word, round);
                kevent(KQUEUE_FD_ANON, wake, 1, null, 0, null);
            }
        }
    }
}
