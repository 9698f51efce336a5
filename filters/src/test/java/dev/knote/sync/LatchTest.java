package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.filters.Timer;
import dev.knote.linux.Errno;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Latches: what is set is seen, by whoever waits in whatever way. */
@Timeout(60)
class LatchTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int OFFSET = 128;

    @TempDir
    private static Path temp;

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final EventQueue queue = EventQueue.open();
    private final Latch latch = Latch.own(memory.segment(), OFFSET);

    @AfterEach
    void close() {
        latch.close();
        queue.close();
        memory.close();
    }

    private int word() {
        return SharedMemory.load32(memory.segment().asSlice(OFFSET));
    }

    @Test
    void itIsSetUntilItIsReset() {
        assertFalse(latch.poll(queue, event -> {}, Duration.ZERO));
        Latch.of(memory.segment(), OFFSET).set();
        assertTrue(latch.poll(queue, event -> {}, LONG));
        assertTrue(latch.await(LONG));
        latch.reset();
        assertFalse(latch.isSet());
        assertFalse(latch.await(Duration.ofMillis(5)));
        assertEquals(0, word());
    }

    @Test
    void aSleeperIsWoken() {
        for (int round = 0; round < 100; round++) {
            var setter = CompletableFuture.runAsync(() -> {
                Peers.await("the sleep", () -> word() == 2);
                latch.set();
            });
            boolean isSet = round % 2 == 0 ? latch.await(LONG) : false;
            while (!isSet) {
                isSet = latch.poll(queue, event -> {}, LONG);
            }
            setter.join();
            latch.reset();
        }
    }

    @Test
    void otherEventsComeWhetherItIsSetOrNot() {
        List<Object> seen = new ArrayList<>();
        queue.register(Timer.every(Duration.ofMillis(2)), "timer");
        while (seen.isEmpty()) {
            assertFalse(latch.poll(queue, event -> seen.add(event.attachment()), LONG));
        }
        assertEquals(0, word(), "awake");
        latch.set();
        Peers.await("a second tick", () -> {
            assertTrue(latch.poll(queue, event -> seen.add(event.attachment()), LONG));
            return seen.size() > 1;
        });
        assertEquals(List.of("timer"), seen.stream().distinct().toList());
    }

    @Test
    void aTimeoutEndsTheWait() {
        long begin = System.nanoTime();
        assertFalse(latch.poll(queue, event -> {}, Duration.ofMillis(20)));
        assertTrue(System.nanoTime() - begin >= 20_000_000);
    }

    @Test
    void theEndOfAProcessIsOneMoreThingToWaitFor() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        List<Object> seen = new ArrayList<>();
        try (ProcessEnd end = ProcessEnd.of((int) process.pid())) {
            queue.register(end.interest(), "end");
            assertFalse(latch.poll(queue, event -> seen.add(event.attachment()), Duration.ofMillis(5)));
            assertEquals(List.of(), seen);
            process.destroyForcibly();
            while (seen.isEmpty()) {
                latch.poll(queue, event -> seen.add(event.attachment()), LONG);
            }
            assertEquals(List.of("end"), seen);
        } finally {
            Peers.kill(process);
        }
        var gone = assertThrows(KeventException.class, () -> ProcessEnd.of((int) process.pid()));
        assertEquals(Errno.ESRCH, gone.errno());
        try (ProcessEnd parent = ProcessEnd.ofParent()) {
            assertEquals(ProcessHandle.current().parent().orElseThrow().pid(), parent.pid());
        }
    }

    @Test
    void whatACProgramSetsIsNotMissed() throws Exception {
        int count = Peers.FULL ? 10_000_000 : 300_000;
        var number = memory.segment().asSlice(OFFSET + 64);
        try (Peers peers = new Peers(temp)) {
            Process setter = peers.c("set", memory.path().toString(), "" + OFFSET, "" + count);
            for (;;) {
                latch.reset();
                if (SharedMemory.load32(number) == count) {
                    break;
                }
                long begin = System.nanoTime();
                latch.poll(queue, event -> {}, LONG);
                assertTrue(System.nanoTime() - begin < 20_000_000_000L, "a set was missed");
            }
            Peers.awaitSuccess(setter);
        }
    }

    @Test
    void whatIsSetIsNotMissedByACProgram() throws Exception {
        int count = Peers.FULL ? 3_000_000 : 100_000;
        var number = memory.segment().asSlice(OFFSET + 64);
        try (Peers peers = new Peers(temp)) {
            Process owner = peers.c("own", memory.path().toString(), "" + OFFSET, "" + count);
            for (int i = 0; i < count; i++) {
                SharedMemory.add32(number, 1);
                latch.set();
            }
            Peers.awaitSuccess(owner);
        }
    }

    @Test
    void aKilledOwnerLeavesItToTheNext() throws Exception {
        try (Peers peers = new Peers(temp)) {
            Process owner = peers.c("own", memory.path().toString(), "" + OFFSET, "1");
            Peers.await("its sleep", () -> word() == 2);
            Peers.kill(owner);
            latch.set();
            Latch mine = Latch.own(memory.segment(), OFFSET);
            assertTrue(mine.await(LONG));
            mine.reset();
            assertFalse(mine.await(Duration.ofMillis(1)));
        }
    }

    @Test
    void manyAreSetTogether() {
        List<Latch> latches = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            latches.add(Latch.own(memory.segment(), 1024 + 64 * i));
        }
        LatchGroup group = new LatchGroup(latches);
        assertEquals(0, group.set(), "nobody sleeps");
        latches.forEach(Latch::reset);
        var sleepers = latches.stream().map(one -> Thread.ofPlatform().start(() -> one.await(LONG))).toList();
        for (int i = 0; i < 40; i++) {
            var word = memory.segment().asSlice(1024 + 64 * i);
            Peers.await("a sleep", () -> SharedMemory.load32(word) == 2);
        }
        assertEquals(40, group.set());
        for (Thread sleeper : sleepers) {
            Peers.await("the end of a sleep", () -> !sleeper.isAlive());
        }
        assertTrue(latches.stream().allMatch(Latch::isSet));
    }

    @Test
    void wrongUseIsSaid() {
        Latch other = Latch.of(memory.segment(), OFFSET);
        assertThrows(IllegalStateException.class, () -> other.await(LONG));
        assertThrows(IllegalArgumentException.class, () -> latch.await(Duration.ofSeconds(-1)));
        assertThrows(KeventException.class, () -> Latch.of(memory.segment(), 2));
        assertThrows(KeventException.class, () -> Latch.of(memory.segment(), 4096));
        SharedMemory.store32(memory.segment().asSlice(OFFSET), 2);
        String message = assertThrows(IllegalStateException.class, () -> latch.await(LONG)).getMessage();
        assertTrue(message.contains("no other owner"), message);
    }
}
