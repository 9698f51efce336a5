package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.filters.stress.ModelQueue.Answer;
import dev.knote.filters.stress.ModelQueue.Entry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random calls answer as those of a plain model of kqueue do. */
@Timeout(600)
class ModelTest {
    private static final int MOST = 10;
    private static final int TRACE = 40;

    private final long seed = StressSize.seed();
    private final Random random = new Random(seed);
    private final KeventList changes = KeventList.allocate(MOST);
    private final KeventList events = KeventList.allocate(MOST);
    private final Deque<Object> trace = new ArrayDeque<>();

    /** Ordered: what happens at once and in an order that is promised; else all, and events are compared as sets. */
    @ParameterizedTest(name = "single owner {0}, ordered {1}")
    @CsvSource({"false,true", "true,true", "false,false", "true,false"})
    void everyCallAnswersAsTheModelDoes(boolean owner, boolean ordered) {
        int steps = StressSize.of(250_000, 12_500);
        Options options = owner ? Options.defaults().singleOwner() : Options.defaults();
        int step = 0;
        Resources resources = new Resources();
        try (ModelWorld world = new ModelWorld(); EventQueue queue = EventQueue.open(options)) {
            ModelQueue model = new ModelQueue(world, ordered);
            ModelChanges maker = new ModelChanges(random, world, ordered);
            queue.memory(world.memory());
            for (; step < steps; step++) {
                if (!ordered && random.nextInt(3) == 0) {
                    note(world.change(random, model));
                } else {
                    call(queue.fd(), model, maker.list(random.nextInt(5)), maker.room());
                }
                if (random.nextInt(16) == 0) {
                    settle(queue.fd(), model);
                }
            }
        } catch (KeventException | AssertionError e) {
            StringBuilder text = new StringBuilder(
                    "-Dknote.seed=" + seed + ", step " + step + ", single owner " + owner
                            + ", ordered " + ordered);
            trace.forEach(line -> text.append("\n  ").append(line));
            throw new AssertionError(text.append('\n').append(e.getMessage()).toString(), e);
        }
        resources.checkReturned();
    }

    private void call(int kq, ModelQueue model, List<Entry> list, int nevents) {
        note("change " + list.size() + ", room for " + nevents);
        list.forEach(this::note);
        for (int i = 0; i < list.size(); i++) {
            Entry e = list.get(i);
            EV_SET(changes, i, e.ident(), e.filter(), e.flags(), e.fflags(), e.data(), e.udata());
        }
        KeventList into = random.nextInt(4) == 0 ? changes : events;
        Answer expected = model.apply(list, nevents);
        int errno = 0;
        int n = 0;
        try {
            n = kevent(kq, changes, list.size(), into, nevents, Duration.ZERO);
        } catch (KeventException e) {
            errno = e.errno();
        }
        assertEquals(expected.errno(), errno, "errno of the call");
        if (errno != 0) {
            return;
        }
        List<Entry> actual = entries(into, n);
        note(actual);
        if (expected.ends()) {
            assertEquals(expected.entries(), actual, "answers");
        } else {
            model.retrieved(actual, nevents);
        }
    }

    /** Waits for what is on its way. */
    private void settle(int kq, ModelQueue model) {
        long end = System.nanoTime() + StressSize.PATIENCE.toNanos();
        while (model.owes()) {
            List<Entry> actual = entries(events, kevent(kq, null, 0, events, MOST, Duration.ZERO));
            if (!actual.equals(trace.peekLast())) {
                note(actual);
            }
            model.retrieved(actual, MOST);
            assertTrue(System.nanoTime() < end, () -> "a wake was lost: " + model);
            Thread.yield();
        }
    }

    private static List<Entry> entries(KeventList list, int n) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            entries.add(new Entry(list.ident(i), list.filter(i), list.flags(i), list.fflags(i), list.data(i),
                    list.udata(i)));
        }
        return entries;
    }

    private void note(Object what) {
        trace.addLast(what);
        if (trace.size() > TRACE) {
            trace.removeFirst();
        }
    }
}
