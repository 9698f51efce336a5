package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock for sections of a few instructions, none of which can block. It allocates nothing and makes no system call
 * unless the holder was preempted. A disabled one, of a queue with a single owner, does nothing.
 */
final class SpinLock extends Padded {
    private static final int SPINS = 100;
    private static final int YIELDS = 200;
    private static final long NAP_NANOS = 50_000;
    private static final VarHandle HELD;

    static {
        try {
            HELD = MethodHandles.lookup().findVarHandle(SpinLock.class, "held", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final boolean enabled;

    @SuppressWarnings("unused") // by HELD
    private int held;

    SpinLock(boolean enabled) {
        this.enabled = enabled;
    }

    void lock() {
        if (enabled && !HELD.compareAndSet(this, 0, 1)) {
            contend();
        }
    }

    void unlock() {
        if (enabled) {
            HELD.setRelease(this, 0);
        }
    }

    private void contend() {
        for (int tries = 0;; tries++) {
            if ((int) HELD.getOpaque(this) == 0 && HELD.compareAndSet(this, 0, 1)) {
                return;
            }
            backOff(tries);
        }
    }

    /** Waits a little, the longer the more often it was tried. */
    static void backOff(int tries) {
        if (tries < SPINS) {
            Thread.onSpinWait();
        } else if (tries < SPINS + YIELDS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(NAP_NANOS);
        }
    }
}
