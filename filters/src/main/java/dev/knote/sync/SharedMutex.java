package dev.knote.sync;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * A mutex in {@value #BYTES} bytes of shared memory, for threads of any number of processes, Java and C. Who finds it
 * taken stays awake for a short time if its owner may be running on another processor, else sleeps. If the owner
 * dies, the next one is told, as by a robust mutex of pthreads.
 *
 * <p>It is not reentrant: an owner that locks again gets EDEADLK. Owners are kernel threads; a virtual thread, which
 * may change its kernel thread while it is the owner, gets an IllegalStateException. Blocking calls hold the thread,
 * and {@link Thread#interrupt} does not end them. It is not fair, but nobody starves: where those who stay awake pass
 * it among themselves, about every 4 ms it is handed to the one who has slept longest.
 *
 * <p><b>Bytes</b>, little endian, at an address that is a multiple of {@value #BYTES}; all zero is a free mutex.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><td>0</td><td>u64</td><td>the word. Bits 0 to 29: the owner's thread id, 0 if it is free; bit 30: an owner died;
 * bit 31: somebody may sleep; bits 32 to 62: the stamp of the owner's birth (starttime, field 22 of /proc/TID/stat;
 * 0: not known); bit 63, without a thread id: free for those alone who have slept</td></tr>
 * <tr><td>8</td><td>u32</td><td>who has said last, while he had it, where he runs. Bits 0 to 11: the number of his
 * processor, and 1, 0: not known; bits 12 to 31: the low bits of his thread id</td></tr>
 * <tr><td>12</td><td>u32</td><td>the thread id of who stays awake for it, one at a time; 0: nobody</td></tr>
 * <tr><td>16</td><td>u32</td><td>how long that is worth, in nanoseconds; 0: not known</td></tr>
 * <tr><td>20</td><td>u32</td><td>how often it was left to who is awake, though somebody may sleep</td></tr>
 * <tr><td>24</td><td>u64</td><td>when it was last handed over, by CLOCK_MONOTONIC, in nanoseconds</td></tr>
 * <tr><td>32</td><td>u32</td><td>the inode number of the namespace of process ids; 0: not known yet</td></tr>
 * </table>
 *
 * <p><b>Steps.</b> The word changes by compare-and-set of its 64 bits, or a store by its owner, sequentially
 * consistent; the futex is its low half, shared. The rest are hints; a C program must know of 12, and may leave out the
 * others.
 * <ul>
 * <li>Lock: 0 to stamp and id; then say at 8 where one runs, if something else stands there. Who has said so may lock
 * some more times without: others believe it while its thread id is that of the owner. A free word that has bits 30 or
 * 31 keeps them.
 * <li>Unlock: stamp and id to 0. That fails if bit 31 is set. If nobody stays awake then: to 0, and wake
 * one. Else: to bit 31 alone, and look at 12 again; if nobody stays awake any more, bit 31 alone to 0, and if that
 * succeeds, wake one.
 * <li>Stay awake: own id at 12, by compare-and-set from 0 or from the owner's id, only while the owner's processor is
 * another one, or not known; to end it, own id to 0, then look at the word again.
 * <li>Sleep: set bit 31, FUTEX_WAIT while the low half is unchanged, at most 50 ms. Who has slept locks with bit 31
 * set, and sets it before it gives up.
 * <li>After 50 ms with the same word: if the owner is dead, the word to own stamp and id with bit 30. What was at 12
 * before as well, to 0.
 * <li>Unlock with bit 30 set: to 0x7fffffff, for ever, and wake all.
 * </ul>
 *
 * <p><b>Death.</b> The kernel's list of robust futexes belongs to libc; so it is waiters who look, every 50 ms (and
 * {@link #tryLock()}, once 50 ms have passed since it met the same word). An owner is dead if there is no thread of its
 * id, if that thread has another stamp, or is a zombie. All participants must be in one namespace of process ids, which
 * is checked, and of time. A thread that executes another program while it is the owner is not seen to have died.
 *
 * <p><b>Threads.</b> Any thread may call anything. The memory must not be closed while the mutex is in use.
 */
public final class SharedMutex {
    /** The bytes of a mutex, which are a cache line. */
    public static final int BYTES = 64;

    /** How a lock ended. */
    public enum Outcome {
        /** The mutex is the caller's. */
        LOCKED,
        /**
         * The mutex is the caller's, and an owner has died: what it guards may be half changed. The caller repairs that
         * and calls {@link SharedMutex#consistent}; if it unlocks without, nobody can ever lock again.
         */
        OWNER_DIED,
        /** The mutex is somebody else's. */
        BUSY
    }

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    /** How often a thread that finds another one in {@link #last} leaves it there: they may take turns. */
    private static final int MISSES = 64;
    /** How often it locks until it says again where it runs. */
    private static final int LOCKS = 16;

    private final MutexLine line;
    private final MemorySegment word;
    /** Who of this process locks all the time, or null: so he need not look himself up. Any thread may set it. */
    private MutexThread last;

    private SharedMutex(MemorySegment bytes) {
        line = new MutexLine(bytes);
        word = bytes.asSlice(0, Long.BYTES);
        line.join();
    }

    /**
     * The mutex at {@code offset} of {@code memory}, whether it is new (all zero) or in use.
     *
     * @throws KeventException EFAULT if it is heap memory, EINVAL if it ends too soon, is not aligned to
     *         {@value #BYTES}, or belongs to another namespace of process ids, EACCES if it is read-only
     */
    public static SharedMutex of(MemorySegment memory, long offset) {
        Words.region("SharedMutex.of: memory", memory, offset, BYTES, BYTES);
        return new SharedMutex(memory.asSlice(offset, BYTES));
    }

    /**
     * Locks; waits as long as it takes.
     *
     * @return {@code LOCKED} or {@code OWNER_DIED}
     * @throws KeventException EDEADLK if the caller is the owner, ENOTRECOVERABLE if an owner has died and its
     *         successor has unlocked without {@link #consistent}
     */
    public Outcome lock() {
        return lockAgain() ? Outcome.LOCKED : lockFor(Words.NEVER);
    }

    /** Locks if the mutex is free; errors as of {@link #lock}. */
    public Outcome tryLock() {
        if (lockAgain()) {
            return Outcome.LOCKED;
        }
        MutexThread me = MutexThread.current();
        return note(me, line.lockFree(me) ? Outcome.LOCKED : line.tryLock(me));
    }

    /**
     * Locks; waits for at most {@code timeout}, null for ever; errors as of {@link #lock}.
     *
     * @throws KeventException EINVAL if {@code timeout} is negative
     */
    public Outcome tryLock(Duration timeout) {
        long nanos = nanos(timeout);
        return lockAgain() ? Outcome.LOCKED : lockFor(Words.deadline(nanos));
    }

    /**
     * Unlocks, and wakes who is next if somebody sleeps.
     *
     * @throws KeventException EPERM if the caller is not the owner
     */
    public void unlock() {
        MutexThread me = last;
        if (me == null || !me.isCaller() || (long) LONG.compareAndExchange(word, 0L, me.id, 0L) != me.id) {
            unlockOther();
        }
    }

    /**
     * Says that what an owner who died has left is repaired: see {@link Outcome#OWNER_DIED}.
     *
     * @throws KeventException EPERM if the caller is not the owner, EINVAL if no owner has died
     */
    public void consistent() {
        line.consistent(MutexThread.current());
    }

    /** Whether the calling thread is the owner. */
    public boolean isOwner() {
        return line.isOwner(MutexThread.current());
    }

    /** The state, for messages. */
    @Override
    public String toString() {
        return line.toString();
    }

    // For who waits for several words at once: sleep on word() while it holds sleepValue(), then tryLockWoken().

    /** The futex's word. */
    MemorySegment word() {
        return line.futex;
    }

    /** Asks to be woken by the next unlock; the value to sleep on, or 0 if it may be locked. */
    int sleepValue() {
        return line.announce(false);
    }

    /** As {@link #tryLock()}, of one whom a wake of {@link #word} has reached: it may be meant to have it. */
    Outcome tryLockWoken() {
        return line.tryLockWoken(MutexThread.current());
    }

    /** For one whom a wake has reached and who does not want the mutex any more: the next one is woken. */
    void passOn() {
        line.passOn();
    }

    /** As {@link #unlock}, of one who has locked in vain: that an owner has died is for the next one to hear of. */
    void giveBack() {
        line.giveBack(MutexThread.current());
    }

    /** Locks it if it is free and the thread is the one who locks all the time. */
    private boolean lockAgain() {
        MutexThread me = last;
        if (me == null || !me.isCaller() || (long) LONG.compareAndExchange(word, 0L, 0L, me.id) != 0) {
            return false;
        }
        if ((++me.locks & LOCKS - 1) == 0) {
            line.publish(me);
        }
        return true;
    }

    private Outcome lockFor(long deadline) {
        MutexThread me = MutexThread.current();
        return note(me, line.lockFree(me) ? Outcome.LOCKED : line.lock(me, deadline));
    }

    /** Who is not {@link #last} has it, and has said where he runs: then the last one has to say so again. */
    private Outcome note(MutexThread me, Outcome outcome) {
        if (outcome == Outcome.LOCKED && last != me) {
            if ((++me.misses & MISSES - 1) == 0) {
                last = me;
            } else if (last != null) {
                last = null;
            }
        }
        return outcome;
    }

    private void unlockOther() {
        MutexThread me = MutexThread.current();
        line.unlock(me);
        if (me.left != 0 && last != null) {
            last = null; // lockAgain would guess wrong
        }
    }

    private static long nanos(Duration timeout) {
        if (timeout == null) {
            return Words.NEVER;
        }
        if (timeout.isNegative()) {
            throw new KeventException(Errno.EINVAL,
                    "SharedMutex.tryLock: timeout is " + timeout
                            + ": expected null, zero or a positive duration");
        }
        return timeout.compareTo(Duration.ofNanos(Words.NEVER)) < 0 ? timeout.toNanos() : Words.NEVER;
    }
}
