package dev.knote.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that the channels of one loop share for their system calls, one after another. Belongs to the loop. */
final class LoopResources {
    /** Room for one message: addresses, an array of iovec and a msghdr. */
    static final int SCRATCH_SIZE = 32 * 1024;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(SCRATCH_SIZE, 64);

    MemorySegment scratch() {
        return scratch;
    }

    void close() {
        arena.close();
    }
}
