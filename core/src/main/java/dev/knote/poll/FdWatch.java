package dev.knote.poll;

/** Somebody who wants to know when an fd becomes ready. One watch is in at most one poller at a time. */
public abstract class FdWatch {
    /** Readiness for reading. */
    public static final int READ = 1;
    /** Readiness for writing. */
    public static final int WRITE = 2;
    /**
     * Both, as one. Within its set an fd is told of as a whole, so that whoever else watches this fd of the same queue
     * for reading is told of more than he asked.
     */
    public static final int BOTH = READ | WRITE;

    /** Besides reading: urgent data, EPOLLPRI, which {@link #BOTH} tells of anyhow. */
    public static final int URGENT = 4;

    int fd = -1;
    int interest;
    FdWatch next;

    /** The fd watched, or -1. */
    public final int fd() {
        return fd;
    }

    /**
     * The fd became ready, or changed while ready. Called by whoever polls, while the poller holds a lock: may only
     * note the fact.
     *
     * @param events EPOLL* bits
     */
    protected abstract void ready(int events);
}
