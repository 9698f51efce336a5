package dev.knote.sync;

import dev.knote.sync.SharedMutex.Outcome;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** Who stays awake for a {@link SharedMutex}, for how long, and where its owner runs: bytes 8 to 19 of its line. */
final class MutexSpin {
    private static final long OWNER_CPU = 8;
    private static final long AWAKE = 12;
    private static final long WORTH = 16;

    private static final int CPU_BITS = 12;
    private static final int CPU_MASK = (1 << CPU_BITS) - 1;
    /** Where who has it has not said where he runs: this process has no other processor. */
    private static final boolean ONE_CPU = Runtime.getRuntime().availableProcessors() == 1;

    private static final int LOOKS = 8;
    /** Nanoseconds: what a sleep and a wake cost, about. */
    private static final int MOST_WORTH = 50_000;
    private static final int LEAST_WORTH = 500;
    /** Who sees it free so soon need not take it at once: what is held for less is worth less than moving it here. */
    private static final int SHORT_NANOS = 300;
    private static final int LEAVE_NANOS = 10_000;
    private static final int DOUBTS = 16;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final MutexLine mutex;
    private final MemorySegment line;

    MutexSpin(MutexLine mutex, MemorySegment line) {
        this.mutex = mutex;
        this.line = line;
    }

    /** Says where the owner runs, who calls. */
    void publish(MutexThread me) {
        int cpu = me.cpu() + 1;
        int says = me.tid() << CPU_BITS | (cpu <= CPU_MASK ? cpu : 0);
        if ((int) INT.getOpaque(line, OWNER_CPU) != says) {
            INT.setOpaque(line, OWNER_CPU, says);
        }
    }

    /** The thread id of who stays awake, or 0. */
    int who() {
        return (int) INT.getVolatile(line, AWAKE);
    }

    /** He does not stay awake any more. */
    void end(int who) {
        INT.compareAndSet(line, AWAKE, who, 0);
    }

    /** Stays awake for it, alone, if that may help. Who has it already may not have said that it waits no more. */
    Outcome spin(MutexThread me, long deadline, boolean woken) {
        int awake = who();
        if (awake != 0 && awake != mutex.ownerTid() || isBesideMe(me)
                || !INT.compareAndSet(line, AWAKE, awake, me.tid())) {
            return Outcome.BUSY;
        }
        me.spins++;
        try {
            return look(me, deadline, woken);
        } finally {
            end(me.tid());
        }
    }

    /** Looks at the mutex while its owner may be running, for as long as it has been worth while. */
    private Outcome look(MutexThread me, long deadline, boolean woken) {
        int worth = (int) INT.getOpaque(line, WORTH);
        boolean doubt = me.spins % DOUBTS == 0 || worth <= 0 || worth > MOST_WORTH;
        long begin = System.nanoTime();
        long end = Math.min(deadline, begin + (doubt ? MOST_WORTH : worth));
        long now = begin;
        boolean mayLeave = me.isHammering(begin);
        for (int looks = 1;; looks++) {
            if (MutexLine.isFree(mutex.get(), woken)) {
                now = System.nanoTime();
                if (mayLeave && now - begin < SHORT_NANOS && now < end) {
                    long left = leave(now);
                    begin += left;
                    end += left;
                    mayLeave = false;
                    continue;
                }
                Outcome outcome = mutex.take(me, woken);
                if (outcome != Outcome.BUSY) {
                    learn(worth - worth / DOUBTS, 2 * (now - begin));
                    return outcome;
                }
            }
            Thread.onSpinWait();
            if (looks % LOOKS == 0) {
                now = System.nanoTime();
                if (now >= end) {
                    learn(worth / 2, 0);
                    return Outcome.BUSY;
                }
                if (isBesideMe(me)) {
                    return Outcome.BUSY;
                }
            }
        }
    }

    /**
     * Leaves it to its owner for a moment, of one who would come back for it at once as well. To take what is held for so
     * short a time whenever it is free would move the line, and all that the mutex guards, from processor to
     * processor, which takes longer than a section. Returns how long that was.
     */
    private static long leave(long now) {
        long left;
        do {
            for (int i = 0; i < LOOKS; i++) {
                Thread.onSpinWait();
            }
            left = System.nanoTime() - now;
        } while (left < LEAVE_NANOS);
        return left;
    }

    /** Whether the owner has said that he runs on this processor: he doesn't, then, while this thread does. */
    private boolean isBesideMe(MutexThread me) {
        int owner = mutex.ownerTid();
        int said = (int) INT.getOpaque(line, OWNER_CPU);
        int cpu = said & CPU_MASK;
        if (cpu == 0 || said >>> CPU_BITS != (owner << CPU_BITS) >>> CPU_BITS) {
            return ONE_CPU;
        }
        return cpu == me.cpu() + 1;
    }

    private void learn(int worth, long atLeast) {
        INT.setOpaque(line, WORTH, Math.clamp(Math.max(worth, atLeast), LEAST_WORTH, MOST_WORTH));
    }
}
