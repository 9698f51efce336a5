package dev.knote.benchmarks;

import dev.knote.SharedMemory;
import dev.knote.linux.Futex;
import dev.knote.sync.SharedEvent;
import dev.knote.sync.WaitSet;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Asks another process to make one of many available, chosen at random, and waits for it among all of them. */
final class WaitAnyOperation implements Operation {
    private final WaitSet set = WaitSet.open();
    private final MemorySegment question;
    private final int[] values;
    private final boolean events;
    private int seed = 1;
    private int asked;

    /** @param argument how many, {@code words} or {@code events}, and the memory's path */
    WaitAnyOperation(String argument) {
        String[] parts = argument.split(",", 3);
        SharedMemory memory = SharedMemory.map(Path.of(parts[2]));
        values = new int[Integer.parseInt(parts[0])];
        events = parts[1].equals("events");
        question = memory.word32(0);
        for (int i = 0; i < values.length; i++) {
            int ignored = events
                    ? set.add(SharedEvent.auto(memory.segment(), (i + 1L) * SharedMemory.LINE))
                    : set.add(memory.word32(i + 1), 0);
        }
    }

    @Override
    public void run(int n) {
        for (int round = 0; round < n; round++) {
            seed = seed * 1103515245 + 12345;
            int index = (seed >>> 8) % values.length;
            asked += 0x10000;
            SharedMemory.store32(question, asked & 0xffff0000 | index);
            Futex.wake(question.address(), 1);
            int taken = set.waitAny(null);
            if (taken != index) {
                throw new IllegalStateException("taken was " + taken + ": expected " + index);
            }
            if (!events) {
                set.expect(index, ++values[index]);
            }
        }
    }
}
