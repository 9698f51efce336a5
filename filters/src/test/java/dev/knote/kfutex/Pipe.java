package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** pipe2(2), not blocking, close-on-exec; its ends can be closed one by one. */
final class Pipe implements AutoCloseable {
    private static final int SYS_PIPE2 = "amd64".equals(System.getProperty("os.arch")) ? 293 : 59;
    private static final int CLOEXEC_NONBLOCK = 0x80800;
    private static final int ROOM = 4096;

    final int reader;
    final int writer;
    private final MemorySegment buffer = Arena.ofAuto().allocate(ROOM, 8);
    private boolean readerGone;
    private boolean writerGone;

    Pipe() {
        assertEquals(0, Native.syscall(SYS_PIPE2, buffer.address(), CLOEXEC_NONBLOCK, 0));
        reader = buffer.get(ValueLayout.JAVA_INT, 0);
        writer = buffer.get(ValueLayout.JAVA_INT, 4);
    }

    void write(int bytes) {
        assertEquals(bytes, Fds.write(writer, buffer.address(), bytes));
    }

    void drain() {
        Fds.read(reader, buffer.address(), ROOM);
    }

    /** Somebody else has closed it. */
    void readerIsGone() {
        readerGone = true;
    }

    void closeWriter() {
        if (!writerGone) {
            writerGone = true;
            Fds.close(writer);
        }
    }

    @Override
    public void close() {
        closeWriter();
        if (!readerGone) {
            readerGone = true;
            Fds.close(reader);
        }
    }
}
