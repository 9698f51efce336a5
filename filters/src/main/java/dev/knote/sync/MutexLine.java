package dev.knote.sync;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.ProcStat;
import dev.knote.sync.SharedMutex.Outcome;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** The steps on the bytes of a {@link SharedMutex}, whose javadoc states them. */
final class MutexLine {
    /** At the longest, an owner's death goes unseen so long. */
    static final long LOOK_NANOS = 50_000_000;

    private static final long TID = MutexThread.TID_MASK;
    private static final long DIED = 0x40000000L;
    private static final long WAITERS = 0x80000000L;
    /** Without a thread id: it is for one who has slept. */
    private static final long RESERVED = Long.MIN_VALUE;
    private static final long LOST = DIED | TID;

    private static final long CPU = 8;
    private static final long AWAKE = 12;
    private static final long WORTH = 16;
    private static final long PASSED = 20;
    private static final long HANDED = 24;
    private static final long NAMESPACE = 32;

    private static final int LOOKS = 8;
    private static final int PAUSES = 4;
    /** Nanoseconds: what a sleep and a wake cost, about. */
    private static final int MOST_WORTH = 50_000;
    private static final int LEAST_WORTH = 500;
    /** Who sees it free so soon need not take it at once: what is held for less is worth less than moving it here. */
    private static final int SHORT_NANOS = 300;
    private static final int LEAVE_NANOS = 10_000;
    private static final int DOUBTS = 16;
    private static final int PASSES = 64;
    private static final long TURN_NANOS = 4_000_000;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    final MemorySegment futex;
    private final MemorySegment line;
    /** What a tryLock has last met in vain, and when: a hint, which threads may spoil for each other. */
    private long met;
    private long metNanos;

    MutexLine(MemorySegment line) {
        this.line = line;
        futex = line.asSlice(0, Integer.BYTES);
    }

    /** Refuses memory in which the thread ids mean others. */
    void join() {
        int mine = (int) ProcStat.pidNamespace();
        int theirs = (int) INT.getVolatile(line, NAMESPACE);
        if (theirs == 0 && !INT.compareAndSet(line, NAMESPACE, 0, mine)) {
            theirs = (int) INT.getVolatile(line, NAMESPACE);
        }
        if (theirs != 0 && mine != 0 && theirs != mine) {
            throw new KeventException(Errno.EINVAL,
                    "SharedMutex.of: memory: it is used in the namespace of process ids "
                            + Integer.toUnsignedString(theirs) + ": expected this one, "
                            + Integer.toUnsignedString(mine));
        }
    }

    boolean lockFree(MutexThread me) {
        int cpu = me.cpu() + 1;
        if (!swap(me.left, me.id | me.left)) {
            return false;
        }
        publish(cpu);
        me.locks++;
        return true;
    }

    Outcome lock(MutexThread me, long deadline) {
        boolean woken = false;
        Outcome outcome = take(me, false);
        while (outcome == Outcome.BUSY) {
            if (deadline != Words.NEVER && System.nanoTime() >= deadline) {
                return woken ? giveUp(me) : tryLock(me);
            }
            outcome = spin(me, deadline, woken);
            if (outcome == Outcome.BUSY) {
                outcome = sleep(me, deadline, woken);
                woken = true;
            }
        }
        return outcome;
    }

    Outcome tryLock(MutexThread me) {
        Outcome outcome = take(me, false);
        if (outcome == Outcome.BUSY) {
            long seen = get();
            long now = System.nanoTime();
            if (seen != met) {
                met = seen;
                metNanos = now;
            } else if (now - metNanos > LOOK_NANOS) {
                metNanos = now;
                return inherit(me, seen);
            }
        }
        return outcome;
    }

    Outcome tryLockWoken(MutexThread me) {
        Outcome outcome = take(me, true);
        return outcome == Outcome.BUSY ? tryLock(me) : outcome;
    }

