package dev.knote.kfutex;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/**
 * What an event does to a word of 32 bits: one atomic step that changes it, and a criterion on its value before and after
 * that decides whether {@code futex(FUTEX_WAKE)} follows. Immutable; begin with one of the static methods. It wakes
 * nobody unless {@link #wake} or {@link #wakeAll} is asked for, and then, without a criterion, always.
 *
 * <pre>{@code Rule.or(word, 1).wakeAll().whenBefore(Test.EQ, 0)   // set a bit; wake if none was set
 * Rule.add(word, 1).wake(1)                            // count; wake one a time
 * Rule.set(word, 1).onEof().wakeAll().whenChanged()    // only when the other side is gone}</pre>
 *
 * <p>In C: {@code before = atomic_fetch_add(word, operand)} and its like, sequentially consistent, then
 * {@code syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0)} if the criterion holds. A waiter reads the word, and
 * sleeps by FUTEX_WAIT (no FUTEX_PRIVATE_FLAG) on the value read: no event is missed, since the word changes before the
 * wake. Comparisons are signed, as FUTEX_WAKE_OP's are.
 */
public final class Rule {
    /** How two values are compared. */
    public enum Test {
        /** Equal. */
        EQ,
        /** Not equal. */
        NE,
        /** Less, signed. */
        LT,
        /** Less or equal, signed. */
        LE,
        /** Greater, signed. */
        GT,
        /** Greater or equal, signed. */
        GE;

        boolean holds(int value, int against) {
            return switch (this) {
                case EQ -> value == against;
                case NE -> value != against;
                case LT -> value < against;
                case LE -> value <= against;
                case GT -> value > against;
                case GE -> value >= against;
            };
        }
    }

    private enum Change {
        SET, ADD, OR, AND, XOR
    }

    private enum Criterion {
        ALWAYS, CHANGED, BEFORE, AFTER, SET_BITS, CLEARED_BITS
    }

    private enum On {
        EVENT, EOF, ERROR
    }

    private final MemorySegment word;
    private final Change change;
    private final int operand;
    private final boolean ofData;
    private final Criterion criterion;
    private final Test test;
    private final int against;
    private final int count;
    private final On on;

    private Rule(
            MemorySegment word, Change change, int operand, boolean ofData, Criterion criterion, Test test,
            int against, int count, On on) {
        this.word = word;
        this.change = change;
        this.operand = operand;
        this.ofData = ofData;
        this.criterion = criterion;
        this.test = test;
        this.against = against;
        this.count = count;
        this.on = on;
    }

    /** The word becomes {@code value}. */
    public static Rule set(MemorySegment word, int value) {
        return of(word, Change.SET, value, false);
    }

    /** The word becomes the event's data, its low 32 bits: the value of another word, or how many bytes there are. */
    public static Rule setData(MemorySegment word) {
        return of(word, Change.SET, 0, true);
    }

    /** {@code delta} is added to the word. */
    public static Rule add(MemorySegment word, int delta) {
        return of(word, Change.ADD, delta, false);
    }

    /** The event's data, its low 32 bits, is added to the word: how often a timer has expired, say. */
    public static Rule addData(MemorySegment word) {
        return of(word, Change.ADD, 0, true);
    }

    /** These bits of the word become 1. */
    public static Rule or(MemorySegment word, int bits) {
        return of(word, Change.OR, bits, false);
    }

    /** All but these bits of the word become 0. */
    public static Rule and(MemorySegment word, int bits) {
        return of(word, Change.AND, bits, false);
    }

    /** These bits of the word are inverted. */
    public static Rule xor(MemorySegment word, int bits) {
        return of(word, Change.XOR, bits, false);
    }

    /** Applies to events with EV_EOF alone. (Without this and {@link #onError}, to all but those with EV_ERROR.) */
    public Rule onEof() {
        return new Rule(word, change, operand, ofData, criterion, test, against, count, On.EOF);
    }

    /** Applies to events with EV_ERROR alone. */
    public Rule onError() {
        return new Rule(word, change, operand, ofData, criterion, test, against, count, On.ERROR);
    }

    /** Wakes at most {@code n} waiters, those who wait longest first. */
    public Rule wake(int n) {
        if (n < 1) {
            throw new KeventException(Errno.EINVAL, "Rule.wake: n is " + n + ": expected 1 or more");
        }
        return new Rule(word, change, operand, ofData, criterion, test, against, n, on);
    }

    /** Wakes all waiters. */
    public Rule wakeAll() {
        return wake(Integer.MAX_VALUE);
    }

    /** Wakes only if the value is another one than before. */
    public Rule whenChanged() {
        return when(Criterion.CHANGED, Test.NE, 0);
    }

    /** Wakes only if the value before compares so. */
    public Rule whenBefore(Test with, int value) {
        return when(Criterion.BEFORE, with, value);
    }

    /** Wakes only if the value after compares so. */
    public Rule whenAfter(Test with, int value) {
        return when(Criterion.AFTER, with, value);
    }

    /** Wakes only if one of these bits was 0 and is 1. */
    public Rule whenSet(int bits) {
        return when(Criterion.SET_BITS, Test.NE, bits);
    }

    /** Wakes only if one of these bits was 1 and is 0. */
    public Rule whenCleared(int bits) {
        return when(Criterion.CLEARED_BITS, Test.NE, bits);
    }

    private Rule when(Criterion when, Test with, int value) {
        if (with == null) {
            throw new KeventException(
                    Errno.EINVAL, "Rule.when: the test is null: expected one of Rule.Test");
        }
        return new Rule(word, change, operand, ofData, when, with, value, count, on);
    }

    private static Rule of(MemorySegment memory, Change change, int operand, boolean ofData) {
        if (memory == null) {
            throw new KeventException(
                    Errno.EFAULT, "Rule: the word is null: expected 4 bytes of native memory");
        }
        MemorySegment word = Words.word("Rule: the word", memory, 0);
        return new Rule(word, change, operand, ofData, Criterion.ALWAYS, Test.NE, 0, 0, On.EVENT);
    }

    boolean changes(long address) {
        return word.address() == address;
    }

    /** Does it for an event; how many were woken. Throws where there is no memory any more, see {@link Binding}. */
    int apply(boolean eof, boolean error, long data) {
        boolean due = switch (on) {
            case EVENT -> !error;
            case EOF -> eof && !error;
            case ERROR -> error;
        };
        if (!due) {
            return 0;
        }
        Words.get(word); // memory that was cut is an error here; in what follows HotSpot might not survive it
        int value = ofData ? (int) data : operand;
        int before = change(value);
        return count > 0 && isMet(before, after(before, value)) ? Words.wake(word, count) : 0;
    }

    private int change(int value) {
        return switch (change) {
            case SET -> Words.swap(word, value);
            case ADD -> Words.add(word, value);
            case OR -> Words.or(word, value);
            case AND -> Words.and(word, value);
            case XOR -> Words.xor(word, value);
        };
    }

    private int after(int before, int value) {
        return switch (change) {
            case SET -> value;
            case ADD -> before + value;
            case OR -> before | value;
            case AND -> before & value;
            case XOR -> before ^ value;
        };
    }

    private boolean isMet(int before, int after) {
        return switch (criterion) {
            case ALWAYS -> true;
            case CHANGED -> before != after;
            case BEFORE -> test.holds(before, against);
            case AFTER -> test.holds(after, against);
            case SET_BITS -> (after & ~before & against) != 0;
            case CLEARED_BITS -> (before & ~after & against) != 0;
        };
    }
}
