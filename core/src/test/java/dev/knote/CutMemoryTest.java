package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Words whose file is cut: an operation on them is an InternalError, interpreted or compiled, and not the JVM's end. */
@Tag("once")
@Timeout(60)
class CutMemoryTest {
    private static final int COMPILED = 30_000;
    private static final List<ToLongFunction<MemorySegment>> NARROW = List.of(
            word -> SharedMemory.add32(word, 3),
            word -> SharedMemory.swap32(word, 3, 0) ? 1 : 0,
            SharedMemory::load32);
    private static final List<ToLongFunction<MemorySegment>> WIDE = List.of(
            word -> SharedMemory.add64(word, 3),
            word -> SharedMemory.swap64(word, 3, 0) ? 1 : 0,
            SharedMemory::load64);

    private static long use(ToLongFunction<MemorySegment> operation, MemorySegment word, int times) {
        long sum = 0;
        for (int i = 0; i < times; i++) {
            sum += operation.applyAsLong(word);
        }
        return sum;
    }

    private static void afterTheCut(int bytes, int times) throws Exception {
        var operations = bytes == Integer.BYTES ? NARROW : WIDE;
        String name = "knote-cut-" + bytes + "-" + ProcessHandle.current().pid();
        SharedMemory memory = SharedMemory.create(name, 8192);
        try {
            MemorySegment goes = memory.segment().asSlice(4096, bytes);
            MemorySegment stays = memory.segment().asSlice(0, bytes);
            for (var operation : operations) {
                use(operation, goes, times);
            }
            try (var file = FileChannel.open(memory.path(), StandardOpenOption.WRITE)) {
                file.truncate(4096);
            }
            for (var operation : operations) {
                assertThrows(InternalError.class, () -> operation.applyAsLong(goes));
                assertThrows(InternalError.class, () -> use(operation, goes, COMPILED));
            }
            stays.fill((byte) 0);
            assertEquals(0, operations.get(0).applyAsLong(stays));
            assertEquals(1, operations.get(1).applyAsLong(stays));
            assertEquals(0, operations.get(2).applyAsLong(stays));
        } finally {
            memory.close();
            memory.unlink();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void anOperationIsAnError(int bytes) throws Exception {
        afterTheCut(bytes, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void anOperationInCompiledCodeIsAnError(int bytes) throws Exception {
        afterTheCut(bytes, COMPILED);
    }

    @Test
    void whatMayNotBeWrittenIsReadAsBefore() {
        try (SharedMemory memory = SharedMemory.anonymous(64)) {
            MemorySegment word = memory.word32(0).asReadOnly();
            assertEquals(0, SharedMemory.load32(word));
            assertThrows(RuntimeException.class, () -> SharedMemory.add32(word, 1));
        }
    }
}
