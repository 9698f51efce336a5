package dev.knote;

import java.lang.foreign.MemorySegment;
import java.util.function.LongSupplier;

/**
 * A knote as its {@link Filter} sees it. Except {@link #activate()}, all of it is used only inside the calls that the
 * queue makes to the filter for this knote.
 */
public interface FilterKnote {
    /** In {@link #watchFd}: fd readiness for reading. */
    int FD_READ = 1;
    /** In {@link #watchFd}: fd readiness for writing. */
    int FD_WRITE = 2;
    /** In {@link #watchFd}: both, with one registration of the fd, and urgent data ({@code EPOLLPRI}) too. */
    int FD_BOTH = 3;
    /** In {@link #watchFd}, added to {@link #FD_READ}: urgent data ({@code EPOLLPRI}) too. */
    int FD_URGENT = 4;

    /** In {@link #wordState()}: a wake was posted. */
    int WORD_WOKEN = 1;
    /** In {@link #wordState()}: the word was not, or did not stay, equal to the value it was armed with. */
    int WORD_DIFFERS = 2;
    /** In {@link #wordState()}: the memory is gone: its arena was closed, or its file was cut. */
    int WORD_GONE = 4;

    /** What is watched. */
    long ident();

    /** The queue that this knote is in, as an ident for messages. */
    int queueFd();

    /** {@code EV_*} bits of the knote: what its EV_ADD gave, less the bits that are orders. */
    int flags();

    /** Sets the knote's {@code EV_*} bits. */
    void flags(int value);

    /** The fflags that the user gave last ({@code kn_sfflags}). */
    int savedFflags();

    /** Sets {@link #savedFflags()}. */
    void savedFflags(int value);

    /** The data that the user gave last ({@code kn_sdata}). */
    long savedData();

    /** Sets {@link #savedData()}. */
    void savedData(long value);

    /** The fflags to be reported ({@code kn_fflags}). */
    int fflags();

    /** Sets {@link #fflags()}. */
    void fflags(int value);

    /** The data to be reported ({@code kn_data}). */
    long data();

    /** Sets {@link #data()}. */
    void data(long value);

    /** Sets {@code ext[k]}, for k 0 or 1. */
    void ext(int k, long value);

    /** Whether the event carries EV_EOF. */
    void eof(boolean eof);

    /** Makes the event one with EV_ERROR and this errno as its data; 0 takes it back. */
    void error(int errno);

    /** What the filter keeps for this knote. */
    Object hook();

    /** Sets {@link #hook()}. */
    void hook(Object hook);

    /** A number that the filter keeps for this knote, where an object would be one too many. */
    long state();

    /** Sets {@link #state()}. */
    void state(long value);

    /**
     * From now on the knote is activated whenever {@code fd} becomes ready for {@code interest} ({@link #FD_READ},
     * {@link #FD_WRITE} or {@link #FD_BOTH}): on every change, and at once if it is ready now. One fd a knote; the fd
     * need not be its ident.
     *
     * @throws KeventException EBADF, EPERM (an fd that cannot be waited for, such as a regular file), ENOMEM, ENOSPC
     */
    void watchFd(int fd, int interest);

    /**
     * As {@link #watchFd}, but each edge is the event itself: the knote is not activated, nor its filter asked. The queue's
     * owner is given it by {@link EventHandler#edge}, with {@code target}. For event loops, which then touch few objects
     * for an fd. What is disabled is not quiet: to end it, end the knote, or call {@link #watchFd}. {@code kevent} does not
     * return edges, and does not sleep while there are some that no poll has taken.
     *
     * @param interest not {@link #FD_WRITE} alone
     * @throws KeventException as {@link #watchFd}; EINVAL in a queue without a single owner
     */
    void watchEdges(int fd, int interest, Object target);

    /**
     * The thing watched does not exist any more, its fd is closed, say: the queue removes the knote without an event.
     * To be called in {@link Filter#event}, which then returns false, {@link Filter#touch} or {@link Filter#detach}.
     */
    void gone();

    /**
     * Whether the fd watched is still the file, or queue, that it was: false if it was closed, or closed and its number
     * given to another file. Costs a system call, but for a queue.
     */
    boolean sameFd();

    /** The readiness bits seen since the last call ({@code EPOLLIN}, {@code EPOLLRDHUP} and so on), then forgotten. */
    int takeReadiness();

    /**
     * Whether the newest of that readiness was seen by the call that asks now. If not, it came with an earlier one: the fd
     * may have been closed since, see {@link #sameFd}, or more may have happened to it.
     */
    boolean isReadinessNew();

    /** The memory that the change gave as its ident, or that was found for its address; null if neither. */
    MemorySegment word();

    /**
     * From the return of the call to the queue on, a wake posted on the word activates the knote, and so does
     * the word's value if it differs from {@code expected} then. {@link #wordState()} tells which. A wait stays armed
     * until it ends in one of these; arming an armed word replaces its expected value.
     *
     * @param bytes 4 or 8: how much of the word is compared
     * @param expected the value that the word was read to have; of 4 bytes the low half counts
     * @param isPrivate only wakes of this process, by a key of its own, count
     */
    void arm(int bytes, long expected, boolean isPrivate);

    /** Ends {@link #arm}; a wake that had come and was not delivered goes to the word's next waiter. */
    void disarm();

    /** Whether the word is armed: {@link #arm} was called and nothing has ended it. */
    boolean armed();

    /** {@code WORD_*} bits: how the waits that were armed ended, since {@link #clearWordState()}. */
    int wordState();

    /** The event that {@link #wordState()} spoke of is being delivered: forgets it. */
    void clearWordState();

    /** Reads the word: 4 bytes are sign-extended. If the memory is gone, notes {@link #WORD_GONE} and returns 0. */
    long readWord(int bytes);

    /**
     * The knote is activated when {@link System#nanoTime()} reaches {@code nanoTime}; replaces an earlier deadline.
     * The deadline stays passed until another is set.
     */
    void deadline(long nanoTime);

    /** Takes the deadline back. */
    void noDeadline();

    /** Puts the knote on its queue's list, to be asked for its event. Any thread, any time, also when detached. */
    void activate();

    /**
     * Watches another queue: this knote is activated when that one gets an event.
     *
     * @return the number of events pending in the other queue; negative when {@code fd} is no name of it any more
     * @throws KeventException EBADF if {@code fd} is no queue; EINVAL if it is this knote's own; ELOOP for a cycle
     */
    LongSupplier watchQueue(int fd);

    /** Whether {@code fd} is a queue of this process. */
    boolean isQueue(int fd);
}
