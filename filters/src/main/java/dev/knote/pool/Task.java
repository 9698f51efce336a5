package dev.knote.pool;

import dev.knote.EventHandler;
import dev.knote.Knote;
import dev.knote.KeventException;
import dev.knote.linux.Errno;

/** What the pool knows of a knote that was registered with it: it is the knote's attachment. */
final class Task {
    final EventHandler handler;
    private final boolean enables;
    /** Set before the first event. */
    volatile Knote knote;
    /** Of the last times, a weighted mean. Only one thread at a time handles an event of this. */
    private long expectedNanos;

    Task(EventHandler handler, boolean enables) {
        this.handler = handler;
        this.enables = enables;
    }

    long expectedNanos() {
        return expectedNanos;
    }

    /** One time that the thread was kept off its processor does not make the handler a long one. */
    void took(long nanos) {
        long before = expectedNanos;
        expectedNanos = before == 0 ? nanos : before + (Math.min(nanos, 8 * before + 20_000) - before) / 8;
    }

    /** The handler is done: the next event may come, on any thread. */
    void enable() {
        if (!enables || !knote.isValid()) {
            return;
        }
        try {
            knote.enable();
        } catch (KeventException e) {
            if (e.errno() != Errno.ENOENT && e.errno() != Errno.EBADF) {
                throw e;
            } // else it was cancelled meanwhile, its fd or the queue closed
        }
    }
}
