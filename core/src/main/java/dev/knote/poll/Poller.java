package dev.knote.poll;

/**
 * What a queue needs of the operating system: readiness of fds, wakes of memory words, sleep until one of them or a
 * {@link #wakeup}. Implementations: {@link UringPoller}, {@link EpollPoller}; one over NIO has its place in
 * {@link Pollers}.
 *
 * <p>Any thread may call anything at any time, except {@link #poll}, which one thread at a time calls, and
 * {@link #close}, which comes last. A poller made for a single owner is called by its owner alone, but for
 * {@link #wakeup} and {@link #hasCompletions}.
 *
 * <p>Errors are {@link PollException}s with an errno.
 */
public interface Poller extends AutoCloseable {
    /** The poller's name, as {@code -Dknote.poller} has it. */
    String name();

    /** An fd that stands for the queue: readable when an fd watched is ready. */
    int fd();

    /** An fd, or -1, that is readable when a word was woken; it may appear later. For queues that watch this one. */
    int wordFd();

    /** Watches an fd, edge triggered; if it is ready now, that is an edge. EBADF, EPERM, ENOMEM, ENOSPC. */
    void watch(FdWatch watch, int fd, int interest);

    /** Ends it; false if the file was closed before. No call of {@link FdWatch#ready} begins afterwards. */
    boolean unwatch(FdWatch watch);

    /** Whether the watched fd is still open and still the same file. */
    boolean isSame(FdWatch watch);

    /** Whether a poller for a single owner obeys the thread that uses it now, and no other. */
    default boolean isBound() {
        return false;
    }

    /** Whether it may come to that. */
    default boolean mayBeBound() {
        return false;
    }

    /** Whether anything is watched or armed, that is, whether polling can find anything. */
    boolean isIdle();

    /** Arms a wait. It is in effect after the next {@link #flush} or {@link #poll}; until then it costs nothing. */
    void arm(WordWait wait);

    /** Takes a wait back; true if a wake had been counted for it before, which the caller then owes to somebody. */
    boolean disarm(WordWait wait);

    /** Takes all waits back at once; one that a wake was counted for ends in {@link WordWait#ended} with 0. */
    void disarmAll();

    /** Brings all that was armed by now into effect. Waits that end at once have ended when this returns. */
    void flush();

    /**
     * Wakes up to {@code counts[i]} waiters of {@code addresses[i]}, for i below n, in order; {@code counts[i]} becomes
     * the number woken, or -errno.
     */
    void wake(long[] addresses, int[] counts, int n);

    /** Whether {@link #poll} would find something that can be seen without a system call. Any thread. */
    boolean hasCompletions();

    /** Whether fds are watched of which {@link #hasCompletions} says nothing. Of {@link #poll}'s thread. */
    boolean hasSilentFds();

    /**
     * Waits until something is ready, or {@link #wakeup}; tells it to the watches and waits.
     *
     * @param nanos at most this long; 0: does not wait; negative: for ever
     */
    void poll(long nanos);

    /** Whether {@link #poll} has seen edges for targets that {@link #nextEdge} has not returned. Of poll's thread. */
    boolean hasEdges();

    /**
     * Takes the next edge that is for a target: they come in the order in which the kernel told them. One whose watch has
     * ended since, or begun anew, is left out. Of {@link #poll}'s thread, not while it polls.
     *
     * @return the target, or null if there is none; its EPOLL* bits are {@link #edgeEvents}
     */
    Object nextEdge();

    /** Of the edge that {@link #nextEdge} has returned. */
    int edgeEvents();

    /**
     * Makes {@link #poll} return every {@code nanos} or so from now on, for a {@link #takeReminder reminder}. False if
     * this poller can't: who wants to be reminded has to limit his waits. Of {@link #poll}'s thread.
     */
    default boolean remind(long nanos) {
        return false;
    }

    /** Whether it is time again; then no longer. */
    default boolean takeReminder() {
        return false;
    }

    /** Makes a {@link #poll} that waits, or else the next one that would, return. */
    void wakeup();

    /** Closes everything; no wait is armed any more. */
    @Override
    void close();
}
