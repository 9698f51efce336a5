package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Words whose file is cut, in compiled code: HotSpot's handler of SIGBUS knows fewer instructions than its compiler, and
 * aborts the JVM at one that it does not know.
 */
@Tag("once")
@Timeout(60)
class CutWordTest {
    private static final int COMPILED = 30_000;
    private static final List<MemoryWordOp> OPS = List.of(MemoryWordOp.set(1), MemoryWordOp.add(1),
            MemoryWordOp.or(2), MemoryWordOp.and(3), MemoryWordOp.compareAndSet(2, 1));

    private static long useAll(Word word) {
        long sum = 0;
        for (int i = 0; i < COMPILED; i++) {
            for (MemoryWordOp op : OPS) {
                sum += word.apply(op);
            }
            sum += word.read();
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void everyOperationIsAnException(int bytes) throws Exception {
        SharedMemory memory = SharedMemory.openOrCreate("knote-cut-" + ProcessHandle.current().pid(), 8192);
        try {
            Word word = new Word(memory.segment().asSlice(4096, bytes));
            Word other = new Word(memory.segment().asSlice(64, bytes));
            assertEquals(useAll(word), useAll(other));
            try (var file = FileChannel.open(memory.path(), StandardOpenOption.WRITE)) {
                file.truncate(4096);
            }
            assertThrows(KeventException.class, () -> useAll(word));
            for (MemoryWordOp op : OPS) {
                assertEquals(Errno.EFAULT,
                        assertThrows(KeventException.class, () -> word.apply(op)).errno());
            }
            assertEquals(Errno.EFAULT, assertThrows(KeventException.class, word::read).errno());
            other.apply(MemoryWordOp.set(5));
            assertEquals(5, other.read());
        } finally {
            memory.close();
            memory.unlink();
        }
    }

    @Test
    void aReadOnlyWordCanBeReadAndNotWritten() {
        try (SharedMemory memory = SharedMemory.anonymous(64)) {
            Word word = new Word(memory.word32(0).asReadOnly());
            assertEquals(0, word.read());
            assertThrows(KeventException.class, () -> word.apply(MemoryWordOp.set(1)));
        }
    }
}
