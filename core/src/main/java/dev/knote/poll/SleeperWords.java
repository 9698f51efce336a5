package dev.knote.poll;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.util.concurrent.atomic.AtomicInteger;

/** Waits for words, each by a thread that sleeps: for machines that forbid io_uring. Arming is at once in effect. */
final class SleeperWords implements Words {
    private final AtomicInteger armed = new AtomicInteger();

    @Override
    public void arm(WordWait wait) {
        int result = Sleeper.take().arm(wait, armed);
        if (result < 0) {
            wait.ended(result);
        } else if (!wait.matches()) {
            int recalled = wait.sleeper.recall(wait);
            if (recalled != Sleeper.OVER) {
                wait.ended(recalled == Sleeper.WOKEN ? 0 : -Errno.EAGAIN);
            }
        }
    }

    @Override
    public boolean disarm(WordWait wait) {
        Sleeper sleeper = wait.sleeper;
        return sleeper != null && sleeper.recall(wait) == Sleeper.WOKEN;
    }

    @Override
    public void flush() {}

    @Override
    public void wake(long[] addresses, int[] counts, int n) {
        for (int i = 0; i < n; i++) {
            counts[i] = Futex.wake(addresses[i], counts[i]);
        }
    }

    @Override
    public void disarmAll() {
        // the queue disarms one by one
    }

    @Override
    public void close() {}
}
