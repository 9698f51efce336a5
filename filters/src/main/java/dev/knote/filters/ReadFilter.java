package dev.knote.filters;

import dev.knote.FilterKnote;
import dev.knote.Kqueue;
import dev.knote.linux.Classes;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;

/**
 * EVFILT_READ: an fd has something to read. {@link Read} makes its interests.
 *
 * <p>{@code data} of an event is in bytes: what a stream, pipe or terminal has, the next datagram, the first
 * record; of a regular file its size less the position, which may be negative. Of a listening TCP socket it
 * is the number of connections to accept, of another queue the number of its events. Where the kernel does
 * not tell, it is 1. {@code EV_EOF} says that the other side will send no more; with it, {@code fflags} has
 * the error of the socket, once.
 *
 * <p>{@code NOTE_LOWAT} makes {@code data} of a change the least number of bytes to report,
 * {@code NOTE_FILE_POLL} a regular file ready always. Other bits of {@code fflags} are ignored.
 *
 * <p>A knote lives as long as its fd is open: closing the fd ends it without an event. A regular file costs
 * an inotify watch while it is registered, all files of a queue share one inotify instance.
 *
 * <p>Errors: EBADF for what is no open descriptor, EPERM for one that cannot be waited for (a directory,
 * {@code /dev/null}), EINVAL for the queue itself, ELOOP for queues in a circle, EMFILE, ENOSPC and EACCES
 * from inotify, ENOMEM.
 *
 * <p>Contract: kqueue(2), EVFILT_READ; {@code filt_soread}, {@code filt_piperead}, {@code filt_vfsread} of
 * FreeBSD.
 */
public final class ReadFilter extends FdFilter {
    static {
        Classes.load(ReadKind.UNKNOWN.getClass(), ReadableFile.class, ReadableQueue.class);
    }

    private final GrowingFiles files = new GrowingFiles();

    /** A filter for one queue. */
    public ReadFilter() {}

    @Override
    public int number() {
        return Kqueue.EVFILT_READ;
    }

    @Override
    public String name() {
        return "EVFILT_READ";
    }

    @Override
    int interest() {
        return FilterKnote.FD_READ;
    }

    @Override
    FdSource unknown() {
        return ReadKind.UNKNOWN;
    }

    @Override
    FdSource openQueue(FilterKnote knote, int fd) {
        return new ReadableQueue(knote.watchQueue(fd));
    }

    @Override
    FdSource open(FilterKnote knote, int fd, int type, FdProbe probe) {
        if (type == Fds.S_IFREG) {
            return openFile(knote, fd, probe);
        }
        watch(knote, fd);
        return ReadKind.UNKNOWN;
    }

    private FdSource openFile(FilterKnote knote, int fd, FdProbe probe) {
        var file = new ReadableFile(knote, files, probe.inode(), probe.device());
        int result = files.add(file, fd);
        if (result < 0) {
            throw refusal(knote, -result, result == -Errno.EMFILE
                    ? "no inotify instance for the file: see fs.inotify.max_user_instances"
                    : "the file cannot be watched with inotify", null);
        }
        try {
            watch(knote, result);
        } catch (RuntimeException e) {
            files.remove(file);
            throw e;
        }
        return file;
    }

    @Override
    public void close() {
        files.close();
    }
}
