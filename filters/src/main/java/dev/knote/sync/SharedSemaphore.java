package dev.knote.sync;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/**
 * A number of units in a word of shared memory. {@link #release} adds some, a {@link WaitSet} waits for one and takes it.
 *
 * <p><b>The word</b>, 4 bytes, all zero at first. Bits 0 to 29: units. Bit 31, SLEEPERS, and bit 30, KEEPER, are those of
 * {@link SharedEvent}. All steps are sequentially consistent. In C:
 *
 * <pre>
 * release(n): old = fetch_add(word, n), where the units do not overflow
 *             if (old &gt;&gt; 30 != 0)
 *                 woken = FUTEX_WAKE(word, n * (old &gt;&gt; 31) + (old &gt;&gt; 30 &amp; 1))
 *                 if (woken == 0 and old &gt;&gt; 31) { fetch_and(word, ~SLEEPERS); FUTEX_WAKE(word, INT_MAX) }
 * take:       compare and swap of word with word - 1 while there are units
 * wait:       as for an event, while there are none
 * </pre>
 *
 * <p>Units that a process took are not given back when it dies. Safe for use by any threads of any processes.
 */
public final class SharedSemaphore extends Flagged {
    /** Bytes of a semaphore. */
    public static final int BYTES = 4;

    /** The most units. */
    public static final int MOST = COUNT;

    private SharedSemaphore(MemorySegment word) {
        super(word);
    }

    /**
     * The semaphore at {@code offset}.
     *
     * @throws KeventException EFAULT, EINVAL, EACCES: no memory for a word
     */
    public static SharedSemaphore of(MemorySegment memory, long offset) {
        return new SharedSemaphore(Words.word("SharedSemaphore.of: memory", memory, offset));
    }

    /**
     * Adds units and wakes as many waiters; no system call if nobody waits. How many units there were.
     *
     * @throws KeventException EOVERFLOW if there would be more than {@link #MOST}
     */
    public int release(int units) {
        if (units < 1) {
            throw new IllegalArgumentException(
                    "release: units is " + units + ": expected a number of 1 or more");
        }
        for (;;) {
            int now = Words.get(word);
            if ((now & COUNT) > MOST - units) {
                throw new KeventException(Errno.EOVERFLOW, "release: units is " + units + ", there are "
                        + (now & COUNT) + ": expected no more than " + MOST + " together");
            }
            if (Words.swap(word, now, now + units)) {
                wake(now, units);
                return now & COUNT;
            }
        }
    }

    /** Takes a unit if there is one, without waiting. */
    public boolean tryAcquire() {
        return take();
    }

    /** How many units there are, now. */
    public int units() {
        return Words.get(word) & COUNT;
    }

    @Override
    boolean take() {
        for (;;) {
            int now = Words.get(word);
            if ((now & COUNT) == 0) {
                return false;
            }
            if (Words.swap(word, now, now - 1)) {
                return true;
            }
        }
    }

    @Override
    void giveBack() {
        release(1);
    }

    @Override
    boolean isConsumed() {
        return true;
    }

    @Override
    int rank() {
        return 1;
    }

    @Override
    public String toString() {
        return "SharedSemaphore[" + units() + "]";
    }
}
