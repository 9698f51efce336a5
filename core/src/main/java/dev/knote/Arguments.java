package dev.knote;

import dev.knote.linux.Errno;
import java.time.Duration;

/** Checks the arguments of a call. */
final class Arguments {
    private Arguments() {}

    /** Returns how many events there is room for: no more than the list has. */
    static int check(KeventList changes, int nchanges, KeventList events, int nevents) {
        if (nchanges < 0 || nevents < 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "kevent: nchanges is " + nchanges + ", nevents is " + nevents + ": expected 0 or more");
        }
        if (nchanges > 0 && changes == null || nevents > 0 && events == null) {
            throw new KeventException(
                    Errno.EFAULT,
                    "kevent: " + (nchanges > 0 && changes == null ? "changelist" : "eventlist")
                            + " is null, and its length is not 0");
        }
        if (nchanges > 0 && nchanges > changes.size()) {
            throw new KeventException(
                    Errno.EFAULT,
                    "kevent: nchanges is " + nchanges + ": the changelist has " + changes.size()
                            + " entries");
        }
        return nevents == 0 ? 0 : Math.min(nevents, events.size());
    }

    /** A timeout in nanoseconds: -1 for null; one that is too long to count is as good as for ever. */
    static long nanos(String function, Duration timeout) {
        if (timeout == null) {
            return -1;
        }
        if (timeout.isZero()) {
            return 0;
        }
        if (timeout.isNegative()) {
            throw new KeventException(
                    Errno.EINVAL,
                    function + ": timeout is " + timeout + ": expected null, zero or a positive duration");
        }
        return timeout.getSeconds() >= Long.MAX_VALUE / 1_000_000_000 - 1
                ? Long.MAX_VALUE / 2
                : Math.min(Long.MAX_VALUE / 2, timeout.toNanos());
    }
}
