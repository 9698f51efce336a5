package dev.knote.examples.page;

import static dev.knote.Kqueue.*;

import dev.knote.KeventList;
import dev.knote.SharedMemory;
import dev.knote.transport.MemoryWordAddress;
import dev.knote.transport.MemoryWordHandler;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The memory that the server, each page and the other process have mapped. A line has a word, how often it was
 * changed, and when that last was: {@code struct line} of words-peer.c.
 */
final class Words implements AutoCloseable {
    private static final long BYTES = 4096;
    private static final long CHANGES = 4;
    private static final long STAMP = 8;

    private final SharedMemory memory;
    private final KeventList wake = KeventList.allocate(1);

    private Words(SharedMemory memory) {
        this.memory = memory;
    }

    static Words create() {
        return new Words(SharedMemory.anonymous(BYTES));
    }

    static Words map(Path path) {
        return new Words(SharedMemory.map(path));
    }

    Path path() {
        return memory.path();
    }

    /** What a queue waits for. */
    MemorySegment word(Word word) {
        return memory.word32(word.ordinal());
    }

    /** What tells a pipeline of every change. */
    MemoryWordHandler watched() {
        var handler = new MemoryWordHandler();
        for (Word word : Word.ALL) {
            handler.watch(word.title, MemoryWordAddress.of(word(word)));
        }
        return handler;
    }

    int value(Word word) {
        return SharedMemory.load32(word(word));
    }

    int changes(Word word) {
        return SharedMemory.load32(field(word, CHANGES, Integer.BYTES));
    }

    /** By the clock of {@link System#nanoTime}, which is CLOCK_MONOTONIC of all processes. */
    long stamp(Word word) {
        return SharedMemory.load64(field(word, STAMP, Long.BYTES));
    }

    /** Changes a word and wakes who waits for it, in whatever process. */
    void change(Word word, int value) {
        mark(word);
        SharedMemory.store32(word(word), value);
        wake(word);
    }

    void add(Word word, int delta) {
        mark(word);
        SharedMemory.add32(word(word), delta);
        wake(word);
    }

    private void mark(Word word) {
        SharedMemory.store64(field(word, STAMP, Long.BYTES), System.nanoTime());
        SharedMemory.add32(field(word, CHANGES, Integer.BYTES), 1);
    }

    private synchronized void wake(Word word) {
        EV_SET(wake, 0, word(word), EVFILT_USERMEM, 0, NOTE_TRIGGER, Integer.MAX_VALUE, null);
        kevent(KQUEUE_FD_ANON, wake, 1, null, 0, null);
    }

    private MemorySegment field(Word word, long offset, long bytes) {
        return memory.segment().asSlice((long) word.ordinal() * SharedMemory.LINE + offset, bytes, bytes);
    }

    @Override
    public void close() {
        memory.close();
    }
}
