package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * An owner who is in the kernel all the time, for wakes that nobody waits for, while a word of his is woken. The flag
 * by which a ring asks to be entered can be left over then, with nothing behind it: he has to answer all the same.
 */
class BusyOwnerTest {
    private static final int ASKED = 0;
    private static final int RESCUE = 1;
    private static final int NOBODYS = 2;
    private static final int LAST = -1;
    private static final long SECONDS = StressSize.of(120, 5);

    @Test
    void anOwnerWhoIsWokenWhileHeEntersHisRingStillAnswers() throws Exception {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "two threads at once need two processors");
        try (SharedMemory memory = SharedMemory.anonymous(4096);
                EventQueue queue = EventQueue.open(Options.defaults().singleOwner());
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            var answer = new AtomicInteger();
            Future<?> owner = threads.submit(() -> answer(queue, memory, answer));
            String unanswered = ask(memory, queue, answer);
            SharedMemory.store32(memory.word32(ASKED), LAST);
            long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
            while (!owner.isDone()) { // by the end of another wait, whoever the flag has caught is free
                assertTrue(System.nanoTime() < end, "the owner does not return");
                queue.wake(memory.word32(ASKED), 1);
                queue.wake(memory.word32(RESCUE), 1);
                Thread.yield();
            }
            owner.get();
            assertEquals("", unanswered);
        }
    }

    private static void answer(EventQueue queue, SharedMemory memory, AtomicInteger answer) {
        queue.register(UserMem.int32(memory.word32(ASKED), 0), answer);
        queue.register(UserMem.int32(memory.word32(RESCUE), 0), new AtomicInteger());
        KeventList wakes = KeventList.allocate(2);
        for (int i = 0; i < 2; i++) {
            EV_SET(wakes, i, memory.word32(NOBODYS + i), EVFILT_USERMEM, EV_ANON, NOTE_TRIGGER, 1, null);
        }
        while (answer.get() != LAST) {
            kevent(queue.fd(), wakes, 2, null, 0, null);
            queue.poll(event -> ((AtomicInteger) event.attachment()).set((int) event.data()), Duration.ZERO);
        }
    }

    /** Says what was not answered in time, if anything. */
    private static String ask(SharedMemory memory, EventQueue queue, AtomicInteger answer) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        int round = 0;
        while (System.nanoTime() < end) {
            SharedMemory.store32(memory.word32(ASKED), ++round);
            queue.wake(memory.word32(ASKED), 1);
            long patience = System.nanoTime() + StressSize.PATIENCE.toNanos();
            while (answer.get() != round) {
                if (System.nanoTime() > patience) {
                    return "no answer to wake " + round;
                }
                Thread.onSpinWait();
            }
        }
        return "";
    }
}
