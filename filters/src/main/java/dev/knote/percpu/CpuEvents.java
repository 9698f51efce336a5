package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
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
 * <p><b>The steps</b>, all of them sequentially consistent. Signal: add 1 to the word of one's line; read the gate; with bit
 * 0 clear that is all. Else, to wake all: FUTEX_WAKE_OP on the gate, which adds 1 to it (that clears the bit and makes it
 * another number) and wakes all. To wake {@code n}: FUTEX_WAKE_OP that adds 2 and wakes {@code n}; if those were fewer,
 * nobody slept any more: as to wake all. Wait, after {@code seen}: set bit 0 of the gate, which gives {@code g}; if the sum
 * is not {@code seen}, return; else FUTEX_WAIT while the gate is {@code g}, and then again. Either the signaller sees the
 * bit, or the waiter the signal; and the gate only grows, so that nobody falls asleep behind a wake. Two signallers at
 * once may leave the bit set with nobody asleep: the next signal costs a system call.
 *
 * <p><b>Kills.</b> A waiter that is killed leaves at most the bit, which the next signal clears. A signaller killed between
 * its addition and its wake has signalled to those who look, and woken nobody; the next signal wakes. The wake of a
 * waiter that is killed before it gets to do anything is lost for others, so where processes may die, wake all, or wait
 * with a timeout.
 */
public final class CpuEvents {
    /** Wakes everybody. */
    public static final int ALL = Integer.MAX_VALUE;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int ASLEEP = 1;

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
        return Cpu.LINE + Cpu.bytes("CpuEvents.bytes", lines);
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
        if ((Words.get(gate) & ASLEEP) != 0 && (most == ALL || wake(2, most) < most)) {
            wake(1, ALL);
        }
    }

    private int wake(int delta, int most) {
        int woken = Futex.addAndWake(gate.address(), delta, most);
        Reference.reachabilityFence(gate);
        if (woken < 0) {
            throw new KeventException(-woken, "CpuEvents.signal: wake of the gate");
        }
        return woken;
    }

    /**
     * Sleeps until there is a signal that {@code seen} does not count. It may return for a signal meant for another.
     *
     * @param timeout null for ever
     * @return the count; {@code seen} if the time is over
     * @throws IllegalArgumentException if the timeout is negative
     */
    public long await(long seen, Duration timeout) {
        long deadline = Words.deadline(Words.nanos("CpuEvents.await: timeout", timeout));
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
