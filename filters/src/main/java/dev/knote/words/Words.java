package dev.knote.words;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Objects;

/**
 * What every protocol on 32-bit words of shared memory is made of: steps that are sequentially consistent, sleeping while
 * a word holds a value, and waking. A sleep is one in futex(2), by the key that all processes share: C takes part by
 * FUTEX_WAIT and FUTEX_WAKE without FUTEX_PRIVATE_FLAG.
 *
 * <p>Sleeping holds the thread, a virtual one's carrier too, and {@link Thread#interrupt} does not end it.
 */
public final class Words {
    /** A deadline that never comes. */
    public static final long NEVER = Long.MAX_VALUE;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final long NANOS = 1_000_000_000L;
    private static final ThreadLocal<MemorySegment> TIMESPEC = ThreadLocal
            .withInitial(() -> Arena.ofAuto().allocate(2 * Long.BYTES, Long.BYTES));

    private Words() {}

    /**
     * The word at {@code offset} of {@code memory}.
     *
     * @param what the argument's name in messages, with its method: {@code "Latch.of: memory"}
     * @throws KeventException EFAULT if it is heap memory, EINVAL if it ends too soon or the word is not aligned
     */
    public static MemorySegment word(String what, MemorySegment memory, long offset) {
        region(what, memory, offset, Integer.BYTES, Integer.BYTES);
        return memory.asSlice(offset, Integer.BYTES);
    }

    /**
     * A timeout in nanoseconds; null, or more than there are, is {@link #NEVER}.
     *
     * @param what the argument's name in messages, with its method: {@code "Latch.await: timeout"}
     * @throws IllegalArgumentException if it is negative
     */
    public static long nanos(String what, Duration timeout) {
        if (timeout == null) {
            return NEVER;
        }
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(
                    what + " is " + timeout + ": expected zero or more, or null for ever");
        }
        return timeout.getSeconds() >= NEVER / NANOS ? NEVER : timeout.toNanos();
    }

    /** Checks that {@code memory} has {@code bytes} at {@code offset}, at an address that is a multiple of {@code align}. */
    public static void region(String what, MemorySegment memory, long offset, long bytes, long align) {
        Objects.requireNonNull(memory, () -> what + " is null: expected native memory");
        if (!memory.isNative()) {
            throw new KeventException(Errno.EFAULT,
                    what + ": it is in the Java heap: expected native memory");
        }
        if (offset < 0 || memory.byteSize() - bytes < offset) {
            throw new KeventException(
                    Errno.EINVAL, what + ": it has " + memory.byteSize() + " bytes: expected " + bytes
                            + " at offset " + offset);
        }
        if ((memory.address() + offset) % align != 0) {
            throw new KeventException(
                    Errno.EINVAL, what + ": the address 0x" + Long.toHexString(memory.address() + offset)
                            + " is not aligned to " + align);
        }
        if (!memory.scope().isAlive()) {
            throw new IllegalStateException(what + ": it is closed: expected memory that is there");
        }
        if (memory.isReadOnly()) {
            throw new KeventException(Errno.EACCES, what + ": it is read-only: expected memory to write to");
        }
    }

    public static int get(MemorySegment word) {
        return (int) INT.getVolatile(word, 0L);
    }

    public static void set(MemorySegment word, int value) {
        INT.setVolatile(word, 0L, value);
    }

    public static int swap(MemorySegment word, int value) {
        return (int) INT.getAndSet(word, 0L, value);
    }

    public static boolean swap(MemorySegment word, int expected, int value) {
        return INT.compareAndSet(word, 0L, expected, value);
    }

    public static int add(MemorySegment word, int delta) {
        return (int) INT.getAndAdd(word, 0L, delta);
    }

    public static int or(MemorySegment word, int bits) {
        return (int) INT.getAndBitwiseOr(word, 0L, bits);
    }

    public static int and(MemorySegment word, int bits) {
        return (int) INT.getAndBitwiseAnd(word, 0L, bits);
    }

    public static int xor(MemorySegment word, int bits) {
        return (int) INT.getAndBitwiseXor(word, 0L, bits);
    }

    /** When a wait of {@code nanos}, that begins now, ends, by {@link System#nanoTime}; {@link #NEVER} as it is. */
    public static long deadline(long nanos) {
        return nanos == NEVER ? NEVER : System.nanoTime() + Math.clamp(nanos, 0, NEVER / 2);
    }

    /**
     * Sleeps while the word holds {@code value}, until a wake, or for no reason: look at the word again.
     *
     * @param deadline by {@link System#nanoTime}, or {@link #NEVER}
     * @return false if the deadline has passed
     * @throws KeventException EFAULT if there is no memory any more
     */
    public static boolean sleep(MemorySegment word, int value, long deadline) {
        long timespec = 0;
        if (deadline != NEVER) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            MemorySegment room = TIMESPEC.get();
            room.set(ValueLayout.JAVA_LONG, 0, left / NANOS);
            room.set(ValueLayout.JAVA_LONG, Long.BYTES, left % NANOS);
            timespec = room.address();
        }
        int result = Futex.wait(address(word), value, timespec);
        Reference.reachabilityFence(word);
        return switch (-result) {
            case 0, Errno.EAGAIN, Errno.EINTR -> true;
            case Errno.ETIMEDOUT -> false;
            default -> throw failed(word, -result);
        };
    }

    /** Wakes at most {@code count} of who waits for the word, by a sleep or in a queue; how many there were. */
    public static int wake(MemorySegment word, int count) {
        int result = Futex.wake(address(word), count);
        Reference.reachabilityFence(word);
        if (result < 0) {
            throw failed(word, -result);
        }
        return result;
    }

    /** IllegalStateException if the memory is no longer there: the kernel must not see what has taken its place. */
    private static long address(MemorySegment word) {
        if (!word.scope().isAlive()) {
            throw new IllegalStateException("word: its memory is closed");
        }
        return word.address();
    }

    private static KeventException failed(MemorySegment word, int errno) {
        return new KeventException(
                errno, "futex: the word at 0x" + Long.toHexString(word.address()) + ": " + Errno.name(errno));
    }
}
