package dev.knote;

import java.lang.foreign.MemorySegment;

/** Where a filter finds memory for an address, and how it wakes those who wait there. Any thread. */
public interface WordMemory {
    /** The word of {@code bytes} bytes at {@code address} in a segment that the queue was given, or null. */
    MemorySegment find(long address, int bytes);

    /**
     * Wakes at most {@code count} waiters of the word, in the order in which they began to wait.
     *
     * @param isPrivate wakes those who wait with the process's own key, and only those
     * @throws KeventException EFAULT if nothing is mapped there
     */
    void wake(long address, int count, boolean isPrivate);
}
