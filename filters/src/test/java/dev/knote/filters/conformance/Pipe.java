package dev.knote.filters.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** pipe2(2), not blocking, close-on-exec. */
public final class Pipe implements AutoCloseable {
    private static final int SYS_PIPE2 = "amd64".equals(System.getProperty("os.arch")) ? 293 : 59;
    private static final int CLOEXEC_NONBLOCK = 0x80800;
    private static final int ROOM = 1 << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(ROOM);
    private final int reader;
    private final int writer;

    public Pipe() {
        MemorySegment fds = arena.allocate(8, 8);
        assertEquals(0, Native.syscall(SYS_PIPE2, fds.address(), CLOEXEC_NONBLOCK, 0));
        reader = fds.get(ValueLayout.JAVA_INT, 0);
        writer = fds.get(ValueLayout.JAVA_INT, 4);
    }

    public int reader() {
        return reader;
    }

    int writer() {
        return writer;
    }

    public void write(int bytes) {
        assertEquals(bytes, Fds.write(writer, buffer.address(), bytes));
    }

    /** Writes until nothing more goes in. */
    void fill() {
        for (int bytes = ROOM; bytes > 0;) {
            if (Fds.write(writer, buffer.address(), bytes) < 0) {
                bytes /= 2;
            }
        }
    }

    /** One read(2) of all there is: how many bytes that was, or -errno. */
    long drain() {
        return Fds.read(reader, buffer.address(), ROOM);
    }

    @Override
    public void close() {
        Fds.close(writer);
        Fds.close(reader);
        arena.close();
    }
}
