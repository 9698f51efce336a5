package dev.knote.kfutex;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * Moves those who wait for a word to another word, without waking them: FUTEX_CMP_REQUEUE of futex(2), by the key that
 * all processes share. C does the same with {@code syscall(SYS_futex, from, FUTEX_CMP_REQUEUE, wake, move, to, expected)}.
 *
 * <p>Waiters are threads in futex(2) and knotes of EVFILT_USERMEM, in one order. A knote that was moved fires when the
 * new word is woken: the event has the ident, and in {@code data} the value, of the word that it was registered for, and
 * with it the knote waits for that word again. Changing or deleting it ends the wait wherever it is; a wake that had been
 * counted for it there, and is not delivered, is passed on to the next waiter of <em>its own</em> word, not of the new
 * one. Both pollers do so. With {@code epoll}, a process that is stopped (SIGSTOP) and goes on sees events of moved
 * knotes without a wake, as of all knotes there. Knotes with NOTE_USERMEM_PRIVATE are not moved.
 */
public final class Requeue {
    /** The answer of {@link #move}: the word does not hold the value expected, and nobody was woken or moved. */
    public static final int DIFFERS = -1;

    private Requeue() {}

    /**
     * If {@code from} holds {@code expected}: wakes the first {@code wake} of its waiters, and has the next {@code move}
     * wait for {@code to}, behind those who are there. Compared and moved in one step, as seen by other waits and wakes.
     *
     * @return how many were woken and moved in all, or {@link #DIFFERS}
     * @throws KeventException EINVAL for a negative number, or a word that is not aligned; EFAULT if the memory is gone
     */
    public static int move(MemorySegment from, int expected, int wake, int move, MemorySegment to) {
        MemorySegment source = word("Requeue.move: from", from);
        MemorySegment target = word("Requeue.move: to", to);
        if (wake < 0 || move < 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "Requeue.move: wake is " + wake + ", move is " + move + ": expected 0 or more");
        }
        int result = Futex.requeue(source.address(), expected, wake, move, target.address());
        Reference.reachabilityFence(from);
        Reference.reachabilityFence(to);
        if (result < 0 && result != -Errno.EAGAIN) {
            throw new KeventException(-result, "Requeue.move: " + Errno.name(-result));
        }
        return result < 0 ? DIFFERS : result;
    }

    private static MemorySegment word(String what, MemorySegment memory) {
        if (memory != null && !memory.scope().isAlive()) {
            throw new KeventException(
                    Errno.EFAULT, what + ": it is closed: expected memory that is there");
        }
        return Words.word(what, memory, 0);
    }
}
