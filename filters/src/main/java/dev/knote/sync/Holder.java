package dev.knote.sync;

import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import dev.knote.words.ProcStat;

/**
 * A process in 64 bits, never 0: its pid, and from bit 22 on the time it started at, in ticks since boot. A pid that was
 * given to another process is another number.
 */
final class Holder {
    static final int PID_BITS = 22;
    static final long SELF = self();

    private Holder() {}

    static int pid(long holder) {
        return (int) (holder & (1L << PID_BITS) - 1);
    }

    /** Whether the process is gone for certain: ended, waited for by its parent or not, or another has its pid. */
    static boolean isDead(long holder) {
        int pid = pid(holder);
        if (Threads.tgkill(pid, pid, 0) == -Errno.ESRCH) {
            return true;
        }
        ProcStat stat = ProcStat.of(Integer.toString(pid));
        if (stat == null) {
            return false; // gone this moment, which is found next time, or hidden
        }
        long named = holder & -1L << PID_BITS;
        return stat.isEnded() || named != 0 && stat.start() << PID_BITS != named;
    }

    /** A start of 0 is one that is not known. */
    private static long self() {
        ProcStat stat = ProcStat.of("self");
        return (stat == null ? 0 : stat.start() << PID_BITS) | Threads.getpid();
    }
}
