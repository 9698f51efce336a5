package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is inside a queue is seen by who closes it, or sees that it is closed. */
@Tag("once")
@Timeout(60)
class PresenceTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));
    private static final int ROUNDS = FULL ? 6_000_000 : 300_000;
    /** With one processor, each round takes two turns of the scheduler. */
    private static final long MOST_NANOS = FULL ? 20_000_000_000L : 3_000_000_000L;
    private static final int LINES = 6;
    private static final int LINE = 32;
    private static final int END = Integer.MAX_VALUE;

    /** Stores and loads of two threads that meet in the same round. */
    private static final class Meeting {
        final Presence presence;
        final AtomicInteger round = new AtomicInteger();
        volatile boolean closed;
        volatile int sawOpen = -1;
        volatile int entered;
        /** Lines that both write: what the visitor stores behind these takes a while to be seen. */
        final AtomicIntegerArray lines = new AtomicIntegerArray(LINES * LINE);

        Meeting(boolean fenceless) {
            presence = new Presence(fenceless);
        }

        void visitor() {
            for (int i = 1;; i++) {
                int now;
                while ((now = round.get()) != i && now != END) {
                    Thread.onSpinWait();
                }
                if (now == END) {
                    return;
                }
                touchLines(i);
                presence.enter();
                boolean open = !closed;
                sawOpen = open ? i : -1;
                entered = i;
                while (round.get() == i) {
                    Thread.onSpinWait();
                }
                presence.leave();
                entered = -i;
            }
        }

        private void touchLines(int value) {
            for (int line = 0; line < LINES; line++) {
                lines.setPlain(line * LINE, value);
            }
        }

        /** How often neither saw the other. */
        int closer() {
            int missed = 0;
            long from = System.nanoTime();
            for (int i = 1; i <= ROUNDS && System.nanoTime() - from < MOST_NANOS; i++) {
                closed = false;
                touchLines(-i);
                round.set(i);
                for (int pause = i & 511; pause > 0; pause--) {
                    int ignored = lines.getOpaque(0);
                }
                closed = true;
                presence.settle();
                boolean nobody = !presence.isAnybody();
                while (entered != i) {
                    Thread.onSpinWait();
                }
                missed += nobody && sawOpen == i ? 1 : 0;
                round.set(-i);
                while (entered != -i) {
                    Thread.onSpinWait();
                }
            }
            round.set(END);
            return missed;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneOfTheTwoSeesTheOther(boolean fenceless) throws InterruptedException {
        var meeting = new Meeting(fenceless);
        Thread visitor = Thread.ofPlatform().start(meeting::visitor);
        int missed = meeting.closer();
        visitor.join();
        assertEquals(0, missed, "rounds in which the queue was closed under somebody");
        assertFalse(meeting.presence.isAnybody());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void threadsOfOneStripeAreCountedApart(boolean fenceless) throws InterruptedException {
        var presence = new Presence(fenceless);
        presence.enter();
        for (int i = 0; i < 40; i++) { // more than there are stripes
            Thread.ofPlatform().start(() -> {
                presence.enter();
                presence.enter();
                presence.leave();
                presence.leave();
            }).join();
            assertTrue(presence.isAnybody());
        }
        presence.leave();
        assertFalse(presence.isAnybody());
        Thread.ofVirtual().start(presence::enter).join();
        assertTrue(presence.isAnybody());
    }

    /** Two threads of one stripe: the one whose it is ends while the other is inside, and enters once more. */
    @Test
    void whoIsInsideWhenAStripeIsGivenUpLeavesAsHeEntered() throws InterruptedException {
        var presence = new Presence(true);
        var firstHasLeft = new CountDownLatch(1);
        var secondIsInside = new CountDownLatch(1);
        Thread first = Thread.ofPlatform().unstarted(() -> {
            presence.enter();
            presence.leave();
            firstHasLeft.countDown();
            await(secondIsInside);
        });
        Thread second;
        AtomicBoolean seen = new AtomicBoolean();
        do {
            second = Thread.ofPlatform().unstarted(() -> {
                presence.enter();
                secondIsInside.countDown();
                join(first);
                presence.enter();
                presence.leave();
                seen.set(presence.isAnybody());
                presence.leave();
            });
        } while ((second.threadId() - first.threadId()) % 16 != 0);
        first.start();
        await(firstHasLeft);
        second.start();
        second.join();
        assertTrue(seen.get());
        assertFalse(presence.isAnybody());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
