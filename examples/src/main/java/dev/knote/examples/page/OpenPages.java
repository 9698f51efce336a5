package dev.knote.examples.page;

import java.time.Duration;

/** How many pages are open. */
final class OpenPages {
    private final int most;
    private int open;

    OpenPages(int most) {
        this.most = most;
    }

    /** Whether there may be one more, which then there is. */
    synchronized boolean enter() {
        if (open == most) {
            return false;
        }
        open++;
        notifyAll();
        return true;
    }

    synchronized void leave() {
        open--;
        notifyAll();
    }

    synchronized int open() {
        return open;
    }

    /** Returns when no page is open: for a while from now on if none ever was, for another after the last one. */
    synchronized void awaitNone(Duration atFirst, Duration afterwards) throws InterruptedException {
        long end = System.nanoTime() + atFirst.toNanos();
        while (true) {
            long now = System.nanoTime();
            if (open > 0) {
                wait();
                end = Math.max(end, System.nanoTime() + afterwards.toNanos());
            } else if (now < end) {
                wait(Math.ceilDivExact(end - now, 1_000_000L));
            } else {
                return;
            }
        }
    }
}
