package dev.knote.sync;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.linux.Signals;
import dev.knote.words.Words;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/** Waits for a few words by futex(2) or futex_waitv(2), which enter and leave each word's queue with every sleep. */
final class DirectWait {
    private static final int MOST = 128;
    private static final long NANOS = 1_000_000_000L;

    private final Waitable[] members;
    private final long[] values;
    private final MemorySegment vector;
    private final MemorySegment until = Arena.ofAuto().allocate(2 * Long.BYTES, Long.BYTES);

    DirectWait(Waitable[] members) {
        this.members = members;
        this.values = new long[members.length];
        this.vector = Arena.ofAuto().allocate((long) members.length * Futex.WAITV_SIZE, Long.BYTES);
        for (int i = 0; i < members.length; i++) {
            long at = (long) i * Futex.WAITV_SIZE;
            vector.set(ValueLayout.JAVA_LONG, at + 8, members[i].word.address());
            vector.set(ValueLayout.JAVA_INT, at + 16, Futex.FUTEX2_SIZE_U32);
        }
    }

    /** The most words that this machine can wait for so. */
    static int most() {
        return Signals.hasFutexWaitv() ? MOST : 1;
    }

    /** The index of what was taken, or {@link WaitSet#TIMEOUT}. */
    int waitAny(long deadline, long mostNanos) {
        boolean slept = false;
        for (;;) {
            int taken = takeFirst();
            if (taken >= 0 || deadline != Words.NEVER && System.nanoTime() - deadline >= 0) {
                if (slept) {
                    passOn(taken);
                }
                return taken;
            }
            if (prepare()) {
                sleep(WaitSet.earlier(deadline, mostNanos));
                slept = true;
            }
        }
    }

    private int takeFirst() {
        for (int i = 0; i < members.length; i++) {
            if (members[i].take()) {
                return i;
            }
        }
        return WaitSet.TIMEOUT;
    }

    /** A wake may have been counted for each of the words, and one was taken at most. */
    private void passOn(int taken) {
        for (int i = 0; i < members.length; i++) {
            if (i != taken) {
                members[i].passOn();
            }
        }
    }

    private boolean prepare() {
        for (int i = 0; i < members.length; i++) {
            long value = members[i].prepare(false);
            if (value == Waitable.AVAILABLE) {
                return false;
            }
            if (value != values[i]) {
                values[i] = value;
                vector.set(ValueLayout.JAVA_LONG, (long) i * Futex.WAITV_SIZE, value);
            }
        }
        return true;
    }

    private void sleep(long deadline) {
        if (members.length == 1) {
            Words.sleep(members[0].word, (int) values[0], deadline);
            return;
        }
        long timespec = 0;
        if (deadline != Words.NEVER) {
            until.set(ValueLayout.JAVA_LONG, 0, deadline / NANOS);
            until.set(ValueLayout.JAVA_LONG, Long.BYTES, deadline % NANOS);
            timespec = until.address();
        }
        int result = Futex.waitv(vector.address(), members.length, timespec);
        Reference.reachabilityFence(this);
        if (result < 0 && result != -Errno.EAGAIN && result != -Errno.EINTR && result != -Errno.ETIMEDOUT) {
            throw new KeventException(
                    -result, "futex_waitv: " + members.length + " words: " + Errno.name(-result));
        }
    }
}