    /** Locks if it is free; if it is reserved, only one who was woken may. */
    private Outcome take(MutexThread me, boolean woken) {
        while (true) {
            long seen = get();
            if (isHeld(seen)) {
                if (owner(seen) == me.id) {
                    throw new KeventException(Errno.EDEADLK,
                            "SharedMutex.lock: the calling thread " + me.tid()
                                    + " is the owner: expected another one");
                }
                return Outcome.BUSY;
            }
            if ((seen & LOST) == LOST) {
                throw new KeventException(Errno.ENOTRECOVERABLE,
                        "SharedMutex.lock: an owner has died, and its successor has unlocked "
                                + "without consistent()");
            }
            if (isReserved(seen) && !woken) {
                return Outcome.BUSY;
            }
            if (swap(seen, me.id | seen & (WAITERS | DIED) | (woken ? WAITERS : 0))) {
                publish(me.cpu() + 1);
                me.locks++;
                return (seen & DIED) != 0 ? Outcome.OWNER_DIED : Outcome.LOCKED;
            }
        }
    }

    /** Stays awake for it, alone, if that may help. Who has it already may not have said that it waits no more. */
    private Outcome spin(MutexThread me, long deadline, boolean woken) {
        int awake = (int) INT.getVolatile(line, AWAKE);
        if (awake != 0 && awake != (int) (get() & TID) || isBesideMe(me)
                || !INT.compareAndSet(line, AWAKE, awake, me.tid())) {
            return Outcome.BUSY;
        }
        me.spins++;
        try {
            return look(me, deadline, woken);
        } finally {
            INT.compareAndSet(line, AWAKE, me.tid(), 0);
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
            if (isFree(get(), woken)) {
                now = System.nanoTime();
                if (mayLeave && now - begin < SHORT_NANOS && now < end) {
                    long left = leave(now);
                    begin += left;
                    end += left;
                    mayLeave = false;
                    continue;
                }
                Outcome outcome = take(me, woken);
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
                if ((int) INT.getOpaque(line, CPU) == 0 || isBesideMe(me)) {
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

    /**
     * Whether the owner was last seen on this processor: it does not run then. Who has locked it in this moment needs the
     * line back to say where he is: until then it is the last owner's processor that stands there, often this one.
     */
    private boolean isBesideMe(MutexThread me) {
        for (int i = 0; (int) INT.getOpaque(line, CPU) == me.cpu() + 1; i++) {
            if (i > 0) {
                return true;
            }
            for (int pauses = 0; pauses < PAUSES; pauses++) {
                Thread.onSpinWait();
            }
        }
        return false;
    }

    private void learn(int worth, long atLeast) {
        INT.setOpaque(line, WORTH, Math.clamp(Math.max(worth, atLeast), LEAST_WORTH, MOST_WORTH));
    }

    private Outcome sleep(MutexThread me, long deadline, boolean woken) {
        int value = announce(woken);
        if (value == 0) {
            return take(me, woken);
        }
        long before = get();
        int awake = (int) INT.getVolatile(line, AWAKE);
        long end = Math.min(deadline, System.nanoTime() + LOOK_NANOS);
        if (Words.sleep(futex, value, end)) {
            return take(me, true);
        }
        if (awake != 0) {
            INT.compareAndSet(line, AWAKE, awake, 0);
        }
        Outcome outcome = take(me, true);
        return outcome == Outcome.BUSY && get() == before ? inherit(me, before) : outcome;
    }

    /** Asks to be woken; what to sleep on, or 0 if it is to be taken. */
    int announce(boolean woken) {
        while (true) {
            long seen = get();
            if (isFree(seen, woken)) {
                return 0;
            }
            if ((seen & WAITERS) != 0 || swap(seen, seen | WAITERS)) {
                return (int) (seen | WAITERS);
            }
        }
    }

    /** Takes what a dead owner has left. */
    private Outcome inherit(MutexThread me, long seen) {
        if (!isHeld(seen) || !MutexThread.isDead(owner(seen)) || !swap(seen, me.id | seen & WAITERS | DIED)) {
            return Outcome.BUSY;
        }
        publish(me.cpu() + 1);
        return Outcome.OWNER_DIED;
    }

    /** A wake may have reached who waits no more: it is not lost, as the next unlock wakes again. */
    private Outcome giveUp(MutexThread me) {
        Outcome outcome = Outcome.BUSY;
        while (outcome == Outcome.BUSY && announce(true) == 0) {
            outcome = take(me, true);
        }
        return outcome;
    }

    void passOn() {
        if (announce(true) == 0) {
            wakeOne();
        }
    }

    void unlock(MutexThread me) {
        if (me.left != 0 || !swap(me.id, 0)) {
            unlockWatched(me);
        }
    }

    /** As {@link #unlock}, but what an owner who died has left stays left. */
    void giveBack(MutexThread me) {
        if ((get() & DIED) == 0) {
            unlock(me);
            return;
        }
        LONG.setVolatile(line, 0L, DIED);
        Words.wake(futex, 1);
    }

    private void unlockWatched(MutexThread me) {
        long seen = get();
        requireOwner("unlock", me, seen);
        me.left = 0;
        if (seen == me.id && swap(seen, 0)) {
            return;
        }
        if ((seen & DIED) != 0) {
            LONG.setVolatile(line, 0L, LOST);
            Words.wake(futex, Integer.MAX_VALUE);
        } else if ((int) INT.getVolatile(line, AWAKE) == 0) {
            LONG.setVolatile(line, 0L, 0L);
            Words.wake(futex, 1);
        } else if (isTurn()) {
            LONG.setVolatile(line, 0L, RESERVED | WAITERS);
            wakeOne();
        } else {
            LONG.setVolatile(line, 0L, WAITERS);
            if ((int) INT.getVolatile(line, AWAKE) != 0) {
                me.left = WAITERS;
            } else if (swap(WAITERS, 0)) {
                Words.wake(futex, 1);
            }
        }
    }

    /** Whether those who are awake have passed it among themselves for long enough. */
    private boolean isTurn() {
        int passed = (int) INT.get(line, PASSED) + 1;
        INT.set(line, PASSED, passed);
        if (passed % PASSES != 0) {
            return false;
        }
        long now = System.nanoTime();
        if (Math.abs(now - (long) LONG.get(line, HANDED)) < TURN_NANOS) {
            return false;
        }
        LONG.set(line, HANDED, now);
        return true;
    }

    /** What was kept for one who sleeps is free for all if nobody does. */
    private void wakeOne() {
        if (Words.wake(futex, 1) == 0) {
            swap(RESERVED | WAITERS, 0);
        }
    }

    void consistent(MutexThread me) {
        long seen;
        do {
            seen = get();
            requireOwner("consistent", me, seen);
            if ((seen & DIED) == 0) {
                throw new KeventException(Errno.EINVAL,
                        "SharedMutex.consistent: no owner has died: expected a mutex whose lock has "
                                + "returned OWNER_DIED");
            }
        } while (!swap(seen, seen & ~DIED));
    }

    boolean isOwner(MutexThread me) {
        return owner(get()) == me.id;
    }

    private void requireOwner(String call, MutexThread me, long seen) {
        if (owner(seen) != me.id) {
            throw new KeventException(Errno.EPERM,
                    "SharedMutex." + call + ": the calling thread is " + me.tid()
                            + ", and " + this + ": expected its owner");
        }
    }

    private void publish(int cpu) {
        if ((int) INT.getOpaque(line, CPU) != cpu) {
            INT.setOpaque(line, CPU, cpu);
        }
    }

    private long get() {
        return (long) LONG.getVolatile(line, 0L);
    }

    private boolean swap(long seen, long next) {
        return LONG.compareAndSet(line, 0L, seen, next);
    }

    private static long owner(long seen) {
        return seen & ~(WAITERS | DIED);
    }

    /** For all, or for one who has slept; a mutex that is lost, too: it is to be found out by {@link #take}. */
    private static boolean isFree(long seen, boolean woken) {
        return !isHeld(seen) && (woken || !isReserved(seen));
    }

    /** By a thread; a mutex that is lost is held by nobody. */
    private static boolean isHeld(long seen) {
        return (seen & TID) != 0 && (seen & LOST) != LOST;
    }

    private static boolean isReserved(long seen) {
        return (seen & (RESERVED | TID | DIED)) == RESERVED;
    }

    @Override
    public String toString() {
        long seen = get();
        String state = (seen & LOST) == LOST ? "lost with an owner who died"
                : isHeld(seen) ? "held by thread " + (seen & TID) : "free";
        return "the mutex at 0x" + Long.toHexString(line.address()) + " is " + state;
    }
}
