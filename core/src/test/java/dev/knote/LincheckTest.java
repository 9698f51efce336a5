package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The structures that threads share behave as if each operation happened at one moment. */
class LincheckTest {
    private static final EventQueue QUEUE = EventQueue.open();
    private static final AtomicLong SCANS = new AtomicLong(1L << 62);
    private static final int KEYS = 3;
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

    /** Knotes by key: added once, deleted once, found while they are there. */
    @Param(name = "key", gen = IntGen.class, conf = "0:" + (KEYS - 1))
    public static class TableOps {
        private final KnoteTable table = new KnoteTable(true);

        @Operation
        public boolean add(@Param(name = "key") int key) {
            KnoteImpl found = table.take(key, -100);
            if (found != null) {
                found.giveBack();
                return false;
            }
            KnoteImpl made = knote(key);
            boolean inserted = table.insert(made);
            if (inserted) {
                made.giveBack();
            }
            return inserted;
        }

        @Operation
        public boolean delete(@Param(name = "key") int key) {
            KnoteImpl found = table.take(key, -100);
            if (found != null) {
                table.remove(found);
            }
            return found != null;
        }

        @Operation
        public boolean contains(@Param(name = "key") int key) {
            KnoteImpl found = table.take(key, -100);
            if (found != null) {
                found.giveBack();
            }
            return found != null;
        }
    }

    /** A knote is on the list once, in the order of activation, and goes to one taker. */
    @Param(name = "key", gen = IntGen.class, conf = "0:" + (KEYS - 1))
    public static class ReadyOps {
        private final ReadyList ready = new ReadyList(true, 1);
        private final KnoteImpl[] knotes = new KnoteImpl[KEYS];

        /** With a knote for each key, none of them active. */
        public ReadyOps() {
            for (int i = 0; i < KEYS; i++) {
                knotes[i] = knote(i);
                ready.begin(knotes[i], false);
                knotes[i].giveBack();
            }
        }

        @Operation
        public void activate(@Param(name = "key") int key) {
            Waiter nobody = ready.activate(knotes[key]);
            assertEquals(null, nobody);
        }

        @Operation
        public void disable(@Param(name = "key") int key) {
            ready.disable(knotes[key]);
        }

        @Operation
        public void enable(@Param(name = "key") int key) {
            ready.enable(knotes[key]);
        }

        @Operation
        public long pop() {
            KnoteImpl[] first = new KnoteImpl[1];
            long scan = SCANS.incrementAndGet();
            Call call = Call.begin();
            ready.beginScan(call, scan);
            int n = ready.pop(call, scan, first, 1, false);
            call.end();
            return n == 0 ? -1 : first[0].ident;
        }
    }

    @Test
    void mailIsTakenOutOnceInTheOrderInWhichItWasPut() {
        new ModelCheckingOptions().iterations(ITERATIONS).invocationsPerIteration(20 * ITERATIONS).threads(2)
                .check(MailboxOps.class);
    }

    @Test
    void aKnoteIsInTheTableOnce() {
        new StressOptions().iterations(ITERATIONS).invocationsPerIteration(20 * ITERATIONS).threads(2)
                .check(TableOps.class);
    }

    @Test
    void aReadyKnoteGoesToOneTakerInOrder() {
        new StressOptions().iterations(ITERATIONS).invocationsPerIteration(20 * ITERATIONS).threads(2)
                .check(ReadyOps.class);
    }

    @Test
    void theHeapKnowsTheEarliestDeadlineAsASortedListDoes() {
        long seed = Long.getLong("knote.seed", System.nanoTime());
        Random random = new Random(seed);
        TimerHeap heap = new TimerHeap(false);
        Map<Integer, Long> model = new HashMap<>();
        KnoteImpl[] knotes = new KnoteImpl[200];
        for (int i = 0; i < knotes.length; i++) {
            knotes[i] = knote(i);
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
