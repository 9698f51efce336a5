package dev.knote;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * {@link Kqueue#KQUEUE_FD_ANON}. A single wake needs nothing but the address. Other calls borrow a queue, which holds
 * their knotes until they return.
 */
final class Anonymous {
    private static final AtomicReferenceArray<EventQueue> SPARE = new AtomicReferenceArray<>(8);
    /** EV_ANON, and a bit of EV_SYSFLAGS by which the change is known, to become again what it was. */
    private static final int MARK = Kqueue.EV_ANON | 0x1000;
    private static final Memory GIVEN = new Memory();

    private static final class Stateless {
        static final Filters FILTERS = new Filters(List.of());
    }

    private static final WordMemory ADDRESS_ONLY = new WordMemory() {
        @Override
        public MemorySegment find(long address, int bytes) {
            return GIVEN.find(address, bytes);
        }

        @Override
        public void wake(long address, int count, boolean isPrivate) {
            Wakes.wake(address, count, isPrivate);
        }
    };

    private Anonymous() {}

    static void memory(MemorySegment segment) {
        GIVEN.give(segment);
    }

    static int kevent(KeventList changes, int nchanges, KeventList events, int nevents, Duration timeout) {
        if (nchanges == 1 && nevents == 0 && changes != null && changes.size() > 0
                && isOperation(changes.flags(0))) {
            Filter filter = Stateless.FILTERS.get(changes.filter(0));
            if (filter != null) {
                long ignored = Arguments.nanos("kevent", timeout);
                operate(filter, changes);
                return 0;
            }
        }
        return borrowed(changes, nchanges, events, nevents, timeout);
    }

    private static void operate(Filter filter, KeventList changes) {
        Call call = Call.begin();
        try {
            changes.read(0, call.change);
            Changes.checkFlags(call.change, filter);
            filter.anon(call.change, ADDRESS_ONLY);
        } finally {
            call.end();
        }
    }

    private static int borrowed(KeventList changes, int nchanges, KeventList events, int nevents,
            Duration timeout) {
        EventQueue queue = borrow();
        boolean cleared = false;
        try {
            mark(changes, nchanges);
            try {
                return queue.kevent(changes, nchanges, events, nevents, timeout);
            } finally {
                unmark(changes, nchanges);
                queue.changes.clear();
                queue.memory.clear(); // nobody can forget what was given to a queue that nobody knows
                cleared = true;
            }
        } finally {
            if (cleared) {
                giveBack(queue);
            } else {
                queue.close(); // a filter has thrown: its knotes are not for the next caller
            }
        }
    }

    private static void mark(KeventList changes, int nchanges) {
        for (int i = 0; changes != null && i < nchanges && i < changes.size(); i++) {
            if ((changes.flags(i) & (Kqueue.EV_ADD | Kqueue.EV_ANON)) == 0) {
                changes.flags(i, changes.flags(i) | MARK);
            }
        }
    }

    private static EventQueue borrow() {
        for (int i = 0; i < SPARE.length(); i++) {
            EventQueue spare = SPARE.get(i) == null ? null : SPARE.getAndSet(i, null);
            if (spare != null) {
                return spare;
            }
        }
        EventQueue made = EventQueue.open();
        made.memory.fallback(GIVEN);
        return made;
    }

    private static void giveBack(EventQueue queue) {
        for (int i = 0; i < SPARE.length(); i++) {
            if (SPARE.get(i) == null && SPARE.compareAndSet(i, null, queue)) {
                return;
            }
        }
        queue.close();
    }

    /** An entry that an event or an error has been written over has no such marks. */
    private static void unmark(KeventList changes, int nchanges) {
        for (int i = 0; changes != null && i < nchanges && i < changes.size(); i++) {
            if ((changes.flags(i) & MARK) == MARK) {
                changes.flags(i, changes.flags(i) & ~MARK);
            }
        }
    }

    /** Without a knote to add, there is none to delete or change. */
    private static boolean isOperation(int flags) {
        return (flags & Kqueue.EV_ADD) == 0;
    }
}
