package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Indices 0 to {@code size - 1} that are free, on a stack for each processor: of slots of a pool, or buffers, that threads
 * of any number of processes take and give back. Lock-free: a process that is killed at any point leaves every stack
 * intact. The index that it held, or was about to push, stays taken: only its user can know.
 *
 * <p><b>The bytes.</b> At an address that is a multiple of 64: so many lines of 64 bytes, the first 64-bit word of each a
 * head; then a 32-bit word for each index, the link. A head has the version in its upper 32 bits, and in the lower ones
 * 0 for an empty stack, or one more than the index on top. A link has 0 for the last of a stack, or one more than the
 * next index. All zero is the beginning: every index is taken, and who makes the region pushes those that are free.
 *
 * <p><b>The steps.</b> Push {@code i}: read the head {@code h} of line {@code sched_getcpu() % lines}, write its lower half
 * to link {@code i}, replace the head by {@code (version(h) + 1, i + 1)} if it still is {@code h}; else begin again. Pop:
 * read {@code h}, read the link {@code n} of its top, replace the head by {@code (version(h) + 1, n)} if it still is
 * {@code h}. If the stack is empty take from the next line's, round to the first again. If all have been seen empty, once
 * more, until the versions add up to what they did before: then there was a moment when all were empty. Every replacement is
 * sequentially consistent, a read acquires. The version is what makes a top that was taken and has come back another one;
 * who sleeps between read and replacement for exactly 2^32 changes of that stack would be deceived.
 */
public final class CpuFreeList {
    /** What {@link #pop} returns if nothing is free. */
    public static final int NONE = -1;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final long INDEX = 0xffffffffL;
    private static final long VERSION = 1L << 32;

    private final MemorySegment region;
    private final int lines;
    private final long links;
    private final int size;

    private CpuFreeList(MemorySegment region, int lines, int size) {
        this.region = region;
        this.lines = lines;
        this.links = (long) lines * Cpu.LINE;
        this.size = size;
    }

    /** How many bytes {@code lines} lines and {@code size} links take. */
    public static long bytes(int lines, int size) {
        checkSize("CpuFreeList.bytes", size);
        return Cpu.bytes("CpuFreeList.bytes", lines) + (long) Integer.BYTES * size;
    }

    /**
     * The free list at {@code offset} of {@code memory}. Everybody takes the same {@code lines} and {@code size}.
     *
     * @throws KeventException EINVAL if there are not {@link #bytes} of it there, at a multiple of 64, or {@code size} is
     *         not 1 at least; EFAULT for heap memory; EACCES if it is read-only
     */
    public static CpuFreeList of(MemorySegment memory, long offset, int lines, int size) {
        checkSize("CpuFreeList.of", size);
        long links = (long) Integer.BYTES * size;
        return new CpuFreeList(Cpu.lines("CpuFreeList.of", memory, offset, lines, links), lines, size);
    }

    /**
     * Gives an index back, to this processor's stack. It must not be free: nobody checks that.
     *
     * @throws KeventException EINVAL if there is no such index
     */
    public void push(int index) {
        if (index < 0 || index >= size) {
            throw new KeventException(
                    Errno.EINVAL,
                    "CpuFreeList.push: index " + index + ": expected 0 to " + (size - 1));
        }
        push(Cpu.line(lines), index);
    }

    private static void checkSize(String what, int size) {
        if (size < 1) {
            throw new KeventException(Errno.EINVAL, what + ": size " + size + ": expected 1 at least");
        }
    }

    void push(int line, int index) {
        long at = (long) line * Cpu.LINE;
        while (true) {
            long head = (long) LONG.getAcquire(region, at);
            INT.setRelease(region, link(index + 1L), (int) head);
            if (LONG.compareAndSet(region, at, head, next(head, index + 1L))) {
                return;
            }
        }
    }

    /** Takes an index, of this processor's stack if there is one; {@link #NONE} if all were empty at one moment. */
    public int pop() {
        return pop(Cpu.line(lines));
    }

    int pop(int mine) {
        int index = popOf(mine);
        return index != NONE ? index : steal(mine);
    }

    private int steal(int mine) {
        long versions = versions();
        while (true) {
            for (int i = 1; i <= lines; i++) {
                int index = popOf((mine + i) % lines);
                if (index != NONE) {
                    return index;
                }
            }
            long before = versions;
            versions = versions();
            if (versions == before) {
                return NONE;
            }
        }
    }

    /** Grows with every change of any stack: twice the same is no change between. */
    private long versions() {
        long sum = 0;
        for (int line = 0; line < lines; line++) {
            sum += (long) LONG.getVolatile(region, (long) line * Cpu.LINE) >>> 32;
        }
        return sum;
    }

    private int popOf(int line) {
        long at = (long) line * Cpu.LINE;
        while (true) {
            long head = (long) LONG.getAcquire(region, at);
            long top = head & INDEX;
            if (top == 0) {
                return NONE;
            }
            if (top > size) {
                throw new KeventException(
                        Errno.EIO, "CpuFreeList.pop: line " + line + " has index " + (top - 1)
                                + " on top: expected 0 to " + (size - 1));
            }
            long below = (int) INT.getAcquire(region, link(top)) & INDEX;
            if (LONG.compareAndSet(region, at, head, next(head, below))) {
                return (int) top - 1;
            }
        }
    }

    private long link(long top) {
        return links + (top - 1) * Integer.BYTES;
    }

    private static long next(long head, long top) {
        return ((head & ~INDEX) + VERSION) | top;
    }
}
