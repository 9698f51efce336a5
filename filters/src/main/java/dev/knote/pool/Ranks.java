package dev.knote.pool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Who leads, and who is idle, in the order in which they became so. A thread leads, is idle, or runs. Nobody may lead
 * only while somebody runs: who runs will ask for the lead, and does not become idle while nobody leads.
 *
 * <p>Taking and leaving the lead takes no lock; the list of the idle does, a spin lock: it changes only when a thread is
 * about to sleep, or to be woken. Where a method returns a thread, the caller wakes it.
 *
 * @param <T> the threads; anything else in tests
 */
final class Ranks<T> {
    private static final VarHandle LEADER;
    private static final VarHandle LOCKED;

    static {
        try {
            LEADER = MethodHandles.lookup().findVarHandle(Ranks.class, "leader", Object.class);
            LOCKED = MethodHandles.lookup().findVarHandle(Ranks.class, "locked", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Policy policy;
    private volatile Object leader;
    private volatile boolean locked;
    private Object[] idle = new Object[8];
    private volatile int idleCount;
    private int leastIdle;
    private volatile Throwable failure;

    Ranks(Policy policy) {
        this.policy = policy;
    }

    boolean isLed() {
        return leader != null;
    }

    boolean isLedBy(T one) {
        return leader == one;
    }

    int idle() {
        return idleCount;
    }

    /** The caller, who runs, leads from now on, unless somebody does. */
    boolean tryLead(T me) {
        return leader == null && LEADER.compareAndSet(this, null, me);
    }

    /** The caller leads no longer; he runs, and so nobody has to. */
    void leave() {
        leader = null;
    }

    /** The caller leads, and hands the lead to {@code next}, who is not idle. */
    void handTo(T next) {
        leader = next;
    }

    /** The caller leads, and hands the lead to one of the idle: null, and nothing has changed, if there is none. */
    T handOver() {
        if (idleCount == 0) {
            return null;
        }
        lock();
        try {
            T next = idleCount == 0 ? null : remove(choose());
            if (next != null) {
                leader = next;
            }
            return next;
        } finally {
            locked = false;
        }
    }

    /** If nobody leads, one of the idle does from now on: who, or null. */
    T fillVacancy() {
        if (idleCount == 0 || leader != null) {
            return null;
        }
        lock();
        try {
            if (idleCount == 0) {
                return null;
            }
            int at = choose();
            return LEADER.compareAndSet(this, null, idle[at]) ? remove(at) : null;
        } finally {
            locked = false;
        }
    }

    /** The caller has found nothing to do: true if he is idle now, false if nobody led, and now he does. */
    boolean rest(T me) {
        lock();
        try {
            if (idleCount == idle.length) {
                idle = Arrays.copyOf(idle, 2 * idleCount);
            }
            idle[idleCount] = me;
            idleCount++; // before the look: who leaves the lead later sees that somebody is idle
            if (leader == null && LEADER.compareAndSet(this, null, me)) {
                idle[--idleCount] = null;
                return false;
            }
            return true;
        } finally {
            locked = false;
        }
    }

    /** Somebody of the idle who is not needed, and no longer idle: the one that has been for longest; or null. */
    T dismiss() {
        lock();
        try {
            return idleCount == 0 ? null : remove(0);
        } finally {
            locked = false;
        }
    }

    /** How many have been idle all the time since this was last asked. */
    int takeLeastIdle() {
        lock();
        try {
            int least = leastIdle;
            leastIdle = idleCount;
            return least;
        } finally {
            locked = false;
        }
    }

    /** What the policy has thrown when it was to choose, once; who was active last was taken then. */
    Throwable takeFailure() {
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
        }
        return thrown;
    }

    private int choose() {
        try {
            return Math.clamp(policy.next(idleCount), 0, idleCount - 1);
        } catch (Throwable thrown) {
            failure = thrown;
            return idleCount - 1;
        }
    }

    @SuppressWarnings("unchecked")
    private T remove(int at) {
        T one = (T) idle[at];
        int left = idleCount - 1;
        System.arraycopy(idle, at + 1, idle, at, left - at);
        idle[left] = null;
        idleCount = left;
        leastIdle = Math.min(leastIdle, left);
        return one;
    }

    private void lock() {
        for (int tries = 1; locked || !LOCKED.compareAndSet(this, false, true); tries++) {
            if (tries % 64 == 0) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }
}
