package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;

import dev.knote.filters.stress.ModelQueue.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random changes, most of them valid, on a few idents. */
final class ModelChanges {
    private static final int[] OPERATIONS = {EV_ADD, EV_ADD, EV_ADD, EV_DELETE, EV_ENABLE, EV_DISABLE, 0, 0,
            EV_ADD | EV_DISABLE, EV_ADD | EV_ENABLE, EV_FORCEONESHOT, EV_ADD | EV_FORCEONESHOT,
            EV_ENABLE | EV_FORCEONESHOT, EV_DISABLE | EV_FORCEONESHOT, EV_ENABLE | EV_DISABLE,
            EV_DELETE | EV_DISABLE, EV_ADD | EV_DELETE, EV_SYSFLAGS};
    private static final int[] MODES = {0, 0, EV_ONESHOT, EV_CLEAR, EV_CLEAR, EV_DISPATCH,
            EV_DISPATCH | EV_CLEAR,
            EV_ONESHOT | EV_DISPATCH, EV_ONESHOT | EV_CLEAR};
    private static final int[] CONTROLS = {NOTE_FFNOP, NOTE_FFAND, NOTE_FFOR, NOTE_FFCOPY};
    private static final int[] UNITS = {0, NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS,
            NOTE_SECONDS | NOTE_MSECONDS, 0x20};
    private static final long[] DELAYS = {0, 3_600_000_000_000L, -1};
    private static final long[] MOMENTS = {0, 1_000, Long.MAX_VALUE, -1};

    private final Random random;
    private final ModelWorld world;
    private final boolean ordered;
    private int calls;
    private int room;

    ModelChanges(Random random, ModelWorld world, boolean ordered) {
        this.random = random;
        this.world = world;
        this.ordered = ordered;
    }

    /** How many events the call that is being made takes. */
    int room() {
        return room;
    }

    List<Entry> list(int size) {
        room = random.nextInt(3) == 0 ? random.nextInt(4) : 10;
        calls++;
        List<Entry> list = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            list.add(change());
        }
        return list;
    }

    private Entry change() {
        int flags = pick(OPERATIONS) | pick(MODES);
        flags |= random.nextInt(6) == 0 ? EV_RECEIPT : 0;
        flags |= random.nextInt(5) == 0 ? EV_KEEPUDATA : 0;
        return switch (random.nextInt(ordered ? 5 : 9)) {
            case 0, 1 -> user(flags);
            case 2, 3 -> word(flags);
            case 4 -> random.nextInt(8) == 0 ? odd(flags) : wake();
            case 5, 6 -> entry(world.fd(random), EVFILT_READ, flags, random.nextInt(2) * NOTE_LOWAT,
                    random.nextInt(6));
            default -> timer(flags);
        };
    }

    private Entry user(int flags) {
        int fflags = pick(CONTROLS) | random.nextInt(16) | random.nextInt(2) * NOTE_TRIGGER;
        return entry(random.nextInt(4), EVFILT_USER, flags, fflags, random.nextInt(100));
    }

    private Entry word(int flags) {
        int width = random.nextInt(4) == 0 ? NOTE_USERMEM_LONG : NOTE_USERMEM_INT;
        width = random.nextInt(30) == 0 ? random.nextInt(16) : width;
        int privately = ordered || random.nextBoolean() ? NOTE_USERMEM_PRIVATE : 0;
        int trigger = (flags & EV_ADD) == 0 && random.nextInt(3) == 0 ? NOTE_TRIGGER : 0;
        return entry(world.wordAddress(random), EVFILT_USERMEM, flags, width | privately | trigger,
                random.nextInt(3) - 1);
    }

    private Entry wake() {
        int flags = EV_ANON | (random.nextInt(4) == 0 ? EV_RECEIPT : 0);
        int fflags = ordered || random.nextBoolean() ? NOTE_USERMEM_PRIVATE : 0;
        fflags |= random.nextInt(20) == 0 ? random.nextInt(16) : NOTE_TRIGGER;
        return entry(world.mapped(random), EVFILT_USERMEM, flags, fflags, random.nextInt(5) - 1);
    }

    private Entry timer(int flags) {
        int fflags = random.nextInt(8) == 0 ? pick(UNITS) : UNITS[random.nextInt(5)];
        if (random.nextBoolean()) {
            return entry(random.nextInt(3), EVFILT_TIMER, flags, fflags | NOTE_ABSTIME,
                    MOMENTS[random.nextInt(MOMENTS.length)]);
        }
        long delay = DELAYS[random.nextInt(DELAYS.length)];
        boolean once = delay == 0; // a period of 0 would be one of a nanosecond
        return entry(random.nextInt(3), EVFILT_TIMER, once ? flags | EV_ONESHOT : flags, fflags, delay);
    }

    /** Filters that there are not; 0 is passed over. */
    private Entry odd(int flags) {
        return entry(random.nextInt(3), random.nextBoolean() ? 0 : -99, flags, 0, 0);
    }

    private Entry entry(long ident, int filter, int flags, int fflags, long data) {
        return new Entry(ident, filter, flags, fflags, data, calls);
    }

    private int pick(int[] from) {
        return from[random.nextInt(from.length)];
    }
}
