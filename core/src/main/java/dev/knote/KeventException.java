package dev.knote;

import dev.knote.linux.Errno;

/**
 * A call that failed with an errno. The message names the call, the ident, the filter and what was wrong.
 *
 * <p>Contract: kqueue(2), section ERRORS.
 */
public final class KeventException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /** An error with the errno of Linux, such as {@link Errno#EINVAL}, and a sentence on what was wrong. */
    public KeventException(int errno, String message) {
        super(Errno.name(errno) + ": " + message);
        this.errno = errno;
    }

    /** The errno, as Linux numbers it. */
    public int errno() {
        return errno;
    }
}
