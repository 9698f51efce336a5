package dev.knote.sync;

import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/**
 * An event in a word of shared memory: set or not. One that resets itself lets one waiter through and is then not set;
 * a manual one stays set, and lets everybody through, until {@link #reset}. It is waited for by a {@link WaitSet}.
 *
 * <p><b>The word</b>, 4 bytes, all zero at first. Bit 0: it is set. Bit 31, SLEEPERS: somebody may be asleep. Bit 30,
 * KEEPER: one wait is armed for good, by somebody who may be busy. All steps are sequentially consistent. A waiter
 * sets SLEEPERS while bit 0 is clear and sleeps on the value with futex(2), without FUTEX_PRIVATE_FLAG. In C:
 *
 * <pre>
 * set:   old = fetch_or(word, 1)
 *        if (old &amp; 1 == 0 and old &gt;&gt; 30 != 0)
 *            woken = FUTEX_WAKE(word, manual ? INT_MAX : (old &gt;&gt; 31) + (old &gt;&gt; 30 &amp; 1))
 *            if (woken == 0 and old &gt;&gt; 31) { fetch_and(word, ~SLEEPERS); FUTEX_WAKE(word, INT_MAX) }
 * reset: fetch_and(word, ~1)
 * take:  old &amp; 1 of fetch_and(word, ~1)             (one that resets itself)
 * wait:  while not taken: old = word | SLEEPERS, by compare and swap while bit 0 is clear; FUTEX_WAIT(word, old)
 * </pre>
 *
 * <p>The line with {@code woken == 0} saves system calls and may be left out. Who was woken and does not take wakes
 * another if bit 0 is set. Who sleeps looks again after 250 ms, since a process that is killed passes nothing on.
 *
 * <p>Safe for use by any threads of any processes; they have to agree on the kind.
 */
public final class SharedEvent extends Flagged {
    /** Bytes of an event. */
    public static final int BYTES = 4;

    private static final int SET = 1;

    private final boolean manual;

    private SharedEvent(MemorySegment word, boolean manual) {
        super(word);
        this.manual = manual;
    }

    /**
     * The event at {@code offset}, which resets itself when a waiter takes it.
     *
     * @throws dev.knote.KeventException EFAULT, EINVAL, EACCES: no memory for a word
     */
    public static SharedEvent auto(MemorySegment memory, long offset) {
        return new SharedEvent(Words.word("SharedEvent.auto: memory", memory, offset), false);
    }

    /**
     * The event at {@code offset}, which stays set until {@link #reset}.
     *
     * @throws dev.knote.KeventException EFAULT, EINVAL, EACCES: no memory for a word
     */
    public static SharedEvent manual(MemorySegment memory, long offset) {
        return new SharedEvent(Words.word("SharedEvent.manual: memory", memory, offset), true);
    }

    /** Sets it; no system call if nobody waits, or if it was set. Whether it was not. */
    public boolean set() {
        int before = Words.or(word, SET);
        if ((before & SET) != 0) {
            return false;
        }
        wake(before, 1);
        return true;
    }

    /** Whether it was set, which it no longer is. */
    public boolean reset() {
        return (Words.and(word, ~SET) & SET) != 0;
    }

    /** Whether it is set, now. */
    public boolean isSet() {
        return isAvailable();
    }

    @Override
    boolean take() {
        return isAvailable() && (manual || reset());
    }

    @Override
    void giveBack() {
        if (!manual) {
            set();
        }
    }

    @Override
    boolean isConsumed() {
        return !manual;
    }

    @Override
    int rank() {
        return manual ? 3 : 2;
    }

    @Override
    public String toString() {
        return "SharedEvent[" + (manual ? "manual" : "auto") + (isSet() ? ", set]" : "]");
    }
}
