package dev.knote.poll;

import dev.knote.linux.Futex;

/** fds by epoll; words by {@link Sleeper threads that sleep}, one a word. Works wherever epoll and futex(2) do. */
class EpollPoller implements Poller {
    static final String NAME = "epoll";

    final EpollFds fds;
    private final Words sleepers = new SleeperWords();

    /** @param pollable see {@link Pollers#open} */
    EpollPoller(boolean pollable) {
        fds = new EpollFds(pollable);
    }

    @Override
    public String name() {
        return NAME;
    }

    /** The words' part, for arming: made now if it has to be. */
    Words words() {
        return sleepers;
    }

    /** The words' part, or null if there is none yet. */
    Words wordsIfAny() {
        return sleepers;
    }

    @Override
    public int fd() {
        return fds.fd();
    }

    @Override
    public int wordFd() {
        return -1;
    }

    @Override
    public final void watch(FdWatch watch, int fd, int interest) {
        fds.watch(watch, fd, interest);
    }

    @Override
    public final boolean unwatch(FdWatch watch) {
        return fds.unwatch(watch);
    }

    @Override
    public final boolean isSame(FdWatch watch) {
        return fds.isSame(watch);
    }

    @Override
    public boolean isIdle() {
        return fds.isEmpty();
    }

    @Override
    public final void arm(WordWait wait) {
        words().arm(wait);
    }

    @Override
    public final boolean disarm(WordWait wait) {
        Words words = wordsIfAny();
        return words != null && words.disarm(wait);
    }

    @Override
    public final void flush() {
        Words words = wordsIfAny();
        if (words != null) {
            words.flush();
        }
    }

    @Override
    public final void wake(long[] addresses, int[] counts, int n) {
        if (n == 1) {
            counts[0] = Futex.wake(addresses[0], counts[0]);
        } else {
            words().wake(addresses, counts, n);
        }
    }

    @Override
    public boolean hasCompletions() {
        return false;
    }

    @Override
    public boolean hasSilentFds() {
        return !fds.isEmpty();
    }

    @Override
    public void poll(long nanos) {
        fds.poll(nanos);
    }

    @Override
    public final boolean hasEdges() {
        return fds.hasEdges();
    }

    @Override
    public final Object nextEdge() {
        return fds.nextEdge();
    }

    @Override
    public final int edgeEvents() {
        return fds.edgeEvents();
    }

    @Override
    public final void wakeup() {
        fds.wakeup();
    }

    @Override
    public final void disarmAll() {
        Words words = wordsIfAny();
        if (words != null) {
            words.disarmAll();
        }
    }

    @Override
    public final void close() {
        Words words = wordsIfAny();
        if (words != null) {
            words.close();
        }
        fds.close();
    }
}
