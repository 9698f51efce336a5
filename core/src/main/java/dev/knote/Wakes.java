package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;

/** Wakes without a queue. */
final class Wakes {
    private Wakes() {}

    static void wake(long address, int count, boolean isPrivate) {
        if (isPrivate) {
            PrivateWords.wake(address, count);
            return;
        }
        int result = Futex.wake(address, count);
        if (result < 0) {
            throw failure(address, -result);
        }
    }

    static KeventException failure(long address, int errno) {
        return new KeventException(
                errno,
                "kevent: ident 0x" + Long.toHexString(address) + ", EVFILT_USERMEM: wake: "
                        + (errno == Errno.EFAULT ? "nothing is mapped there" : Errno.name(errno)));
    }
}
