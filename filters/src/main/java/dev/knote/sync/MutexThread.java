package dev.knote.sync;

import dev.knote.linux.OwnCpu;
import dev.knote.linux.Threads;
import dev.knote.words.ProcStat;

/**
 * A thread as it owns a {@link SharedMutex}: its kernel's id in the low half of a word of 64 bits, the stamp of its
 * birth in the high half. A stamp is the low 31 bits of field 22, starttime, of {@code /proc/TID/stat}; 0 if it is not
 * known.
 */
final class MutexThread {
    static final long TID_MASK = 0x3fffffffL;

    /** Who locks as often as this uses a mutex all the time. */
    private static final int HAMMER_NANOS = 1_000;
    private static final int STAMP_MASK = 0x7fffffff;

    private static final ThreadLocal<MutexThread> CURRENT = ThreadLocal.withInitial(MutexThread::new);

    /** Stamp and thread id. */
    final long id;
    /** How often it has begun to spin. */
    int spins;
    /** How often it has locked any mutex since it last began to spin, and when that was. */
    int locks;
    /** How often it has found another one in {@link SharedMutex#last}. */
    int misses;
    private long spinNanos;
    /** What it left in a mutex when it last unlocked one, 0 or that others may sleep: a guess at what it will find. */
    long left;

    private final OwnCpu cpu;
    private final long javaId = Thread.currentThread().threadId();

    private MutexThread() {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException(
                    "SharedMutex: the calling thread is virtual: expected a platform thread, which has an id that the "
                            + "kernel knows and keeps it");
        }
        cpu = OwnCpu.ofCaller();
        id = (long) stamp(ProcStat.of("thread-self")) << Integer.SIZE | Threads.gettid();
    }

    static MutexThread current() {
        return CURRENT.get();
    }

    boolean isCaller() {
        return javaId == Thread.currentThread().threadId();
    }

    /** Begins to spin: whether it has done little but lock, again and again, since it did so last. */
    boolean isHammering(long now) {
        boolean is = now - spinNanos < (long) locks * HAMMER_NANOS;
        spinNanos = now;
        locks = 0;
        return is;
    }

    /** The processor that it runs on; for the thread itself alone. */
    int cpu() {
        return cpu.get();
    }

    int tid() {
        return (int) (id & TID_MASK);
    }

    /**
     * Whether the thread is no more. A thread id that is used again shows by another stamp; a process that was killed
     * and not waited for yet, by its state. What /proc doesn't show is believed to be alive as long as there is the id.
     */
    static boolean isDead(long id) {
        int tid = (int) (id & TID_MASK);
        if (Threads.isGone(tid)) {
            return true;
        }
        ProcStat stat = ProcStat.of(Integer.toString(tid));
        int stamp = (int) (id >>> Integer.SIZE);
        return stat != null
                && (stat.isZombie() || stamp != 0 && stamp(stat) != 0 && stamp(stat) != stamp);
    }

    private static int stamp(ProcStat stat) {
        return stat == null ? 0 : (int) stat.start() & STAMP_MASK;
    }
}
