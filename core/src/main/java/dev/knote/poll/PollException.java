package dev.knote.poll;

import dev.knote.linux.Errno;

/** A system call of a poller failed. */
public final class PollException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    PollException(String call, int errno) {
        super(call + ": " + Errno.name(errno));
        this.errno = errno;
    }

    /** The errno, positive. */
    public int errno() {
        return errno;
    }
}
