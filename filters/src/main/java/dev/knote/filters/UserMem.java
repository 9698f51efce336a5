package dev.knote.filters;

import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Interests in words of memory. They fire when the word is not the expected one, and when somebody posts a wake: {@link
 * dev.knote.EventQueue#wake}, NOTE_TRIGGER, or futex(2), in any process that has mapped the same memory.
 *
 * <p>An event's data is the word's value. Without {@link Interest#oneShot()} every wake after an event is another event.
 */
public final class UserMem {
    private UserMem() {}

    /**
     * A word of 32 bits.
     *
     * @param word native memory of at least 4 bytes, aligned to 4; its first 4 count
     * @param expected the value that the caller has seen and waits to see changed
     */
    public static Interest int32(MemorySegment word, int expected) {
        check(word, Integer.BYTES, ValueLayout.JAVA_INT.byteAlignment());
        return Interest.of(Kqueue.EVFILT_USERMEM, word).fflags(Kqueue.NOTE_USERMEM_INT).data(expected);
    }

    /**
     * A word of 64 bits.
     *
     * @param word native memory of at least 8 bytes, aligned to 8; its first 8 count
     * @param expected the value that the caller has seen and waits to see changed
     */
    public static Interest int64(MemorySegment word, long expected) {
        check(word, Long.BYTES, ValueLayout.JAVA_LONG.byteAlignment());
        return Interest.of(Kqueue.EVFILT_USERMEM, word).fflags(Kqueue.NOTE_USERMEM_LONG).data(expected);
    }

    /** The same within this process: wakes that are private too, and only those, make it fire. Cheaper. */
    public static Interest privately(Interest shared) {
        return shared.fflags(shared.fflags() | Kqueue.NOTE_USERMEM_PRIVATE);
    }

    private static void check(MemorySegment word, int bytes, long alignment) {
        if (!word.isNative()) {
            throw new KeventException(Errno.EFAULT, "word: it is in the Java heap: expected native memory");
        }
        if (word.byteSize() < bytes) {
            throw new KeventException(
                    Errno.EINVAL, "word: it has " + word.byteSize() + " bytes: expected at least " + bytes);
        }
        if (word.address() % alignment != 0) {
            throw new KeventException(
                    Errno.EINVAL,
                    "word: its address 0x" + Long.toHexString(word.address()) + " is not aligned to "
                            + alignment);
        }
    }
}
