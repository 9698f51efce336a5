package dev.knote.percpu;

import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/**
 * Up to {@value #MOST} operations on words of one segment, done all or not at all, at one moment with respect to every
 * other vector on that segment, of any process. A comparison that fails ends the vector with nothing done. A process that
 * is killed at any point leaves nothing half done: the next vector completes what was decided, or takes the lock of one that
 * had decided nothing. The model is Linux's proposed cpu_opv.
 *
 * <pre>{@code
 * var move = OpsVector.on(memory, 0).equal(open, 1).add(from, -5).add(to, 5).wake(changed, 1);
 * if (move.run() != OpsVector.DONE) { ... }        // the index of the comparison that failed
 * }</pre>
 *
 * <p>A vector is built once and run often, by one thread at a time; it allocates nothing then. It holds the
 * thread while another's vector runs: some 100 ns, unless that thread is stopped or has no processor. Offsets are of bytes
 * from the beginning of the memory, which has to be the same for all processes; a word has 64 bits, at a multiple of
 * 8, or, after {@link #words32}, 32, at a multiple of 4. Every word of a vector has to be changed by vectors alone.
 *
 * <p><b>Reading.</b> A vector without writes takes no lock and writes nothing: it is a consistent look at its words.
 * Who reads a plain word sees it as it was before a vector or after, never between; of several words, it may see some as
 * before and some as after. They change in the order in which the vector first writes to them.
 *
 * <p><b>The region</b>, {@link #BYTES} bytes at a multiple of 64, all zero in the beginning, little endian.
 *
 * <pre>
 *   0  u64  lock    0, or the owner: pid (bits 0-30), bit 31: others may sleep (FUTEX_WAIT on bytes 0 to 3),
 *                   bits 32-63: the owner's birth, field 22 of /proc/PID/stat, lower half
 *   8  u64  state   version * 256 + entries of the log that are to be done; 0 entries: the words are at rest
 *  16  u64  pids    inode of /proc/self/ns/pid, by whoever comes first; others with another one stay away
 *  64  entries of the log, up to 17: u64 where: offset, +0: store 64 bits, +1: store 32 bits, +2: FUTEX_WAKE;
 *      u64 what: the value, or how many to wake
 * </pre>
 *
 * <p><b>The steps.</b> (1) Lock: replace 0 by oneself. Else look for a while; set bit 31 and FUTEX_WAIT for at most 10 ms;
 * then, if the owner is dead (no such pid, another birth, or a zombie without other threads), replace it by oneself with bit
 * 31. Who has slept locks with bit 31. (2) If the state has entries: do (5), for the dead owner. (3) Read the words,
 * compute. If a comparison fails: (6). (4) Write the log; then add its length to the state (release): it is decided. (5) Do
 * the entries in their order (release); then make the state {@code (version + 1) * 256} (release). (6) Unlock: replace the
 * lock by 0, and if bit 31 was set, FUTEX_WAKE one. To read without the lock: read the state (acquire), until it has no
 * entries; the words (acquire); the state again, which has to be the same.
 *
 * <p>(5) may be done twice, which gives the same words, and one wake too many. A process that is stopped in the
 * middle, has closed the memory there, or called execve(2) in another thread, keeps the others waiting until it goes on,
 * or ends.
 */
public final class OpsVector {
    /** Most operations of a vector. */
    public static final int MOST = 16;
    /** What {@link #run} returns if all was done. */
    public static final int DONE = -1;
    /** Bytes of the region. */
    public static final int BYTES = OpsLog.BYTES;

    private static final int LOOKS = 64;

    // Kinds of operations: comparisons first, then what writes nothing; numbers, as each run goes through them.
    private static final byte EQUAL = 0;
    private static final byte NOT_EQUAL = 1;
    private static final byte GET = 2;
    private static final byte BARRIER = 3;
    private static final byte SET = 4;
    private static final byte ADD = 5;
    private static final byte OR = 6;
    private static final byte AND = 7;
    private static final byte XOR = 8;
    private static final byte LEFT = 9;
    private static final byte RIGHT = 10;

