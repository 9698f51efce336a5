package dev.knote.filters;

import dev.knote.FilterKnote;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import dev.knote.linux.Classes;
import dev.knote.linux.Fds;

/**
 * EVFILT_WRITE: an fd can be written to. {@link Write} makes its interests.
 *
 * <p>{@code data} of an event is in bytes: the room in the socket's send buffer or in the pipe; 0 for a
 * regular file, which is ready always; 1 where the kernel does not tell. {@code EV_EOF} says that the other
 * side will read no more; with it, {@code fflags} has the error of the socket, once.
 *
 * <p>{@code NOTE_LOWAT} makes {@code data} of a change the least room to report. Other bits of {@code fflags}
 * are ignored.
 *
 * <p>A knote lives as long as its fd is open: closing the fd ends it without an event.
 *
 * <p>Errors: EBADF for what is no open descriptor, EPERM for one that cannot be waited for (a directory,
 * {@code /dev/null}), EINVAL for a queue, ENOMEM, ENOSPC.
 *
 * <p>Contract: kqueue(2), EVFILT_WRITE; {@code filt_sowrite}, {@code filt_pipewrite}, {@code filt_vfswrite}
 * of FreeBSD.
 */
public final class WriteFilter extends FdFilter {
    static {
        Classes.load(WriteKind.UNKNOWN.getClass(), WritableFile.class);
    }

    /** A filter for one queue. */
    public WriteFilter() {}

    @Override
    public int number() {
        return Kqueue.EVFILT_WRITE;
    }

    @Override
    public String name() {
        return "EVFILT_WRITE";
    }

    @Override
    int interest() {
        return FilterKnote.FD_WRITE;
    }

    @Override
    FdSource unknown() {
        return WriteKind.UNKNOWN;
    }

    @Override
    FdSource openQueue(FilterKnote knote, int fd) {
        throw refusal(knote, Errno.EINVAL, "a queue cannot be written to", null);
    }

    @Override
    FdSource open(FilterKnote knote, int fd, int type, FdProbe probe) {
        if (type == Fds.S_IFREG) {
            return new WritableFile(probe.inode(), probe.device());
        }
        watch(knote, fd);
        return WriteKind.UNKNOWN;
    }
}
