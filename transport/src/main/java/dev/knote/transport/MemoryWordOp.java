package dev.knote.transport;

/**
 * An operation on a word of memory, and how many waiters to wake after it: what is written to a
 * {@link MemoryWordChannel}. Immutable: one object can be written any number of times.
 *
 * <p>Each is one atomic step, sequentially consistent among all processes. Of values for a word of 4 bytes the low half
 * counts; one that is neither an int nor an unsigned int is refused.
 */
public final class MemoryWordOp {
    /** What it does. */
    enum Kind {
        SET, ADD, OR, AND, COMPARE_AND_SET
    }

    private static final int ALL = Integer.MAX_VALUE;

    private final Kind kind;
    private final long expected;
    private final long value;
    private final int wakes;

    private MemoryWordOp(Kind kind, long expected, long value, int wakes) {
        this.kind = kind;
        this.expected = expected;
        this.value = value;
        this.wakes = wakes;
    }

    /** The word becomes {@code value}; all waiters are woken. */
    public static MemoryWordOp set(long value) {
        return new MemoryWordOp(Kind.SET, 0, value, ALL);
    }

    /** {@code delta} is added, wrapping around; all waiters are woken. */
    public static MemoryWordOp add(long delta) {
        return new MemoryWordOp(Kind.ADD, 0, delta, ALL);
    }

    /** {@code bits} are set; all waiters are woken. */
    public static MemoryWordOp or(long bits) {
        return new MemoryWordOp(Kind.OR, 0, bits, ALL);
    }

    /** Bits that are not in {@code bits} are cleared; all waiters are woken. */
    public static MemoryWordOp and(long bits) {
        return new MemoryWordOp(Kind.AND, 0, bits, ALL);
    }

    /**
     * The word becomes {@code value} if it is {@code expected}; all waiters are woken then. Otherwise nothing is done,
     * and the write fails with a {@link MemoryWordMismatchException}.
     */
    public static MemoryWordOp compareAndSet(long expected, long value) {
        return new MemoryWordOp(Kind.COMPARE_AND_SET, expected, value, ALL);
    }

    /** The same operation, waking at most {@code waiters}, the longest waiting first; 0 wakes nobody. */
    public MemoryWordOp waking(int waiters) {
        if (waiters < 0) {
            throw new IllegalArgumentException("waiters is " + waiters + ": expected 0 or more");
        }
        return new MemoryWordOp(kind, expected, value, waiters);
    }

    Kind kind() {
        return kind;
    }

    long expected() {
        return expected;
    }

    long value() {
        return value;
    }

    int wakes() {
        return wakes;
    }

    /** Whether its values can be those of a word of {@code bytes}. */
    boolean fits(int bytes) {
        return bytes == Long.BYTES || fitsInt(value) && fitsInt(expected);
    }

    private static boolean fitsInt(long value) {
        return value == (int) value || value >>> Integer.SIZE == 0;
    }

    @Override
    public String toString() {
        return kind + (kind == Kind.COMPARE_AND_SET ? " " + expected + " to " : " ") + value
                + (wakes == ALL ? ", waking all" : ", waking " + wakes);
    }
}
