package dev.knote.transport;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;

/**
 * Waits for words of memory to change, for threads that have no loop: any number of virtual threads, which are
 * unmounted while they wait, and platform threads. Another thread or process changes the word and wakes its waiters, by
 * {@link #wake}, {@link dev.knote.EventQueue#wake}, a {@link MemoryWordChannel} or futex(2).
 *
 * <p><b>What is a change.</b> A waiter returns when the word is not the expected one; the word is compared before the
 * wait, when it is armed and after every wake, so that no change followed by a wake is missed. Wakes without a change
 * are not seen, nor is a word that is changed and changed back. A waiter needs a wake to look again.
 *
 * <p><b>Threads.</b> A daemon thread of the platform, {@code knote-words-4} for words of 4 bytes and
 * {@code knote-words-8} for those of 8, does the waiting in one queue. It is started by the first wait and stays.
 * Waiters of one word share one wait of the kernel's: a wake of one waiter reaches all of this process, and counts
 * once. A wake that comes when the last of them has given up is passed on to the word's next waiter. On the
 * {@code epoll} poller, each word that is waited for, not each waiter, costs a thread more.
 *
 * <p><b>Lifetime.</b> Nothing remains of a wait that has ended, in whichever way. A segment has to be open meanwhile; if
 * its arena is closed or its file cut, its waiters are told within about 250 ms. It is of an arena that other threads
 * may use.
 *
 * <p><b>Errors</b> are {@link KeventException}s: EINVAL for a segment that has neither 4 nor 8 bytes or is not aligned
 * to its size, EFAULT for memory of the Java heap, another thread's, or gone, and what the kernel refuses.
 */
public final class MemoryWords {
    private static volatile WordWaiters ints;
    private static volatile WordWaiters longs;

    private MemoryWords() {}

    /**
     * Returns as soon as the word is not {@code expected}.
     *
     * @param word 4 or 8 bytes of native memory, aligned to their size
     * @param expected the value that the caller has seen; of 4 bytes the low half counts
     * @return the word's value; 4 bytes are sign-extended
     * @throws InterruptedException if the thread is interrupted when it begins to wait, or while it waits
     */
    public static long await(MemorySegment word, long expected) throws InterruptedException {
        var waiter = new WordWaiter(word, expected);
        return waiter.isChanged() ? waiter.value() : waiters(waiter).await(waiter);
    }

    /**
     * As {@link #await(MemorySegment, long)}, for at most {@code timeout}.
     *
     * @param timeout zero or less looks at the word once
     * @throws TimeoutException if the word is still {@code expected} then
     */
    public static long await(MemorySegment word, long expected, Duration timeout)
            throws InterruptedException, TimeoutException {
        long nanos = nanos(Objects.requireNonNull(timeout, "timeout"));
        long deadline = System.nanoTime() + nanos;
        var waiter = new WordWaiter(word, expected);
        if (waiter.isChanged()) {
            return waiter.value();
        }
        if (nanos <= 0) {
            throw WordWaiters.tooLate(waiter);
        }
        return waiters(waiter).await(waiter, deadline);
    }

    /**
     * Wakes at most {@code count} of those who wait for a word, in whichever way and process, the longest waiting
     * first.
     *
     * @throws KeventException EINVAL for a negative count; EINVAL, EFAULT for what is no word
     */
    public static void wake(MemorySegment word, int count) {
        if (count < 0) {
            throw new KeventException(Errno.EINVAL, "wake: count is " + count + ": expected 0 or more");
        }
        new Word(word).wake(count, false);
    }

    private static WordWaiters waiters(WordWaiter waiter) {
        WordWaiters made = waiter.bytes == Integer.BYTES ? ints : longs;
        return made != null ? made : makeWaiters(waiter.bytes);
    }

    private static synchronized WordWaiters makeWaiters(int bytes) {
        if (bytes == Integer.BYTES) {
            ints = ints != null ? ints : new WordWaiters("knote-words-4");
            return ints;
        }
        longs = longs != null ? longs : new WordWaiters("knote-words-8");
        return longs;
    }

    private static long nanos(Duration timeout) {
        try {
            return Math.min(timeout.toNanos(), Long.MAX_VALUE / 2);
        } catch (ArithmeticException tooLong) {
            return timeout.isNegative() ? 0 : Long.MAX_VALUE / 2;
        }
    }
}
