package dev.knote.filters;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.KeventException;
import dev.knote.linux.Classes;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;

/**
 * What READ and WRITE have in common: their ident is a file descriptor, which can go or become another file.
 */
abstract class FdFilter implements Filter {
    static {
        Classes.load(FdProbe.class, FdSource.class);
    }

    private static final int MODE = EV_ONESHOT | EV_CLEAR | EV_DISPATCH;

    /** The source for an fd of which nothing is known but that epoll takes it: it finds out when it is ready. */
    abstract FdSource unknown();

    /**
     * Begins to wait for an {@code fd} that epoll does not take; takes everything back if it throws.
     *
     * @param type type bits of the file's mode; {@code probe} still has the rest of its statx(2)
     */
    abstract FdSource open(FilterKnote knote, int fd, int type, FdProbe probe);

    /** The source for an fd that is a queue. */
    abstract FdSource openQueue(FilterKnote knote, int fd);

    @Override
    public final boolean isFd() {
        return true;
    }

    @Override
    public final void attach(FilterKnote knote, Kevent change) {
        long ident = knote.ident();
        int fd = (int) ident;
        if (fd != ident || fd < 0) {
            throw notOpen(knote);
        }
        knote.state(FdSource.FRESH);
        if (knote.isQueue(fd)) {
            knote.hook(openQueue(knote, fd));
            return;
        }
        if (canWatch(knote, fd)) {
            knote.hook(unknown());
            return;
        }
        FdProbe probe = FdProbe.get();
        int type = probe.fileType(fd);
        if (type < 0) {
            throw type == -Errno.EBADF ? notOpen(knote) : refusal(knote, -type, "statx failed", null);
        }
        knote.hook(open(knote, fd, type, probe));
    }

    @Override
    public final void detach(FilterKnote knote) {
        if (source(knote) != null) { // null if replacing the file failed
            if (source(knote).lost(knote)) {
                knote.gone();
            }
            release(knote);
        }
    }

    private static void release(FilterKnote knote) {
        source(knote).close();
        knote.hook(null);
    }

    @Override
    public final boolean event(FilterKnote knote) {
        FdSource source = source(knote);
        int edge = knote.takeReadiness();
        boolean told = edge != 0 && knote.isReadinessNew();
        if (!told && (knote.state() & FdSource.FRESH) == 0 && !source.same(knote)) {
            knote.gone();
            return false;
        }
        return source.ready(knote, FdProbe.get(), edge);
    }

    @Override
    public final void touch(FilterKnote knote, Kevent change) {
        FdSource source = source(knote);
        if (source.same(knote)) {
            Filter.super.touch(knote, change);
            source.touched();
        } else {
            replace(knote, change);
        }
    }

    @Override
    public final void deliver(FilterKnote knote, Kevent event) {
        source(knote).delivered(knote, FdProbe.get(), event);
        Filter.super.deliver(knote, event);
    }

    /** The number names another file by now: the old knote is gone, and EV_ADD makes one for the new file. */
    private void replace(FilterKnote knote, Kevent change) {
        release(knote);
        try {
            if ((change.flags() & EV_ADD) == 0) {
                throw Fds.fcntl((int) knote.ident(), Fds.F_GETFD, 0) < 0
                        ? notOpen(knote)
                        : refusal(knote, Errno.ENOENT, "the file watched was closed", null);
            }
            knote.flags(knote.flags() & ~MODE | change.flags() & MODE);
            Filter.super.touch(knote, change);
            attach(knote, change);
        } catch (KeventException e) {
            knote.gone();
            throw e;
        }
    }

    /** Tried first, since most fds can be: what the fd is costs system calls that many a knote never needs. */
    private boolean canWatch(FilterKnote knote, int fd) {
        try {
            knote.watchFd(fd, interest());
            return true;
        } catch (KeventException e) {
            if (e.errno() == Errno.EPERM) {
                return false;
            }
            throw e.errno() == Errno.EBADF ? notOpen(knote) : notWatched(knote, e);
        }
    }

    /** {@link FilterKnote#FD_READ} or {@link FilterKnote#FD_WRITE}. */
    abstract int interest();

    final void watch(FilterKnote knote, int fd) {
        try {
            knote.watchFd(fd, interest());
        } catch (KeventException e) {
            throw notWatched(knote, e);
        }
    }

    private KeventException notWatched(FilterKnote knote, KeventException e) {
        String why = e.errno() == Errno.EPERM
                ? "a device or directory that cannot be waited for"
                : "the descriptor cannot be waited for";
        return refusal(knote, e.errno(), why, e);
    }

    final KeventException refusal(FilterKnote knote, int errno, String why, Throwable cause) {
        String what = "kevent: ident " + knote.ident() + ", " + name() + ": " + why;
        var refusal = new KeventException(errno, what);
        if (cause != null) {
            refusal.initCause(cause);
        }
        return refusal;
    }

    private KeventException notOpen(FilterKnote knote) {
        return refusal(knote, Errno.EBADF, "not an open file descriptor", null);
    }

    private static FdSource source(FilterKnote knote) {
        return (FdSource) knote.hook();
    }
}
