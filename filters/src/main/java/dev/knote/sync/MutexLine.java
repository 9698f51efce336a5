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

    private static final long PASSED = 20;
    private static final long HANDED = 24;
    private static final long NAMESPACE = 32;

    private static final int PASSES = 64;
    private static final long TURN_NANOS = 4_000_000;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    final MemorySegment futex;
    private final MemorySegment line;
    private final MutexSpin awake;
    /** What a tryLock has last met in vain, and when: a hint, which threads may spoil for each other. */
    private long met;
    private long metNanos;

    MutexLine(MemorySegment line) {
        this.line = line;
        awake = new MutexSpin(this, line);
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
        if (!swap(me.left, me.id | me.left)) {
            return false;
        }
        awake.publish(me);
        me.locks++;
        return true;
    }

    /** Says where the owner runs, who calls. */
    void publish(MutexThread me) {
        awake.publish(me);
    }

    Outcome lock(MutexThread me, long deadline) {
        boolean woken = false;
        Outcome outcome = take(me, false);
        while (outcome == Outcome.BUSY) {
            if (deadline != Words.NEVER && System.nanoTime() >= deadline) {
                return woken ? giveUp(me) : tryLock(me);
            }
            outcome = awake.spin(me, deadline, woken);
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
    Outcome take(MutexThread me, boolean woken) {
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
                awake.publish(me);
                me.locks++;
                return (seen & DIED) != 0 ? Outcome.OWNER_DIED : Outcome.LOCKED;
            }
        }
    }

    private Outcome sleep(MutexThread me, long deadline, boolean woken) {
        int value = announce(woken);
        if (value == 0) {
            return take(me, woken);
        }
        long before = get();
        int staysAwake = awake.who();
        long end = Math.min(deadline, System.nanoTime() + LOOK_NANOS);
        if (Words.sleep(futex, value, end)) {
            return take(me, true);
        }
        if (staysAwake != 0) {
            awake.end(staysAwake);
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
        awake.publish(me);
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
        } else if (awake.who() == 0) {
            LONG.setVolatile(line, 0L, 0L);
            Words.wake(futex, 1);
        } else if (isTurn()) {
            LONG.setVolatile(line, 0L, RESERVED | WAITERS);
            wakeOne();
        } else {
            LONG.setVolatile(line, 0L, WAITERS);
            if (awake.who() != 0) {
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

    /** The thread id in the word: the owner's, 0 if it is free. */
    int ownerTid() {
        return (int) (get() & TID);
    }

    long get() {
        return (long) LONG.getVolatile(line, 0L);
    }

    private boolean swap(long seen, long next) {
        return LONG.compareAndSet(line, 0L, seen, next);
    }

    private static long owner(long seen) {
        return seen & ~(WAITERS | DIED);
    }

    /** For all, or for one who has slept; a mutex that is lost, too: it is to be found out by {@link #take}. */
    static boolean isFree(long seen, boolean woken) {
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
