package dev.knote.filters.usermem;

import dev.knote.SharedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/** Where words can be. */
enum Place {
    /** A named file in /dev/shm. */
    SHM,
    /** A file on disk, opened as shared memory. */
    FILE,
    /** A file on disk, mapped by its channel. */
    CHANNEL,
    /** A memfd. */
    MEMFD,
    /** Memory of this process alone. */
    ARENA;

    private static final AtomicInteger NAMES = new AtomicInteger();

    /** Memory of this kind; all words of it hold {@link Width#VALUE}. */
    TestMemory open() throws IOException {
        return switch (this) {
            case SHM -> {
                String name = "knote-usermem-" + ProcessHandle.current().pid() + "-"
                        + NAMES.getAndIncrement();
                yield shared(SharedMemory.create(name, TestMemory.BYTES), true);
            }
            case FILE -> shared(SharedMemory.map(newFile()), true);
            case CHANNEL -> channel(newFile());
            case MEMFD -> shared(SharedMemory.anonymous(TestMemory.BYTES), false);
            case ARENA -> {
                Arena arena = Arena.ofShared();
                yield new TestMemory(arena.allocate(TestMemory.BYTES, TestMemory.PAGE), null, arena::close,
                        null);
            }
        };
    }

    private static TestMemory shared(SharedMemory memory, boolean named) {
        Path path = memory.path();
        return new TestMemory(memory.segment(), path, memory::close, named ? path : null);
    }

    private static TestMemory channel(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try (var open = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment mapped = open.map(FileChannel.MapMode.READ_WRITE, 0, TestMemory.BYTES, arena);
            return new TestMemory(mapped, file, arena::close, file);
        }
    }

    private static Path newFile() throws IOException {
        Path file = Files.createTempFile("knote-usermem-", null);
        return Files.write(file, new byte[TestMemory.BYTES]);
    }
}
