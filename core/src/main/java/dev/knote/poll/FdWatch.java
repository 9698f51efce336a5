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
    /** Who its edges are for, or null if it is told of them. */
    final Object target;
    /** The edge, by its number, that it was given last, of an fd with several watches. */
    long given;

    /** One that is told of edges by {@link #ready}. */
    protected FdWatch() {
        this(null);
    }

    /**
     * @param target null, or who the edges are for: then the watch is not told of them. Who polls takes them himself, from
     *     {@link Poller#nextEdge}, when it holds no lock: what may be done then is not limited. For a poller with a single
     *     owner, and not for {@link #WRITE} alone
     */
    protected FdWatch(Object target) {
        this.target = target;
    }

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
