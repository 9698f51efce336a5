package dev.knote.filters.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A process that waits is stopped and goes on, at any moment of its arming and sleeping: the kernel ends every sleep
 * for that, and begins it anew. No wake may be lost over it.
 */
@Timeout(600)
class StoppedProcessTest {
    private static final int WORDS = 3;
    private static final int READY = 6;
    private static final int SIGSTOP = 19;
    private static final int SIGCONT = 18;
    private static final int MOST_EXCHANGES = 20;

    /** Answers for ever, and adds its words anew after each event. */
    public static void main(String[] args) {
        if (Boolean.parseBoolean(args[1])) {
            System.setProperty("knote.plain.futex", "true");
        }
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]));
                EventQueue queue = EventQueue.open()) {
            for (int i = 0; i < WORDS; i++) {
                register(queue, memory, i);
            }
            SharedMemory.store32(memory.word32(READY), 1);
            while (true) {
                queue.poll(event -> {
                    int i = (Integer) event.attachment();
                    register(queue, memory, i);
                    Waker.answer(memory, i);
                }, null);
            }
        }
    }

    private static void register(EventQueue queue, SharedMemory memory, int i) {
        queue.register(UserMem.int32(memory.word32(i), 0).oneShot(), i);
    }

    @ParameterizedTest(name = "without futex_waitv {0}")
    @CsvSource({"false", "true"})
    void noWakeIsLostOverAStop(boolean plain) throws Exception {
        int stops = StressSize.of(5_000, 200);
        long begin = System.nanoTime();
        Resources resources = new Resources();
        try (SharedMemory memory = SharedMemory.anonymous(Waker.BYTES)) {
            Process waiter = Waker.jvm(StoppedProcessTest.class, memory.path().toString(), "" + plain);
            try (Crew crew = new Crew(() -> "answered " + answered(memory, 0) + ", "
                    + answered(memory, 1) + ", " + answered(memory, 2))) {
                crew.await("the other process", () -> SharedMemory.load32(memory.word32(READY)) != 0);
                for (int i = 0; i < WORDS; i++) {
                    Waker waker = new Waker(memory, i, false);
                    crew.start("waker " + i, () -> {
                        for (long n = 1; !crew.hasFailed()
                                && SharedMemory.load32(memory.word32(Waker.END)) == 0; n++) {
                            waker.exchange(n, () -> crew.hasFailed());
                        }
                    });
                }
                for (int i = 1; StressSize.goesOn(i, stops, begin); i++) {
                    long more = 1 + ThreadLocalRandom.current().nextInt(MOST_EXCHANGES);
                    for (int word = 0; word < WORDS; word++) {
                        int awaited = word;
                        long enough = answered(memory, word) + more;
                        crew.await("answers after stop " + i, () -> answered(memory, awaited) >= enough);
                    }
                    stopAndGoOn(waiter.pid(), crew);
                }
                SharedMemory.store32(memory.word32(Waker.END), 1);
                crew.join(StressSize.PATIENCE);
            } finally {
                waiter.destroyForcibly().waitFor();
            }
        }
        resources.checkReturned();
    }

    private static void stopAndGoOn(long pid, Crew crew) {
        assertEquals(0, Threads.tgkill((int) pid, (int) pid, SIGSTOP));
        crew.await("the process to stop", () -> isStopped(pid));
        assertEquals(0, Threads.tgkill((int) pid, (int) pid, SIGCONT));
    }

    private static boolean isStopped(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (IOException e) {
            throw new AssertionError("no state of the process", e);
        }
    }

    private static long answered(SharedMemory memory, int i) {
        return SharedMemory.load64(memory.word64(i + Waker.ANSWERED));
    }
}
