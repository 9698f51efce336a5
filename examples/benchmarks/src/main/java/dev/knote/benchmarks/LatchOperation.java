package dev.knote.benchmarks;

import dev.knote.EventQueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.sync.Latch;
import java.nio.file.Path;

/** One side of two processes that set each other's latch and wait, or sets of a latch that is set. */
final class LatchOperation implements Operation {
    /** Where sync.c has its latches. */
    static final long FIRST = 1280;
    static final long SECOND = FIRST + 128;
    static final int BYTES = 4096;

    private final EventQueue queue = EventQueue.open(Options.defaults().singleOwner());
    private final SharedMemory memory;
    private final boolean setsOnly;
    private Latch mine;
    private Latch other;

    LatchOperation(String path, boolean setsOnly) {
        memory = SharedMemory.map(Path.of(path));
        this.setsOnly = setsOnly;
        mine = Latch.own(memory.segment(), FIRST);
        other = Latch.of(memory.segment(), SECOND);
    }

    @Override
    public void run(int n) {
        for (int i = 0; i < n; i++) {
            other.set();
            if (!setsOnly) {
                await();
            }
        }
    }

    Operation.Server pong() {
        mine = Latch.own(memory.segment(), SECOND);
        other = Latch.of(memory.segment(), FIRST);
        return () -> {
            for (;;) {
                await();
                other.set();
            }
        };
    }

    private void await() {
        while (!mine.isSet()) {
            mine.pollNanos(queue, event -> {}, -1);
        }
        mine.reset();
    }
}
