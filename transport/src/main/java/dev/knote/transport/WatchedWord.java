package dev.knote.transport;

import java.util.Objects;

/** A word of a {@link MemoryWordHandler}, and how far it has been seen, from one loop to the next. */
final class WatchedWord {
    final int index;
    final String name;
    final MemoryWordAddress address;
    /** The value seen last, or expected, if {@link #known}: written on the loop, and read on the next one. */
    volatile long seen;
    volatile boolean known;

    WatchedWord(int index, String name, MemoryWordAddress address) {
        this.index = index;
        this.name = Objects.requireNonNull(name, "name");
        this.address = Objects.requireNonNull(address, "word");
    }

    WatchedWord saw(long value) {
        seen = value;
        known = true;
        return this;
    }
}
