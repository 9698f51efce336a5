package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;

/** Wakes without a queue. */
final class Wakes {
    private Wakes() {}

    static void wake(MemorySegment word, int count, boolean isPrivate) {
        if (!word.isNative() || word.address() == 0 || !word.scope().isAlive()) {
            throw failure(word.address(), Errno.EFAULT);
        }
        if (count < 0 || word.address() % Integer.BYTES != 0) {
            throw failure(word.address(), Errno.EINVAL);
        }
        if (count > 0) { // FUTEX_WAKE of none wakes one
            wake(word.address(), count, isPrivate);
        }
    }

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
