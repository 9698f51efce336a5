package dev.knote.explore;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What the processes of a {@link Story} share, and what the story wants to know in the end. */
public final class World {
    /** Shared memory, all zero when a run begins, aligned to 64. */
    public final MemorySegment memory = Arena.ofAuto().allocate(4096, 64);
    /** The story's notes, all zero when a run begins; not part of what is explored. */
    public final long[] notes = new long[32];
    /** Steps of the one run at a time. */
    boolean[] killed = new boolean[0];
    int timeouts;

    World() {}

    /** Whether the process was killed in this run. */
    public boolean isKilled(int process) {
        return killed[process];
    }

    /** Whether any was. */
    public boolean hasDead() {
        for (boolean one : killed) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    /** How often nobody could go on until the time was over of somebody who may not be late. */
    public int timeouts() {
        return timeouts;
    }

    void clear(int processes) {
        memory.fill((byte) 0);
        java.util.Arrays.fill(notes, 0);
        killed = new boolean[processes];
        timeouts = 0;
    }
}
