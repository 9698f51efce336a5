package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * An event count: says that something has changed, to those who look for themselves what. Signalling costs an addition
 * on the processor's own line, and a look at a word that changes only while somebody sleeps.
 *
 * <pre>{@code
 * while (true) {
 *     long seen = events.count();      // first
 *     if (thereIsWork()) { break; }    // then look
 *     events.await(seen, null);        // returns if anything was signalled after count()
 * }
 * }</pre>
 *
 * <p><b>The bytes.</b> A line of 64 bytes, at a multiple of 64, whose first 32-bit word is the gate; then the lines of
 * a {@link CpuWords}, whose counter 0 counts the signals. All zero is the beginning. The gate: bit 0 says that somebody may
 * sleep, the others are a number.
 *
 * <p><b>The steps</b>, all of them sequentially consistent. Signal: add 1 to the word of one's line; read the gate
 * {@code g}; with bit 0 clear that is all. Else replace {@code g} by {@code (g + 2) & ~1} to wake all, and FUTEX_WAKE all
 * of them; or by {@code g + 2} to wake {@code n}, and FUTEX_WAKE {@code n}. If those were fewer than {@code n}, then nobody
 * slept: replace {@code g + 2} by {@code (g + 4) & ~1}, if it still is that, and FUTEX_WAKE all. If {@code g} was no more, read it again. Wait,
 * after {@code seen}: set bit 0 of the gate, which gives {@code g}; if the sum is not {@code seen}, return; else FUTEX_WAIT
 * while the gate is {@code g}, and then again. Either the signaller sees the bit, or the waiter the signal.
 *
 * <p><b>Kills.</b> A waiter that is killed leaves at most the bit, which the next signal clears. A signaller killed between
 * its addition and its wake has signalled to those who look, and woken nobody. The wake of a waiter that is killed before
 * it gets to do anything is lost for others, so where processes may die, wake all, or wait with a timeout.
 */
public final class CpuEvents {
    /** Wakes everybody. */
    public static final int ALL = Integer.MAX_VALUE;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int ASLEEP = 1;
    private static final int STEP = 2;

    private final MemorySegment gate;
    private final MemorySegment region;
    private final int lines;

    private CpuEvents(MemorySegment region, int lines) {
        this.region = region;
        this.gate = region.asSlice(0, Integer.BYTES);
        this.lines = lines;
    }

    /** How many bytes the gate and {@code lines} lines take. */
    public static long bytes(int lines) {
        return Cpu.LINE + CpuWords.bytes(lines);
    }

    /**
     * The event count at {@code offset} of {@code memory}. Everybody takes the same number of lines.
     *
     * @throws KeventException EINVAL if there are not {@link #bytes} of it there, at a multiple of 64; EFAULT
     *         for heap memory; EACCES if it is read-only
     */
    public static CpuEvents of(MemorySegment memory, long offset, int lines) {
        return new CpuEvents(Cpu.lines("CpuEvents.of", memory, offset, lines, Cpu.LINE), lines);
    }

    /** How many signals there were: what to give to {@link #await} later. */
    public long count() {
        long sum = 0;
        long end = region.byteSize();
        for (long at = Cpu.LINE; at < end; at += Cpu.LINE) {
            sum += (long) LONG.getVolatile(region, at);
        }
        return sum;
    }

    /** As {@link #signal(int)}, to everybody. */
    public void signal() {
        signal(ALL);
    }

    /**
     * Signals, and wakes at most {@code most} of those who sleep: one is enough if any of them can do what there is to do.
     * All who wait and don't sleep yet return, too.
     */
    public void signal(int most) {
        if (most < 1) {
            throw new KeventException(
                    Errno.EINVAL, "CpuEvents.signal: " + most + " waiters: expected 1 at least");
        }
        LONG.getAndAdd(region, Cpu.LINE + (long) Cpu.line(lines) * Cpu.LINE, 1L);
        for (int g = Words.get(gate); (g & ASLEEP) != 0; g = Words.get(gate)) {
            boolean all = most == ALL;
            if (Words.swap(gate, g, all ? g + STEP & ~ASLEEP : g + STEP)) {
                if (Words.wake(gate, most) < most && !all) {
                    nobodySleeps(g + STEP);
                }
                return;
            }
        }
    }

    /** Who has fallen asleep meanwhile is woken for nothing, to set the bit again. */
    private void nobodySleeps(int g) {
        if (Words.swap(gate, g, g + STEP & ~ASLEEP)) {
            Words.wake(gate, ALL);
        }
    }

    /**
     * Sleeps until there is a signal that {@code seen} does not count. It may return for a signal meant for another.
     *
     * @param timeout null for ever
     * @return the count; {@code seen} if the time is over
     */
    public long await(long seen, Duration timeout) {
        long deadline = Words.deadline(timeout == null ? Words.NEVER : timeout.toNanos());
        long count = count();
        boolean inTime = true;
        while (count == seen && inTime) {
            int g = Words.or(gate, ASLEEP) | ASLEEP;
            count = count();
            if (count == seen) {
                inTime = Words.sleep(gate, g, deadline);
                count = count();
            }
        }
        return count;
    }
}
