package dev.knote.percpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.SharedMemory;
import dev.knote.linux.Threads;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes that are killed in the middle of a vector, in C and in Java, at every step and at any moment. */
@Timeout(600)
class OpsVectorCrashTest {
    private static final int WORDS = 512;
    private static final int COUNT = 15;
    private static final int EACH = 1000;
    private static final int PATIENCE_MILLIS = 10;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** At each step of the C program's vector, which waits in vain for its grave in one of two rounds. */
    @Test
    void whereverAProcessDiesTheNextVectorFindsAllDoneOrNothing() throws Exception {
        for (String command : List.of("move", "zombie")) {
            int died = 0;
            int done = 0;
            boolean isOver = false;
            while (!isOver) {
                try (SharedMemory memory = filled()) {
                    String step = "" + died;
                    Process c = command.equals("move")
                            ? Others.c(memory, "move", "" + WORDS, "" + COUNT, "1", step)
                            : Others.c(memory, "zombie", "" + WORDS, "" + COUNT, step);
                    if (command.equals("move")) {
                        c.waitFor();
                        isOver = c.exitValue() == 0;
                    } else {
                        assertEquals("done", c.inputReader().readLine());
                        isOver = died > 20;
                    }
                    long moved = look(memory);
                    assertTrue(moved >= done, "decided at step " + (died - 1) + ", but not at " + died);
                    done = (int) moved;
                    OtherMain.move(memory, WORDS, COUNT, 5);
                    look(memory);
                    Others.kill(c);
                }
                died++;
            }
            assertEquals(1, done, "moves of a process that did not die");
            assertTrue(died > 15, died + " steps");
        }
    }

    @Test
    void processesThatAreKilledAtAnyMomentMoveAllOrNothing() throws Exception {
        int kills = Others.FULL ? 300 : 12;
        try (SharedMemory memory = filled()) {
            AtomicBoolean over = new AtomicBoolean();
            Thread looker = Thread.ofPlatform().daemon().start(() -> {
                OpsVector look = looker(memory);
                while (!over.get()) {
                    if (sum(look) != (long) COUNT * EACH) {
                        return;
                    }
                }
            });
            for (int i = 0; i < kills; i++) {
                List<Process> others = new ArrayList<>();
                others.add(Others.c(memory, "move", "" + WORDS, "" + COUNT, "0"));
                others.add(i % 4 != 0 ? Others.c(memory, "move", "" + WORDS, "" + COUNT, "0")
                        : Others.jvm(memory, "move", "" + WORDS, "" + COUNT, "0"));
                long enough = look(memory) + ThreadLocalRandom.current().nextInt(20_000);
                Others.await(() -> look(memory) >= enough, "vectors of the others");
                for (Process other : others) {
                    Others.kill(other);
                    OtherMain.move(memory, WORDS, COUNT, 10);
                }
                look(memory);
                assertTrue(looker.isAlive(), "a look that was not consistent");
            }
            over.set(true);
            looker.join();
        }
    }

    @Test
    void theLockOfAFormerProcessWithALivingOnesPidIsTaken() {
        try (SharedMemory memory = filled()) {
            long another = 0x7123_4567L << 32 | Threads.getpid();
            memory.segment().set(LONG, 0, another);
            OtherMain.move(memory, WORDS, COUNT, 1);
            assertEquals(1, look(memory));
        }
    }

    @Test
    void theLockOfALivingProcessIsNotTakenBeforeItsEnd() throws Exception {
        try (SharedMemory memory = filled()) {
            Process owner = new ProcessBuilder("cat").start();
            String stat = java.nio.file.Files
                    .readString(java.nio.file.Path.of("/proc/" + owner.pid() + "/stat"));
            long birth = Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
            memory.segment().set(LONG, 0, birth << 32 | owner.pid());
            Thread mover = Thread.ofPlatform().daemon().start(() -> OtherMain.move(memory, WORDS, COUNT, 1));
            long patience = System.nanoTime() + 8 * PATIENCE_MILLIS * 1_000_000L;
            Others.await(() -> System.nanoTime() > patience, "the clock");
            assertEquals(0, memory.segment().get(ValueLayout.JAVA_INT, WORDS + 8 * COUNT));
            assertTrue(mover.isAlive());
            Others.kill(owner);
            mover.join(20_000);
            assertTrue(!mover.isAlive(), "the lock of a dead process is not taken");
            assertEquals(1, look(memory));
        }
    }

    private static SharedMemory filled() {
        SharedMemory memory = SharedMemory.anonymous(4096);
        for (int i = 0; i < COUNT; i++) {
            memory.segment().set(LONG, WORDS + 8 * i, EACH);
        }
        return memory;
    }

    private static OpsVector looker(SharedMemory memory) {
        OpsVector look = OpsVector.on(memory.segment(), 0);
        for (int i = 0; i < COUNT; i++) {
            look.get(WORDS + 8 * i);
        }
        return look.words32().get(WORDS + 8 * COUNT);
    }

    private static long sum(OpsVector look) {
        assertEquals(OpsVector.DONE, look.run());
        long sum = 0;
        for (int i = 0; i < COUNT; i++) {
            sum += look.value(i);
        }
        return sum;
    }

    /** Checks that nothing is half done; how many moves there were. */
    private static long look(SharedMemory memory) {
        OpsVector look = looker(memory);
        assertEquals((long) COUNT * EACH, sum(look), "the sum of all words");
        return look.value(COUNT);
    }
}