    private final OpsLog log;
    private final OpsWords words;
    private final byte[] kinds = new byte[MOST];
    /** The word of an operation, and its other word, or its constant, among the values. */
    private final int[] slots = new int[MOST];
    private final int[] others = new int[MOST];
    private final boolean[] narrow = new boolean[MOST];
    private final long[] results = new long[MOST];
    private int count;
    private boolean isWide = true;
    private long wakeAt = -1;
    private int wakeCount;

    private OpsVector(MemorySegment memory, long offset) {
        words = new OpsWords(memory, offset);
        log = new OpsLog(memory, offset);
    }

    /**
     * A vector without operations yet, on words of {@code memory}, whose region is at {@code offset}.
     *
     * @throws dev.knote.KeventException EINVAL if there are not {@link #BYTES} bytes at that offset, at a multiple of 64, or
     *         a process of another pid namespace has it; EFAULT for heap memory; EACCES if it is read-only
     */
    public static OpsVector on(MemorySegment memory, long offset) {
        Words.region("OpsVector.on: memory", memory, offset, BYTES, Cpu.LINE);
        return new OpsVector(memory, offset);
    }

    /** The operations that follow are on words of 32 bits. */
    public OpsVector words32() {
        isWide = false;
        return this;
    }

    /** The operations that follow are on words of 64 bits, as in the beginning. */
    public OpsVector words64() {
        isWide = true;
        return this;
    }

    /** Fails unless the word is {@code value}. */
    public OpsVector equal(long at, long value) {
        return op(EQUAL, at, value);
    }

    /** Fails if the word is {@code value}. */
    public OpsVector notEqual(long at, long value) {
        return op(NOT_EQUAL, at, value);
    }

    /** Fails unless both words are the same. */
    public OpsVector equalWords(long at, long other) {
        return op(EQUAL, at, other, true);
    }

    /** Fails if both words are the same. */
    public OpsVector notEqualWords(long at, long other) {
        return op(NOT_EQUAL, at, other, true);
    }

    /** Reads the word, for {@link #value}. */
    public OpsVector get(long at) {
        return op(GET, at, 0);
    }

    /** Writes the word. */
    public OpsVector set(long at, long value) {
        return op(SET, at, value);
    }

    /** Writes the word {@code from} to the word {@code to}. */
    public OpsVector copy(long from, long to) {
        return op(SET, to, from, true);
    }

    /** Adds to the word. */
    public OpsVector add(long at, long delta) {
        return op(ADD, at, delta);
    }

    public OpsVector or(long at, long bits) {
        return op(OR, at, bits);
    }

    public OpsVector and(long at, long bits) {
        return op(AND, at, bits);
    }

    public OpsVector xor(long at, long bits) {
        return op(XOR, at, bits);
    }

    /** Shifts the word to the left, by 0 to 31 bits, or 63. */
    public OpsVector shiftLeft(long at, int bits) {
        return op(LEFT, at, bits);
    }

    /** Shifts the word to the right, zeros coming in, by 0 to 31 bits, or 63. */
    public OpsVector shiftRight(long at, int bits) {
        return op(RIGHT, at, bits);
    }

    /** Does nothing: a vector's writes are seen in their order anyway, and each vector is a full barrier. */
    public OpsVector barrier() {
        OpsWords.check(count < MOST, "operation " + count, "at most " + MOST);
        kinds[count++] = BARRIER;
        return this;
    }

    /**
     * At the end, if all was done, wakes {@code waiters} of the 32-bit word. No operation; one a vector. If the process is
     * killed before, the next vector does it.
     */
    public OpsVector wake(long at, int waiters) {
        OpsWords.check(wakeAt < 0, "a second wake", "one a vector");
        OpsWords.check(waiters > 0, "a wake of " + waiters + " waiters", "1 at least");
        words.checkRange(at, Integer.BYTES);
        wakeAt = at;
        wakeCount = waiters;
        return this;
    }

