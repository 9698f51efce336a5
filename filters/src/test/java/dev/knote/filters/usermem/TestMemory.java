package dev.knote.filters.usermem;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** Some memory with words in it, and what has to be tidied away afterwards. */
final class TestMemory implements AutoCloseable {
    static final int PAGE = 4096;
    static final int BYTES = 2 * PAGE;

    private static final int LINE = 64;

    private final MemorySegment segment;
    private final Path path;
    private final Runnable unmap;
    private final Path file;
    private boolean closed;

    TestMemory(MemorySegment segment, Path path, Runnable unmap, Path file) {
        this.segment = segment;
        this.path = path;
        this.unmap = unmap;
        this.file = file;
        for (int offset = 0; offset < BYTES; offset += LINE) {
            Width.LONG.store(at(offset, Width.LONG), Width.VALUE);
        }
    }

    MemorySegment segment() {
        return segment;
    }

    /** Where another process finds it. */
    Path path() {
        return path;
    }

    /** The word at the start of cache line {@code line}. */
    MemorySegment word(int line, Width width) {
        return at((long) line * LINE, width);
    }

    MemorySegment at(long offset, Width width) {
        return segment.asSlice(offset, width.bytes, width.bytes);
    }

    long offset(MemorySegment word) {
        return word.address() - segment.address();
    }

    /** Unmaps it; its file stays until {@link #close}. */
    void unmap() {
        if (!closed) {
            closed = true;
            unmap.run();
        }
    }

    @Override
    public void close() throws IOException {
        unmap();
        if (file != null) {
            Files.deleteIfExists(file);
        }
    }
}
