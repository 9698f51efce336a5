package dev.knote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A stripe by itself, against a list that is as simple as can be. */
@Tag("once")
class ReadyStripeTest {
    private static final EventQueue QUEUE = EventQueue.open();
    private static final int KNOTES = 300;
    private static final int STEPS = 200_000;

    private final KnoteTable table = new KnoteTable(true);
    private final ReadyStripe stripe = new ReadyStripe(true, 0, table);
    private final List<KnoteImpl> model = new ArrayList<>();
    private final List<KnoteImpl> knotes = new ArrayList<>();
    private long scan = 1L << 62;

    @AfterAll
    static void closeQueue() {
        QUEUE.close();
    }

    @Test
    void isTheSameListAsTheModelWhateverIsPutOnItAndTakenOffIt() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < KNOTES; i++) {
            knotes.add(knote(i));
        }
        for (int step = 0; step < STEPS; step++) {
            step(random);
            String where = "seed " + seed + ", step " + step;
            assertEquals(model.size(), stripe.size(), where);
            assertEquals(model.isEmpty(), stripe.looksEmpty(), where);
        }
        assertTrue(stripe.size() <= KNOTES);
    }

    private void step(Random random) {
        KnoteImpl knote = knotes.get(random.nextInt(KNOTES));
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> put(knote);
            case 3 -> {
                stripe.remove(knote);
                model.remove(knote);
            }
            case 4 -> scan++;
            case 5 -> burst(random.nextInt(KNOTES));
            default -> takeAndPutBackSome(1 + random.nextInt(16), random);
        }
    }

    private void burst(int count) {
        for (int i = 0; i < count; i++) {
            put(knotes.get(i));
        }
    }

    private void put(KnoteImpl knote) {
        assertEquals(!model.contains(knote), ReadyStripe.isWanted(knote));
        if (ReadyStripe.isWanted(knote)) {
            stripe.append(knote);
            model.add(knote);
        }
    }

    /** As a scan does that has found level-triggered knotes among others. */
    private void takeAndPutBackSome(int most, Random random) {
        List<KnoteImpl> expected = model.stream().filter(knote -> knote.scan != scan).limit(most).toList();
        int[] into = new int[most];
        int n = stripe.pop(scan, into, most);
        assertEquals(expected, Arrays.stream(into, 0, n).mapToObj(table::get).toList());
        model.removeAll(expected);
        for (KnoteImpl taken : expected) {
            assertEquals(scan, taken.scan);
            if (random.nextBoolean()) {
                put(taken);
            }
        }
    }

    private KnoteImpl knote(int ident) {
        Kevent change = new Kevent();
        change.fill(ident, Kqueue.EVFILT_USER, Kqueue.EV_ADD, 0);
        KnoteImpl knote = new KnoteImpl(QUEUE, new NoFilter(), change);
        assertTrue(table.insert(knote));
        return knote;
    }

    private static final class NoFilter implements Filter {
        @Override
        public int number() {
            return Kqueue.EVFILT_USER;
        }

        @Override
        public String name() {
            return "none";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {}

        @Override
        public boolean event(FilterKnote knote) {
            return false;
        }
    }
}
