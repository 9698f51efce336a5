package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.SharedMemory;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Words and pipes, changed by the test alone, and what they hold. */
final class ModelWorld implements ModelQueue.World, AutoCloseable {
    private static final int SYS_PIPE2 = "amd64".equals(System.getProperty("os.arch")) ? 293 : 59;
    private static final int CLOEXEC_NONBLOCK = 0x80800;
    private static final int PIPES = 2;
    private static final int NO_FD = 1_000_000;
    private static final int MOST = 64;

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(MOST);
    private final int[] readers = new int[PIPES];
    private final int[] writers = new int[PIPES];
    private final int[] bytes = new int[PIPES];
    /** Two words of either width, one that is only 32 bits wide; nothing is at the others. */
    private final long[] words;

    ModelWorld() {
        MemorySegment fds = arena.allocate(8, 8);
        for (int i = 0; i < PIPES; i++) {
            assertEquals(0, Native.syscall(SYS_PIPE2, fds.address(), CLOEXEC_NONBLOCK, 0));
            readers[i] = fds.get(ValueLayout.JAVA_INT, 0);
            writers[i] = fds.get(ValueLayout.JAVA_INT, 4);
        }
        long base = memory.segment().address();
        words = new long[] {base, base + 64, base + 132, base + 2, 64};
    }

    MemorySegment memory() {
        return memory.segment();
    }

    @Override
    public Long word(long address, int width) {
        long offset = address - memory.segment().address();
        if (offset < 0 || offset >= 4096) {
            return null;
        }
        return width == 4
                ? (long) memory.segment().get(ValueLayout.JAVA_INT, offset)
                : (Long) memory.segment().get(ValueLayout.JAVA_LONG, offset);
    }

    @Override
    public int readable(long fd) {
        for (int i = 0; i < PIPES; i++) {
            if (readers[i] == fd) {
                return bytes[i];
            }
        }
        return -1;
    }

    long fd(Random random) {
        return random.nextInt(20) == 0 ? NO_FD : readers[random.nextInt(PIPES)];
    }

    long wordAddress(Random random) {
        return random.nextInt(10) == 0 ? words[random.nextInt(words.length)] : words[random.nextInt(3)];
    }

    long mapped(Random random) {
        return words[random.nextInt(3)];
    }

    /** Changes a word, without a wake, or a pipe; says what it did. */
    Object change(Random random, ModelQueue model) {
        if (random.nextInt(3) == 0) {
            long offset = mapped(random) - memory.segment().address();
            int value = random.nextInt(3) - 1;
            memory.segment().set(ValueLayout.JAVA_INT, offset, value);
            return "word " + offset + " is " + value;
        }
        int i = random.nextInt(PIPES);
        int n = 1 + random.nextInt(3);
        if (bytes[i] < 8 && random.nextBoolean()) {
            assertEquals(n, Fds.write(writers[i], buffer.address(), n));
            bytes[i] += n;
            model.edge(readers[i]);
            return "written " + n + " to " + readers[i];
        }
        n = random.nextBoolean() ? MOST : n;
        int got = Math.min(bytes[i], n);
        if (got > 0) {
            assertEquals(got, Fds.read(readers[i], buffer.address(), n));
            bytes[i] -= got;
        }
        if (bytes[i] > 0) {
            model.partlyRead(readers[i]);
        }
        return "read " + got + " from " + readers[i];
    }

    @Override
    public void close() {
        for (int i = 0; i < PIPES; i++) {
            Fds.close(readers[i]);
            Fds.close(writers[i]);
        }
        memory.close();
        arena.close();
    }
}
