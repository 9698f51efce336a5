package dev.knote.pool;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.Knote;
import dev.knote.filters.User;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pool at work makes no garbage. */
@Timeout(60)
class PoolAllocationTest extends PoolFixture {
    private static final int EVENTS = 20_000;
    private static final int ROUNDS = 300;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final AtomicInteger handled = new AtomicInteger();

    /** Of several rounds one has next to nothing: others have the compiler's doings in them. */
    @ParameterizedTest
    @ValueSource(strings = {"alone", "with others"})
    void anEventAllocatesNothing(String how) {
        boolean alone = how.equals("alone");
        int count = alone ? EVENTS : EVENTS / 10;
        LeaderFollowers pool = start(
                options(1, alone ? 1 : 3).policy(alone ? Policy.thrifty() : Policy.lifo()));
        Knote knote = pool.register(User.of(1).clear(), event -> handled.incrementAndGet());
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && least > count; round++) {
            long before = allocated();
            events(knote, count);
            least = Math.min(least, allocated() - before);
        }
        assertTrue(least <= count, least + " bytes, " + pool.statistics());
    }

    private void events(Knote knote, int count) {
        for (int i = 0; i < count; i++) {
            int next = handled.get() + 1;
            knote.trigger();
            while (handled.get() < next) {
                Thread.onSpinWait();
            }
        }
    }

    private long allocated() {
        long sum = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            sum += thread instanceof Worker ? threads.getThreadAllocatedBytes(thread.threadId()) : 0;
        }
        return sum;
    }
}
