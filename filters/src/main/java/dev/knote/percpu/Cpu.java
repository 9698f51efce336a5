package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import dev.knote.words.Words;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The processor that the calling thread runs on: a hint, as the thread may be moved at any moment. It says which line
 * of per-CPU memory is likely to be in the cache, and nothing more.
 *
 * <p>On x86-64 with glibc 2.35 or newer a platform thread reads it from memory, where the kernel keeps it (rseq(2));
 * virtual threads, and everybody elsewhere, by sched_getcpu(3), or getcpu(2).
 */
public final class Cpu {
    /** Bytes of a line: what one processor has for itself. */
    static final int LINE = 64;

    private static final int COUNT = possible();

    private Cpu() {}

    /** The number of the processor that the calling thread ran on a moment ago. */
    public static int current() {
        return Threads.cpu();
    }

    /** One more than the highest number that {@link #current} may return: how many lines there are to be. */
    public static int count() {
        return COUNT;
    }

    /** The line, of {@code lines}, of the calling thread's processor. */
    static int line(int lines) {
        int cpu = Threads.cpu();
        return cpu < lines ? cpu : cpu % lines;
    }

    /** What so many lines take. */
    static long bytes(String what, int lines) {
        if (lines < 1) {
            throw new KeventException(
                    Errno.EINVAL, what + ": " + lines + " lines: expected 1 at least, or Cpu.count()");
        }
        return (long) LINE * lines;
    }

    /** {@code memory} from {@code offset}, {@code lines} lines and {@code more} bytes. */
    static MemorySegment lines(String what, MemorySegment memory, long offset, int lines, long more) {
        long bytes = bytes(what, lines) + more;
        Words.region(what + ": memory", memory, offset, bytes, LINE);
        return memory.asSlice(offset, bytes);
    }

    private static int possible() {
        int fallback = Runtime.getRuntime().availableProcessors();
        try {
            String list = Files.readString(Path.of("/sys/devices/system/cpu/possible")).strip();
            return Integer
                    .parseInt(list.substring(Math.max(list.lastIndexOf('-'), list.lastIndexOf(',')) + 1))
                    + 1;
        } catch (IOException | RuntimeException e) {
            return fallback;
        }
    }
}
