package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The mailbox, and wakeups of an owner, behave as if each operation happened at one moment; the heap as a sorted list.
 * For the table and the ready list Lincheck saw none of the faults planted: they have stress tests of their own.
 */
@Tag("once")
class LincheckTest {
    private static final EventQueue QUEUE = EventQueue.open();
    private static final int ITERATIONS = "full".equals(System.getProperty("knote.stress")) ? 50 : 4;

    @AfterAll
    static void close() {
        QUEUE.close();
    }

    /** Anybody puts in, the owner takes all out. */
    public static class MailboxOps {
        private static final class Letter extends Mail {
            final int number;

            Letter(int number) {
                this.number = number;
            }
        }

        private final Mailbox mailbox = new Mailbox();

        @Operation
        public void put(int number) {
            boolean ignored = mailbox.put(new Letter(number));
        }

        @Operation(nonParallelGroup = "owner")
        public List<Integer> takeAll() {
            List<Integer> numbers = new ArrayList<>();
            for (Mail mail = mailbox.takeAll(); mail != null; mail = mail.nextMail) {
                numbers.add(((Letter) mail).number);
            }
            return numbers;
        }
    }

    @Test
    void mailIsTakenOutOnceInTheOrderInWhichItWasPut() {
        new ModelCheckingOptions().iterations(ITERATIONS).invocationsPerIteration(20 * ITERATIONS).threads(2)
                .check(MailboxOps.class);
    }

    /** Anybody wakes the owner, who looks whether he was before he sleeps, and before he returns. */
    public static class OfficeOps {
        private final Office office = new Office(QUEUE, false);

        @Operation
        public void requestWakeup() {
            office.requestWakeup();
        }

        @Operation(nonParallelGroup = "owner")
        public boolean takeWakeup() {
            return office.takeWakeup();
        }
    }

    /** One that comes while the owner looks, and finds none, is found by his next look. */
    @Test
    void noWakeupOfAnOwnerIsForgotten() {
        new ModelCheckingOptions().iterations(ITERATIONS).invocationsPerIteration(20 * ITERATIONS).threads(2)
                .check(OfficeOps.class);
    }

    @Test
    void theHeapKnowsTheEarliestDeadlineAsASortedListDoes() {
        long seed = Long.getLong("knote.seed", System.nanoTime());
        Random random = new Random(seed);
        KnoteTable table = new KnoteTable(false);
        TimerHeap heap = new TimerHeap(false, table);
        Map<Integer, Long> model = new HashMap<>();
        KnoteImpl[] knotes = new KnoteImpl[200];
        for (int i = 0; i < knotes.length; i++) {
            knotes[i] = knote(i);
            assertTrue(table.insert(knotes[i]));
        }
        long now = System.nanoTime();
        for (int step = 0; step < 100_000; step++) {
            int i = random.nextInt(knotes.length);
            if (random.nextInt(3) > 0) {
                long due = now + random.nextInt(1_000_000);
                heap.set(knotes[i], due);
                model.put(i, due);
            } else {
                heap.remove(knotes[i]);
                model.remove(i);
            }
            long earliest = model.values().stream().min(Comparator.naturalOrder()).orElse(Long.MAX_VALUE);
            assertEquals(earliest, heap.earliest(), "seed " + seed + ", step " + step);
            assertEquals(model.isEmpty(), heap.isEmpty());
        }
    }

    private static KnoteImpl knote(int ident) {
        Kevent change = new Kevent();
        change.ident = ident;
        change.filter = -100;
        return new KnoteImpl(QUEUE, null, change);
    }
}
