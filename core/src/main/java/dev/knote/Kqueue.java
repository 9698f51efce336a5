package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * kqueue(2) and kevent(2) under their C names, for {@code import static dev.knote.Kqueue.*}. A queue is an int, a file
 * descriptor; an ident is a long; {@code NULL} is null; -1 with an errno is a {@link KeventException}. The numbers are
 * FreeBSD's.
 *
 * <p>Any number of threads may call {@link #kevent} on one queue at once, for changes and for waiting.
 */
public final class Kqueue {
    /** An fd has something to read. */
    public static final int EVFILT_READ = -1;
    /** An fd can be written to. */
    public static final int EVFILT_WRITE = -2;
    /** Not offered: EINVAL. */
    public static final int EVFILT_AIO = -3;
    /** A file changed. */
    public static final int EVFILT_VNODE = -4;
    /** A process changed. */
    public static final int EVFILT_PROC = -5;
    /** A signal came. */
    public static final int EVFILT_SIGNAL = -6;
    /** A deadline passed. */
    public static final int EVFILT_TIMER = -7;
    /** Not offered: EINVAL. */
    public static final int EVFILT_PROCDESC = -8;
    /** Not offered: EINVAL. */
    public static final int EVFILT_FS = -9;
    /** Not offered: EINVAL. */
    public static final int EVFILT_LIO = -10;
    /** A program triggered it. */
    public static final int EVFILT_USER = -11;
    /** Not offered: EINVAL. */
    public static final int EVFILT_SENDFILE = -12;
    /** Not offered: EINVAL. */
    public static final int EVFILT_EMPTY = -13;
    /** A word of memory changed and a wake was posted. */
    public static final int EVFILT_USERMEM = -14;
    /** Add the knote, or modify it; enables it unless EV_DISABLE is given. */
    public static final int EV_ADD = 0x1;
    /** Delete the knote. */
    public static final int EV_DELETE = 0x2;
    /** Deliver its events again. */
    public static final int EV_ENABLE = 0x4;
    /** Do not deliver its events. */
    public static final int EV_DISABLE = 0x8;
    /** Delete the knote on delivery. */
    public static final int EV_ONESHOT = 0x10;
    /** Reset the state on delivery: report changes, not conditions. */
    public static final int EV_CLEAR = 0x20;
    /** Answer the change with EV_ERROR and its errno, 0 for success. */
    public static final int EV_RECEIPT = 0x40;
    /** Disable the knote on delivery. */
    public static final int EV_DISPATCH = 0x80;
    /** Fire now, once. */
    public static final int EV_FORCEONESHOT = 0x100;
    /** Do not replace udata; not with EV_ADD. */
    public static final int EV_KEEPUDATA = 0x200;
    /** An operation without a knote: a wake of USERMEM. */
    public static final int EV_ANON = 0x400;
    /** The bits that only the queue sets; ignored in changes. */
    public static final int EV_SYSFLAGS = 0xf000;
    /** The entry is an error: data is an errno. */
    public static final int EV_ERROR = 0x4000;
    /** The other side is gone. */
    public static final int EV_EOF = 0x8000;
    /** USER: ignore the fflags of the change. */
    public static final int NOTE_FFNOP = 0x0;
    /** USER: and them. */
    public static final int NOTE_FFAND = 0x40000000;
    /** USER: or them. */
    public static final int NOTE_FFOR = 0x80000000;
    /** USER: copy them. */
    public static final int NOTE_FFCOPY = 0xc0000000;
    /** USER: the bits that say what to do. */
    public static final int NOTE_FFCTRLMASK = 0xc0000000;
    /** USER: the bits that are the user's own. */
    public static final int NOTE_FFLAGSMASK = 0xffffff;
    /** USER: trigger. USERMEM: wake. */
    public static final int NOTE_TRIGGER = 0x1000000;
    /** READ, WRITE: data is a low-water mark in bytes. */
    public static final int NOTE_LOWAT = 0x1;
    /** READ, WRITE: a file is always ready, as poll(2) says. */
    public static final int NOTE_FILE_POLL = 0x2;
    /** VNODE: delete. */
    public static final int NOTE_DELETE = 0x1;
    /** VNODE: write. */
    public static final int NOTE_WRITE = 0x2;
    /** VNODE: extend. */
    public static final int NOTE_EXTEND = 0x4;
    /** VNODE: attrib. */
    public static final int NOTE_ATTRIB = 0x8;
    /** VNODE: link. */
    public static final int NOTE_LINK = 0x10;
    /** VNODE: rename. */
    public static final int NOTE_RENAME = 0x20;
    /** VNODE: revoke. */
    public static final int NOTE_REVOKE = 0x40;
    /** VNODE: open. */
    public static final int NOTE_OPEN = 0x80;
    /** VNODE: close. */
    public static final int NOTE_CLOSE = 0x100;
    /** VNODE: close write. */
    public static final int NOTE_CLOSE_WRITE = 0x200;
    /** VNODE: read. */
    public static final int NOTE_READ = 0x400;
    /** PROC: exit. */
    public static final int NOTE_EXIT = 0x80000000;
    /** PROC: fork. */
    public static final int NOTE_FORK = 0x40000000;
    /** PROC: exec. */
    public static final int NOTE_EXEC = 0x20000000;
    /** PROC: track. */
    public static final int NOTE_TRACK = 0x1;
    /** PROC: trackerr. */
    public static final int NOTE_TRACKERR = 0x2;
    /** PROC: child. */
    public static final int NOTE_CHILD = 0x4;
    /** TIMER: data is in seconds. */
    public static final int NOTE_SECONDS = 0x1;
    /** TIMER: data is in milliseconds, as without any unit. */
    public static final int NOTE_MSECONDS = 0x2;
    /** TIMER: data is in microseconds. */
    public static final int NOTE_USECONDS = 0x4;
    /** TIMER: data is in nanoseconds. */
    public static final int NOTE_NSECONDS = 0x8;
    /** TIMER: data is a time since the Epoch, on the wall clock. */
    public static final int NOTE_ABSTIME = 0x10;
    /** USERMEM: the word has 32 bits. */
    public static final int NOTE_USERMEM_INT = 0x1;
    /** USERMEM: the word has 64 bits. */
    public static final int NOTE_USERMEM_LONG = 0x2;
    /** USERMEM: waits and wakes of this process alone. */
    public static final int NOTE_USERMEM_PRIVATE = 0x4;

    /**
     * The queue that is none: {@link #kevent} on it makes wakes without a queue, and waits for the time of the call
     * alone. A change without EV_ADD is an anonymous operation (EV_ANON).
     */
    public static final int KQUEUE_FD_ANON = -100;

    private Kqueue() {}

    /**
     * Makes a queue. Its fd is close-on-exec; {@link #close} closes it.
     *
     * @throws KeventException EMFILE, ENFILE, ENOMEM
     */
    public static int kqueue() {
        return EventQueue.open().fd();
    }

    /**
     * Makes a queue with options: one that other code polls, say ({@link Options#pollable()}).
     *
     * @throws KeventException EMFILE, ENFILE, ENOMEM
     */
    public static int kqueue(Options options) {
        return EventQueue.open(options).fd();
    }

    /**
     * Makes the changes, in their order, then waits for events.
     *
     * @param changelist the changes, or null if there are none; may be the eventlist
     * @param eventlist where events go, or null if {@code nevents} is 0
     * @param nevents 0: returns at once; more than the list has: as many as it has
     * @param timeout null waits for ever; zero polls; nanosecond precision
     * @return how many entries of the eventlist were filled in; 0 after the timeout. If changes failed, or asked for
     *     an answer with EV_RECEIPT, these entries alone are returned, without waiting: EV_ERROR in flags and the errno
     *     in data
     * @throws KeventException EBADF: {@code kq} is no queue, or was closed meanwhile; EINVAL: a negative length or
     *     timeout; EFAULT: a list is null or shorter than its length says; EINTR: the thread was interrupted while it
     *     waited, or before, which this clears; and the errno of a change that failed where there was no room for it
     *     in the eventlist: those before it have been made, those behind it have not, but for wakes that stand in a
     *     row: they are made together, and the first that failed is reported
     */
    public static int kevent(
            int kq, KeventList changelist, int nchanges, KeventList eventlist, int nevents,
            Duration timeout) {
        if (kq == KQUEUE_FD_ANON) {
            return Anonymous.kevent(changelist, nchanges, eventlist, nevents, timeout);
        }
        return find("kevent", kq).kevent(changelist, nchanges, eventlist, nevents, timeout);
    }

    /** Fills in entry {@code index} of a list; {@code ext} becomes 0. */
    public static void EV_SET(
            KeventList list, int index, long ident, int filter, int flags, int fflags, long data,
            Object udata) {
        list.set(index, ident, filter, flags, fflags, data, udata);
    }

    /** As the other, with a word of memory as ident. */
    public static void EV_SET(
            KeventList list,
            int index,
            MemorySegment word,
            int filter,
            int flags,
            int fflags,
            long data,
            Object udata) {
        list.set(index, word, filter, flags, fflags, data, udata);
    }

    /**
     * close(2), for a queue or any other fd: knotes that watch the fd are removed from every queue of this process at
     * once. (Closed by other means, they are removed when a queue next looks at them; so are those of a queue whose
     * single owner is another thread.)
     *
     * @throws KeventException EBADF
     */
    public static void close(int fd) {
        EventQueue queue = Queues.find(fd);
        if (queue != null) {
            queue.close(fd);
            return;
        }
        Queues.forgetFd(fd);
        int result = Queues.isRetired(fd) ? -Errno.EBADF : Fds.close(fd);
        if (result < 0) {
            throw new KeventException(-result, "close: fd " + fd);
        }
    }

    /**
     * dup(2) of a queue's fd: another name for the same queue, which lives until the last of its names is closed.
     *
     * @throws KeventException EBADF, EMFILE
     */
    public static int dup(int kq) {
        return find("dup", kq).dup();
    }

    /** The queue behind a descriptor, to use it by its other face. */
    public static EventQueue queue(int kq) {
        return find("queue", kq);
    }

    /**
     * Gives a queue memory, so that words of it may be idents by their address alone. (C needs no such call. Here, an
     * address that lies in no memory the queue was given is EFAULT.)
     */
    public static void memory(int kq, MemorySegment segment) {
        if (kq == KQUEUE_FD_ANON) {
            Anonymous.memory(segment);
        } else {
            find("memory", kq).memory(segment);
        }
    }

    private static EventQueue find(String function, int kq) {
        EventQueue queue = Queues.find(kq);
        if (queue == null) {
            throw new KeventException(Errno.EBADF, function + ": fd " + kq + " is not a queue");
        }
        return queue;
    }
}
