package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Others hear of I/O through memory alone; and many threads bind at once. */
@Timeout(60)
class KfutexProcessTest {
    private static final boolean FULL = "full".equals(System.getProperty("knote.stress"));

    @TempDir
    private static Path temp;

    private final SharedMemory memory = SharedMemory.create("knote-kfutex-" + System.nanoTime(), 4096);
    private final MemorySegment word = memory.word32(1);
    private final Kfutex kfutex = new Kfutex();

    @AfterEach
    void close() {
        kfutex.close();
        memory.close();
        memory.unlink();
    }

    /** The other JVM: waits in a queue of its own for word 1 to become what it is told. */
    static final class OtherQueue {
        private OtherQueue() {}

        public static void main(String[] arguments) {
            try (SharedMemory memory = SharedMemory.map(Path.of(arguments[0]));
                    EventQueue queue = EventQueue.open()) {
                MemorySegment word = memory.word32(1);
                queue.register(UserMem.int32(word, 0), null);
                System.out.println("> ready");
                while (Words.get(word) == 0) {
                    queue.poll(event -> {}, Duration.ofSeconds(20));
                }
                System.out.println("> value " + Words.get(word));
            }
        }
    }

    @Test
    void aCProgramInFutexAndAnotherJvmsQueueHearOfASocketThroughMemory() throws Exception {
        try (Pipe pipe = new Pipe();
                EventQueue here = EventQueue.open();
                Peer c = Peer.c(temp, "wait", memory.path().toString(), "64", "0");
                Peer java = Peer.jvm(OtherQueue.class, memory.path().toString())) {
            kfutex.bind(Read.of(pipe.reader), Rule.or(word, 4).wakeAll().whenChanged());
            here.register(UserMem.int32(word, 0), null);
            assertEquals("ready", java.line());
            Wait.until(() -> Wait.asleep(word) == 3, "three who wait");
            pipe.write(1);
            assertEquals("value 4", c.line());
            assertEquals("value 4", java.line());
            List<Long> seen = new ArrayList<>();
            assertEquals(1, here.poll(event -> seen.add(event.data()), Duration.ofSeconds(20)));
            assertEquals(List.of(4L), seen);
        }
    }

    @Test
    void aWaiterThatIsKilledTakesNoWakeWithIt() throws Exception {
        Binding binding = kfutex.bind(User.of(1), Rule.add(memory.word32(2), 1),
                Rule.xor(word, 0).wake(1));
        for (int i = 0; i < (FULL ? 100 : 5); i++) {
            try (Peer killed = Peer.c(temp, "wait", memory.path().toString(), "64", "0")) {
                Wait.until(() -> Wait.asleep(word) == 1, "the sleep of the C program");
                Thread next = Wait.sleeper(word);
                killed.kill();
                long before = binding.woken();
                binding.trigger();
                Wait.until(() -> Wait.hasEnded(next), "the next waiter");
                assertEquals(before + 1, binding.woken());
            }
        }
    }

    /** While a thread binds anew without end, and others come and go, each trigger is counted once, by old or new rules. */
    @Test
    void noEventIsLostOrCountedTwiceWhileRulesAreReplaced() throws Exception {
        MemorySegment first = memory.word32(2);
        MemorySegment second = memory.word32(3);
        Binding stands = kfutex.bind(User.of(2).dispatch(), Rule.add(word, 1));
        kfutex.bind(User.of(1), Rule.add(first, 1));
        AtomicBoolean stop = new AtomicBoolean();
        Thread binder = Thread.ofPlatform().start(() -> {
            for (int i = 0; !stop.get(); i++) {
                kfutex.bind(User.of(1), Rule.add(i % 2 == 0 ? second : first, 1));
                kfutex.bind(User.of(7 + i % 3), Rule.add(word, 1)).unbind();
            }
        });
        int rounds = FULL ? 200_000 : 3_000;
        for (int i = 1; i <= rounds; i++) {
            trigger(1);
            int count = i;
            Wait.until(() -> sum(first, second) >= count, "event " + i);
            assertEquals(i, sum(first, second), "events counted");
        }
        stop.set(true);
        binder.join();
        assertEquals(rounds, sum(first, second));
        assertTrue(stands.isBound());
        assertEquals(0, Words.get(word));
    }

    /** By the binding that is there now. */
    private void trigger(long id) {
        for (;;) {
            try {
                kfutex.bind(User.of(id), Rule.add(memory.word32(2), 1)).trigger();
                return;
            } catch (KeventException replaced) {
                assertEquals(Errno.ENOENT, replaced.errno());
            }
        }
    }

    private static int sum(MemorySegment first, MemorySegment second) {
        return Words.get(first) + Words.get(second);
    }

    @Test
    void theServiceMakesNoGarbage() {
        Binding binding = kfutex.bind(User.of(1), Rule.add(word, 1).wake(1));
        long id = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("knote-kfutex")).findFirst().orElseThrow()
                .threadId();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long end = System.nanoTime() + 20_000_000_000L;
        double each = Double.MAX_VALUE;
        while (each > 0.5 && System.nanoTime() < end) { // until it is compiled
            long before = threads.getThreadAllocatedBytes(id);
            long fired = binding.fired();
            for (int i = 0; i < 10_000; i++) {
                binding.trigger();
            }
            int last = Words.get(word);
            Wait.until(() -> Words.get(word) >= last, "events");
            each = (double) (threads.getThreadAllocatedBytes(id) - before)
                    / Math.max(1, binding.fired() - fired);
        }
        assertTrue(each <= 0.5, "bytes an event: " + each);
    }
}
