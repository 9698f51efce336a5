package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.NOTE_LOWAT;

import dev.knote.Interest;

/**
 * Interests in an fd having something to read; what an event says is described at {@link ReadFilter}, and so
 * are the errors of registering. Any thread may call; an fd is not kept open by an interest or by its
 * registration.
 *
 * <p>Contract: kqueue(2), EVFILT_READ.
 */
public final class Read {
    private Read() {}

    /** Anything to read, or its end, on the open file descriptor {@code fd}. */
    public static Interest of(int fd) {
        return Interest.of(EVFILT_READ, fd);
    }

    /** At least {@code bytes} bytes to read, or the end, on the open file descriptor {@code fd}. */
    public static Interest atLeast(int fd, long bytes) {
        return of(fd).fflags(NOTE_LOWAT).data(bytes);
    }
}
