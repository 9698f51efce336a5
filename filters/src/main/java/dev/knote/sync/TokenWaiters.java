package dev.knote.sync;

import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;

/** Those who wait for {@link JobTokens}: counted, woken one at a time, and forgotten if they were killed. */
final class TokenWaiters {
    private static final int COUNT = 0xffff;
    private static final int EPOCH = 0x10000;
    private static final int VAIN = 16;
    private static final int FRESH_MICROS = 1000;

    final MemorySegment sequence;
    private final MemorySegment waiters;
    private final MemorySegment woken;
    /** Wakes in a row that woke nobody. */
    private int vain;

    /** @param memory the tokens' region */
    TokenWaiters(MemorySegment memory) {
        sequence = memory.asSlice(4, Integer.BYTES);
        waiters = memory.asSlice(8, Integer.BYTES);
        woken = memory.asSlice(24, Integer.BYTES);
    }

    /** The time, never 0. */
    static int micros() {
        return (int) (System.nanoTime() / 1000) | 1;
    }

    boolean hasSome() {
        return (Words.get(waiters) & COUNT) != 0;
    }

    /** Step 2: counted as a waiter in the present epoch. The ticket before was 0 at first. */
    int enter(int ticket) {
        for (;;) {
            int now = Words.get(waiters);
            if (ticket != 0 && ((ticket ^ now) & ~COUNT) == 0) {
                return ticket;
            }
            if ((now & COUNT) == COUNT) {
                throw new IllegalStateException("JobTokens: " + COUNT + " wait: expected fewer");
            }
            if (Words.swap(waiters, now, now + 1)) {
                return now & ~COUNT | 1;
            }
        }
    }

    /** Step 5. */
    void leave(int ticket) {
        for (;;) {
            int now = Words.get(waiters);
            if (((ticket ^ now) & ~COUNT) != 0 || (now & COUNT) == 0 || Words.swap(waiters, now, now - 1)) {
                return;
            }
        }
    }

    /** A token is free: one of those who wait is woken, unless one is on his way. Whether one was woken now. */
    boolean wakeOne() {
        int now = Words.get(waiters);
        if ((now & COUNT) == 0) {
            return false;
        }
        int micros = micros();
        if (isFresh(Words.get(woken), micros)) {
            return false;
        }
        Words.set(woken, micros);
        return tell(now, 1);
    }

    /** Whether somebody was woken and has not looked yet. */
    boolean isOneOnHisWay() {
        return isFresh(Words.get(woken), micros());
    }

    private static boolean isFresh(int then, int now) {
        return then != 0 && now - then >= 0 && now - then < FRESH_MICROS;
    }

    /** Who waits is about to look. */
    void looks() {
        if (Words.get(woken) != 0) {
            Words.set(woken, 0);
        }
    }

    /** Wakes as many. */
    void tell(int count) {
        boolean ignored = tell(Words.get(waiters), count);
    }

    /** @param now the word of the waiters */
    private boolean tell(int now, int count) {
        if ((now & COUNT) == 0) {
            return false;
        }
        Words.add(sequence, 1);
        if (Words.wake(sequence, count) > 0) {
            vain = 0;
            return true;
        }
        Words.set(woken, 0);
        if (++vain >= VAIN) {
            vain = 0;
            if (Words.swap(waiters, now, (now & ~COUNT) + EPOCH)) {
                Words.add(sequence, 1);
                Words.wake(sequence, Integer.MAX_VALUE);
            }
        }
        return false;
    }
}
