package dev.knote.transport;

import dev.knote.KeventException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/** A thread that waits for a word, see {@link WordWaiters}. Its end is decided once, by whoever comes first. */
final class WordWaiter extends Word {
    private static final int WAITING = 0;
    private static final int DONE = 1;
    private static final int GIVEN_UP = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(WordWaiter.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread thread = Thread.currentThread();
    private final long expected;
    private volatile int state = WAITING;
    private long value;
    private KeventException failure;
    /** On the way to the polling thread: those who come, and those who have given up. */
    WordWaiter nextComing;
    WordWaiter nextLeaving;
    /** The polling thread's: where it is listed, or null, and its neighbours. */
    WaitedWord at;
    WordWaiter previous;
    WordWaiter next;

    WordWaiter(MemorySegment segment, long expected) {
        super(segment);
        this.expected = normal(expected);
    }

    /** Looks at the word itself; the value is {@link #value()} then. */
    boolean isChanged() {
        value = read();
        return value != expected;
    }

    long expected() {
        return expected;
    }

    boolean isWaiting() {
        return state == WAITING;
    }

    /** The waiter's own decision; false if it has a value or a failure by now. */
    boolean giveUp() {
        return STATE.compareAndSet(this, WAITING, GIVEN_UP);
    }

    /** By the polling thread: true if the waiter had not given up. */
    boolean complete(long newValue) {
        value = newValue;
        return end();
    }

    void fail(KeventException why) {
        failure = why;
        end();
    }

    private boolean end() {
        if (STATE.compareAndSet(this, WAITING, DONE)) {
            LockSupport.unpark(thread);
            return true;
        }
        return false;
    }

    /** What {@link #isChanged()} has read, or the wait has ended with. */
    long value() {
        if (failure != null) {
            String what = failure.getMessage();
            var here = new KeventException(failure.errno(), what.substring(what.indexOf(": ") + 2));
            here.initCause(failure); // which is the polling thread's, and perhaps others' too
            throw here;
        }
        return value;
    }
}
