package dev.knote;

import dev.knote.linux.Errno;

/** What a call of a queue throws, and why. */
final class Refusals {
    private Refusals() {}

    static KeventException refusal(int errno, long ident, String filter, String what) {
        return new KeventException(errno, "kevent: ident " + ident + ", " + filter + ": " + what);
    }

    static KeventException missing(Kevent change, Filter filter) {
        return refusal(Errno.ENOENT, change.ident, filter.name(), "there is no such knote");
    }

    static KeventException closed() {
        return new KeventException(Errno.EBADF, "kevent: the queue is closed");
    }
}
