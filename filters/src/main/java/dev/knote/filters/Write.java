package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_WRITE;
import static dev.knote.Kqueue.NOTE_LOWAT;

import dev.knote.Interest;

/**
 * Interests in an fd having room to write; what an event says is described at {@link WriteFilter}, and so are
 * the errors of registering. Any thread may call; an fd is not kept open by an interest or by its
 * registration.
 *
 * <p>Contract: kqueue(2), EVFILT_WRITE.
 */
public final class Write {
    private Write() {}

    /** Room to write on the open file descriptor {@code fd}, or nobody left to read. */
    public static Interest of(int fd) {
        return Interest.of(EVFILT_WRITE, fd);
    }

    /**
     * Room for at least {@code bytes} bytes on the open file descriptor {@code fd}, or nobody left to read.
     */
    public static Interest atLeast(int fd, long bytes) {
        return of(fd).fflags(NOTE_LOWAT).data(bytes);
    }
}
