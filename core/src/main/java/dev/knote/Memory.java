package dev.knote;

import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** The memory that a queue was given, so that an address alone is never read that nobody answers for. */
final class Memory {
    private static final int FIRST_SWEEP = 1024;

    private final ConcurrentSkipListMap<Long, MemorySegment> byAddress = new ConcurrentSkipListMap<>();
    private volatile MemorySegment newest;
    private volatile Memory fallback;
    private int nextSweep = FIRST_SWEEP;

    /** Keeps the segment, until the queue is closed or the segment's arena is. */
    void give(MemorySegment segment) {
        if (segment == newest && segment != null) {
            return;
        }
        if (!segment.isNative()) {
            throw new KeventException(
                    Errno.EFAULT, "memory: the segment is in the Java heap: expected native memory");
        }
        newest = segment;
        byAddress.merge(segment.address(), segment, Memory::better);
        if (byAddress.size() > nextSweep) {
            sweep();
        }
    }

    /** Keeps it no longer, unless a larger segment has taken its place. */
    void forget(MemorySegment segment) {
        if (segment.equals(newest)) {
            newest = null;
        }
        byAddress.remove(segment.address(), segment);
    }

    /** The memory from {@code address} to the end of a segment that has {@code bytes} there; or null. */
    MemorySegment find(long address, int bytes) {
        var below = byAddress.headMap(address, true).descendingMap();
        for (Map.Entry<Long, MemorySegment> entry : below.entrySet()) {
            MemorySegment segment = entry.getValue();
            long offset = address - entry.getKey();
            if (offset <= segment.byteSize() - bytes && segment.scope().isAlive()) {
                return segment.asSlice(offset);
            }
        }
        return fallback == null ? null : fallback.find(address, bytes);
    }

    /** Where to look for what is not here. */
    void fallback(Memory other) {
        fallback = other;
    }

    void clear() {
        byAddress.clear();
        newest = null;
    }

    private static MemorySegment better(MemorySegment old, MemorySegment now) {
        return old.scope().isAlive() && old.byteSize() > now.byteSize() ? old : now;
    }

    private synchronized void sweep() {
        byAddress.values().removeIf(segment -> !segment.scope().isAlive());
        nextSweep = Math.max(FIRST_SWEEP, 2 * byAddress.size());
    }
}
