package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.poll.FdWatch;
import dev.knote.poll.PollException;
import java.util.function.LongSupplier;

/**
 * A knote that watches another queue, the inner one. It is activated by what the inner queue puts on its list; by the
 * inner poller's fds, whose events the inner queue has not seen when nobody waits there; and by its next deadline.
 */
final class NestedWatch implements LongSupplier, Watcher {
    /** Guards who watches whom, in all queues: so that no cycle can be made by two threads. */
    private static final Object GRAPH = new Object();

    private final KnoteImpl knote;
    private final EventQueue inner;
    private final Edge epoll = new Edge();
    private final Edge ring = new Edge();
    private int ringFd = -1;

    private final class Edge extends FdWatch {
        @Override
        protected void ready(int events) {
            knote.activate();
        }
    }

    private NestedWatch(KnoteImpl knote, EventQueue inner) {
        this.knote = knote;
        this.inner = inner;
    }

    static NestedWatch open(KnoteImpl knote, int fd) {
        EventQueue inner = Queues.find(fd);
        if (inner == null) {
            throw knote.refusal(Errno.EBADF, "not a queue");
        }
        if (inner == knote.queue) {
            throw knote.refusal(Errno.EINVAL, "a queue can't watch itself");
        }
        if (!inner.shared) {
            throw knote.refusal(Errno.EINVAL, "a queue with a single owner can't be watched by another");
        }
        NestedWatch watch = new NestedWatch(knote, inner);
        synchronized (GRAPH) {
            if (inner.nesting.reaches(knote.queue)) {
                throw knote.refusal(Errno.ELOOP, "the two queues would watch each other");
            }
            inner.nesting.addWatcher(watch);
            knote.queue.nesting.watching(inner, true);
        }
        try {
            knote.queue.poller.watch(watch.epoll, inner.poller.fd(), FdWatch.READ);
            watch.lookForRing();
        } catch (PollException e) {
            watch.close();
            throw knote.refusal(e.errno(),
                    e.errno() == Errno.ELOOP ? "queues are nested too deep for epoll" : e.getMessage());
        }
        watch.deadline(inner.timers.earliest());
        return watch;
    }

    void close() {
        synchronized (GRAPH) {
            inner.nesting.removeWatcher(this);
            knote.queue.nesting.watching(inner, false);
        }
        knote.queue.poller.unwatch(epoll);
        if (ringFd >= 0) {
            knote.queue.poller.unwatch(ring);
        }
    }

    /** Whether the knote's ident still is a name of the inner queue. */
    boolean isSame() {
        return Queues.find((int) knote.ident) == inner;
    }

    /** The inner queue is being closed: this knote goes. */
    @Override
    public void innerCloses() {
        knote.queue.changes.forgetFd((int) knote.ident);
    }

    @Override
    public void activate() {
        knote.activate();
    }

    /** The inner queue's next deadline: someone has to look after it. */
    private void deadline(long nanoTime) {
        if (nanoTime != Long.MAX_VALUE) {
            knote.queue.activation.deadline(knote, nanoTime);
        }
    }

    /** The inner queue's ring is made with its first word. */
    @Override
    public synchronized void lookForRing() {
        int fd = inner.poller.wordFd();
        if (ringFd < 0 && fd >= 0) {
            ringFd = fd;
            knote.queue.poller.watch(ring, fd, FdWatch.READ);
        }
    }

    /**
     * The number of events pending in the inner queue, after a look at what its poller has; -1 if it is closed, or the
     * name by which it is watched.
     */
    @Override
    public long getAsLong() {
        if (!isSame()) {
            return -1;
        }
        lookForRing();
        inner.sleep.harvest();
        deadline(inner.timers.earliest());
        return inner.isOpen() ? inner.ready.size() : -1;
    }
}
