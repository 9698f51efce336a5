package dev.knote.percpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Eight counters that any number of threads and processes add to, each on the cache line of its own processor; what has
 * been counted is the sum over the lines.
 *
 * <p><b>The bytes.</b> A region is so many lines of 64 bytes, at an address that is a multiple of 64. A line is eight
 * 64-bit words; counter {@code w} is the word at {@code 8 * w} of every line. All zero is the beginning. Everybody has to
 * take the same number of lines: {@link Cpu#count()}, in C {@code sysconf(_SC_NPROCESSORS_CONF)} or any agreed number.
 *
 * <p><b>The steps.</b> To add: atomically add to the word of line {@code sched_getcpu() % lines}. As the addition is
 * atomic, a thread that is moved to another processor between the two is slower, and not wrong. A process that is killed
 * has added or has not. To sum: read the word of each line (acquire), and add up. The sum is exact when nobody adds
 * meanwhile; otherwise, if all that is added is positive, it lies between what it was at the beginning and at the end.
 */
public final class CpuWords {
    /** How many counters there are. */
    public static final int WORDS = 8;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment lines;
    private final int count;

    private CpuWords(MemorySegment lines, int count) {
        this.lines = lines;
        this.count = count;
    }

    /** How many bytes {@code lines} lines take. */
    public static long bytes(int lines) {
        return Cpu.bytes("CpuWords.bytes", lines);
    }

    /**
     * The counters at {@code offset} of {@code memory}.
     *
     * @throws dev.knote.KeventException EINVAL if there are not {@link #bytes} of it there, at a multiple of 64; EFAULT
     *         for heap memory; EACCES if it is read-only
     */
    public static CpuWords of(MemorySegment memory, long offset, int lines) {
        return new CpuWords(Cpu.lines("CpuWords.of", memory, offset, lines, 0), lines);
    }

    /** Adds to counter 0. */
    public void add(long delta) {
        LONG.getAndAdd(lines, (long) Cpu.line(count) * Cpu.LINE, delta);
    }

    /**
     * Adds to counter {@code word}, of 0 to 7.
     *
     * @throws IndexOutOfBoundsException if there is no such counter
     */
    public void add(int word, long delta) {
        check("add", word);
        LONG.getAndAdd(lines, (long) Cpu.line(count) * Cpu.LINE + (long) word * Long.BYTES, delta);
    }

    /** What has been added to counter 0. */
    public long sum() {
        return sum(0);
    }

    /**
     * What has been added to counter {@code word}, of 0 to 7.
     *
     * @throws IndexOutOfBoundsException if there is no such counter
     */
    public long sum(int word) {
        check("sum", word);
        long sum = 0;
        long end = lines.byteSize();
        for (long at = (long) word * Long.BYTES; at < end; at += Cpu.LINE) {
            sum += (long) LONG.getAcquire(lines, at);
        }
        return sum;
    }

    private static void check(String call, int word) {
        if (word < 0 || word >= WORDS) {
            throw new IndexOutOfBoundsException(
                    "CpuWords." + call + ": word is " + word + ": expected 0 to " + (WORDS - 1));
        }
    }
}
