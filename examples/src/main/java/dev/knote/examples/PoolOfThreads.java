package dev.knote.examples;

import dev.knote.Event;
import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.pool.LeaderFollowers;
import dev.knote.pool.PoolOptions;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** Threads share the events of one queue. A handler that blocks, and says so, holds up nobody. */
final class PoolOfThreads {
    private static final CountDownLatch OTHERS = new CountDownLatch(2);
    private static final CountDownLatch ALL = new CountDownLatch(1);

    private PoolOfThreads() {}

    static void main() throws InterruptedException {
        PoolOptions options = PoolOptions.defaults().threads(1, 4);
        try (var memory = SharedMemory.anonymous(64);
                var queue = EventQueue.open();
                var pool = LeaderFollowers.start(queue, options)) {
            MemorySegment word = memory.word32(0);
            pool.register(User.of(1).oneShot(), PoolOfThreads::waitForTheOthers).trigger();
            pool.register(Timer.after(Duration.ofMillis(5)), event -> tell("the time has come"));
            pool.register(UserMem.int32(word, 0).oneShot(), event -> tell("the word is " + event.data()));

            SharedMemory.store32(word, 42); // as another process might
            queue.wake(word, 1);
            ALL.await();
            System.out.println(pool.statistics().wasted() + " threads woken in vain");
        }
    }

    private static void tell(String what) {
        System.out.println(what);
        OTHERS.countDown();
    }

    private static void waitForTheOthers(Event event) {
        try {
            LeaderFollowers.blocking(() -> {
                OTHERS.await();
                return null;
            });
            System.out.println("both have happened");
            ALL.countDown();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