    /** Gives operation {@code index} another value, delta, bits or number of bits. */
    public OpsVector operand(int index, long value) {
        OpsWords.check(index >= 0 && index < count, "operation " + index, "less than " + count);
        byte kind = kinds[index];
        OpsWords.check(others[index] == OpsWords.constant(index) && kind != GET && kind != BARRIER,
                "an operand of operation " + index, "of one that has a value");
        constant(index, kind, !narrow[index], value);
        return this;
    }

    /**
     * Does it.
     *
     * @return {@link #DONE}, or the index of the first comparison that failed: then nothing was done
     * @throws dev.knote.KeventException EIO if the log of the region is none
     * @throws InternalError if the memory's file was cut
     */
    public int run() {
        return words.writes() == 0 && wakeAt < 0 ? look() : change();
    }

    private int look() {
        for (int i = 0; i < LOOKS; i++) {
            long state = log.state();
            if (!OpsLog.isWriting(state)) {
                words.look();
                if (log.state() == state) {
                    return compute();
                }
            }
            Thread.onSpinWait();
        }
        log.lock();
        try {
            words.load();
            return compute();
        } finally {
            log.unlock();
        }
    }

    private int change() {
        long state = log.lock();
        try {
            words.load();
            int failed = compute();
            if (failed == DONE) {
                log.decide(state, words.log(log, wakeAt, wakeCount));
                words.store();
                if (wakeAt >= 0) {
                    log.wake(wakeAt, wakeCount);
                }
                log.rest(state);
            }
            return failed;
        } finally {
            log.unlock();
        }
    }

    /** What the word of operation {@code index} was after it, in the last {@link #run}, that got so far. */
    public long value(int index) {
        OpsWords.check(index >= 0 && index < count, "operation " + index, "less than " + count);
        return results[index];
    }

    private OpsVector op(byte kind, long at, long operand) {
        return op(kind, at, operand, false);
    }

    /** Checks everything first: an operation that is refused leaves the vector as it was. */
    private OpsVector op(byte kind, long at, long operand, boolean hasSource) {
        OpsWords.check(count < MOST, "operation " + count, "at most " + MOST);
        words.check(at, isWide);
        if (hasSource) {
            words.check(operand, isWide);
            int bytes = isWide ? Long.BYTES : Integer.BYTES;
            OpsWords.check(at == operand || Math.abs(at - operand) >= bytes,
                    "words at " + at + " and " + operand,
                    "the same, or apart");
            others[count] = words.slot(operand, isWide);
        } else {
            constant(count, kind, isWide, operand);
        }
        slots[count] = words.slot(at, isWide);
        if (kind >= SET) {
            words.isWritten(slots[count]);
        }
        narrow[count] = !isWide;
        kinds[count++] = kind;
        return this;
    }

    /** A constant of 32 bits is as a word of 32 bits is read. */
    private void constant(int index, byte kind, boolean wide, long value) {
        if (kind == LEFT || kind == RIGHT) {
            int most = wide ? Long.SIZE - 1 : Integer.SIZE - 1;
            OpsWords.check(value >= 0 && value <= most, "a shift by " + value + " bits", "0 to " + most);
        }
        OpsWords.check(wide || value == (int) value || value >>> Integer.SIZE == 0,
                "the value " + value, "one of 32 bits");
        others[index] = OpsWords.constant(index);
        words.values()[others[index]] = wide ? value : (int) value;
    }

    private int compute() {
        long[] values = words.values();
        for (int i = 0; i < count; i++) {
            int slot = slots[i];
            long is = values[slot];
            long other = values[others[i]];
            byte kind = kinds[i];
            if (kind >= SET) {
                is = narrow[i] ? (int) result(kind, (int) is & 0xffffffffL, other) : result(kind, is, other);
                values[slot] = is;
            } else if (kind <= NOT_EQUAL && is == other != (kind == EQUAL)) {
                results[i] = is;
                return i;
            }
            results[i] = is;
        }
        return DONE;
    }

    private static long result(byte kind, long is, long operand) {
        return switch (kind) {
            case SET -> operand;
            case ADD -> is + operand;
            case OR -> is | operand;
            case AND -> is & operand;
            case XOR -> is ^ operand;
            case LEFT -> is << operand;
            default -> is >>> operand;
        };
    }
}
