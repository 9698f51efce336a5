package dev.knote.explore;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** A thread that a {@link Scheduler} lets go on, one at a time. */
final class Actor extends Thread {
    enum State {
        RUNNABLE, ASLEEP, ENDED
    }

    /** A store that others do not see yet. */
    record Store(MemorySegment memory, long offset, boolean isLong, long value) {
        void apply() {
            if (isLong) {
                Steps.LONG.setVolatile(memory, offset, value);
            } else {
                Steps.INT.setVolatile(memory, offset, (int) value);
            }
        }

        boolean isAt(MemorySegment other, long at) {
            return memory.address() + offset == other.address() + at;
        }
    }

    final int number;
    final Scheduler scheduler;
    int process;
    Story story;
    State state = State.ENDED;
    boolean killed;
    /** Waits for others without sleep; and how often in a row it could have gone on. */
    boolean spins;
    int spun;
    /** Asleep: on these words, until then; what ended it, an index or -1 for the time. */
    final List<Long> words = new ArrayList<>();
    long deadline;
    int answer;
    final ArrayDeque<Store> delayed = new ArrayDeque<>();
    final Set<ThreadLocal<?>> locals = new HashSet<>();
    private volatile boolean over;

    Actor(Scheduler scheduler, int number) {
        super(null, null, "actor-" + number, 0, false);
        setDaemon(true);
        this.scheduler = scheduler;
        this.number = number;
    }

    @Override
    public void run() {
        Steps.pin();
        while (awaitTurn()) {
            try {
                story.run(number, scheduler.world);
                if (!delayed.isEmpty()) {
                    scheduler.step(this, "(its stores are seen)");
                }
            } catch (Killed killed) {
                // as it was to be
            } catch (Throwable thrown) {
                scheduler.fail(this, thrown);
            }
            locals.forEach(ThreadLocal::remove);
            locals.clear();
            scheduler.ended(this);
        }
    }

    /** Until it is this one's turn; false if all is over. */
    boolean awaitTurn() {
        while (scheduler.turn != this && !over) {
            LockSupport.park(this);
        }
        return !over;
    }

    void endThread() {
        over = true;
        LockSupport.unpark(this);
    }

    void clear(Story next, int of) {
        story = next;
        process = of;
        state = State.RUNNABLE;
        killed = false;
        spins = false;
        spun = 0;
        words.clear();
        delayed.clear();
    }

    void drain() {
        while (!delayed.isEmpty()) {
            delayed.removeFirst().apply();
        }
    }

    boolean lives() {
        return !killed && state != State.ENDED;
    }

    /** Ends an actor where it stands. */
    @SuppressWarnings("serial")
    static final class Killed extends Error {
        static final Killed ONE = new Killed();

        private Killed() {
            super(null, null, false, false);
        }
    }
}
