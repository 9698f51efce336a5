package dev.knote.poll;

import dev.knote.linux.Errno;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Somebody who waits for a wake on a 32-bit word, as futex(2) does, without a thread of his own. A wait ends by
 * itself in one call of {@link #ended}, or by {@link Poller#disarm}.
 *
 * <p>The fields belong to the poller that the wait is armed in. {@link #state} is written under that poller's lock and
 * read by anybody.
 */
public abstract class WordWait {
    static final int IDLE = 0;
    /** Prepared; the kernel does not know of it before the next {@link Poller#flush}. */
    static final int PREPARED = 1;
    static final int ARMED = 2;
    /** {@link Poller#disarm} waits for the kernel's answer. */
    static final int CANCELLING = 3;
    /** Armed once more, in another thread's name; see {@link RingWords#adopt}. */
    static final int ADOPTING = 6;
    /** In ADOPTING: the word changed while it was being looked at. */
    static final int MISSED = 7;
    /** In CANCELLING: the answer was that a wake had come. */
    static final int CANCELLED_WOKEN = 4;
    /** In CANCELLING: the answer was that none had. */
    static final int CANCELLED_CLEAN = 5;

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(WordWait.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    long address;
    int expected;
    int slot = -1;
    int generation;
    Thread armer;
    Sleeper sleeper;

    @SuppressWarnings("unused") // by STATE
    private volatile int state;

    /** Whether the wait has neither ended nor been taken back. */
    public final boolean isArmed() {
        int now = state();
        return now == PREPARED || now == ARMED || now == ADOPTING || now == MISSED;
    }

    /** Whether the kernel knows of the wait. */
    public final boolean isSubmitted() {
        return isArmed() && state() != PREPARED;
    }

    /**
     * The wait ended. Called by any thread, while the poller holds a lock: may only note the fact.
     *
     * @param result 0: a wake was posted and counted for it; {@link Errno#EAGAIN} negated: the word did not hold the
     *     expected value; another errno negated: the word can't be waited for (any longer)
     */
    protected abstract void ended(int result);

    /** Whether the whole word, read now, is the one expected; false also if it can't be read. */
    protected abstract boolean matches();

    /** The word's low 32 bits, read now; anything if they can't be read. */
    protected abstract int peek();

    /** Whether the word is wider than the 32 bits that the kernel compares. */
    protected abstract boolean isWide();

    /** Sets what {@link Poller#arm} is to wait for. */
    protected final void target(long wordAddress, int expectedValue) {
        address = wordAddress;
        expected = expectedValue;
    }

    final int state() {
        return (int) STATE.getVolatile(this);
    }

    final void state(int value) {
        STATE.setVolatile(this, value);
    }
}
