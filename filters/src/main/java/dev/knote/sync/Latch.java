package dev.knote.sync;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.KeventException;
import dev.knote.filters.UserMem;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Objects;

/**
 * One bit that any process sets and its owner waits for, among sockets, timers and the end of other processes. Setting
 * it costs no system call while it is set already or its owner is awake. No process is signalled: who can write the
 * memory can set the latch.
 *
 * <p><b>The word</b>, 32 bits, aligned to 4, little endian; 0 at first. Bit 0: it is set. Bit 1: its owner sleeps, or is
 * about to. Others: 0. Each step is sequentially consistent.
 *
 * <pre>
 * set:    full fence; if bit 0 is set: nothing. Else: or 1; if it was 2: FUTEX_WAKE (not private) of all
 * wait:   compare and set 0 -> 2; if that fails it is set. FUTEX_WAIT (not private) while it is 2; and ~2; it is set if
 *         bit 0 is; else it was another reason
 * reset:  and ~1, then full fence
 * own:    and ~2: what an owner has left that was killed in its sleep
 * </pre>
 *
 * <p><b>Use.</b> Who sets it writes what there is to do before; the owner resets it, then looks, then waits:
 *
 * <pre>{@code
 * for (;;) {
 *     latch.reset();
 *     doWhatThereIs();
 *     latch.poll(queue, handler, timeout);
 * }
 * }</pre>
 *
 * <p><b>Threads and processes.</b> Any may {@link #set}. One thread at a time owns it, and alone waits and resets.
 * <b>Death.</b> Nothing is lost with one who sets: he has or he has not, but for the wake between its two steps; wait with
 * a timeout where that matters. An owner that is killed leaves a latch to be owned by another, set if it was.
 */
public final class Latch implements AutoCloseable {
    static final int SET = 1;
    static final int ASLEEP = 2;

    private final MemorySegment word;
    private final boolean owned;
    /** Hides the events of the latch's own knote. */
    private final EventHandler filter = this::pass;
    private EventHandler handler;
    private EventQueue queue;
    private Knote knote;

    private Latch(MemorySegment word, boolean owned) {
        this.word = word;
        this.owned = owned;
    }

    /**
     * The latch at {@code offset} of {@code memory}, to be set.
     *
     * @throws KeventException EFAULT, EINVAL, EACCES for memory that cannot be used
     */
    public static Latch of(MemorySegment memory, long offset) {
        return new Latch(Words.word("Latch.of: memory", memory, offset), false);
    }

    /** The latch at {@code offset} of {@code memory}, to be waited for, by one thread of one process at a time. */
    public static Latch own(MemorySegment memory, long offset) {
        Latch latch = new Latch(Words.word("Latch.own: memory", memory, offset), true);
        Words.and(latch.word, ~ASLEEP);
        return latch;
    }

    /** Sets it, and wakes its owner if he sleeps. What was written before is seen by him after his {@link #reset}. */
    public void set() {
        if (setOnly()) {
            Words.wake(word, Integer.MAX_VALUE);
        }
    }

    /** Whether it is set. */
    public boolean isSet() {
        return (Words.get(word) & SET) != 0;
    }

    /** Makes it not set. Look for what there is to do after this, not before. */
    public void reset() {
        Words.and(word, ~SET);
    }

    /**
     * Waits until the latch is set or the queue has events, which the handler gets; {@link EventQueue#poll} with one
     * more thing to wait for. If the latch is set already, takes what events there are. A wake or two may be in vain:
     * then it returns false early, without events, as {@code poll} does.
     *
     * @param timeout null waits for ever; zero polls
     * @return whether the latch is set
     */
    public boolean poll(EventQueue events, EventHandler to, Duration timeout) {
        return pollNanos(events, to, timeout == null ? -1 : Words.nanos("Latch.poll: timeout", timeout));
    }

    /** As {@link #poll}, without an object for the timeout: in nanoseconds, negative waits for ever. */
    public boolean pollNanos(EventQueue events, EventHandler to, long nanos) {
        Objects.requireNonNull(events, "Latch.poll: events is null: expected a queue");
        handler = Objects.requireNonNull(to, "Latch.poll: to is null: expected a handler");
        boolean sleeps = nanos != 0 && sleeps();
        if (!sleeps) {
            events.pollNanos(filter, 0);
            return isSet();
        }
        try {
            if (knote == null || queue != events || !knote.isValid()) {
                watch(events);
            }
            events.pollNanos(filter, nanos);
        } finally {
            Words.and(word, ~ASLEEP);
        }
        return isSet();
    }

    /**
     * Waits until it is set, without a queue.
     *
     * @param timeout null waits for ever
     * @return whether it is set
     */
    public boolean await(Duration timeout) {
        long deadline = Words.deadline(Words.nanos("Latch.await: timeout", timeout));
        while (sleeps()) {
            boolean inTime;
            try {
                inTime = Words.sleep(word, ASLEEP, deadline);
            } finally {
                Words.and(word, ~ASLEEP);
            }
            if (!inTime) {
                return isSet();
            }
        }
        return true;
    }

    /** Leaves the queue that it was last waited for in. The word stays as it is. */
    @Override
    public void close() {
        if (knote != null && queue.isOpen()) {
            knote.cancel();
        }
        knote = null;
        queue = null;
    }

    /** Whether a wake has to follow. */
    boolean setOnly() {
        VarHandle.fullFence();
        return !isSet() && Words.or(word, SET) == ASLEEP;
    }

    MemorySegment word() {
        return word;
    }

    /** Announces the sleep; false if it is set. */
    private boolean sleeps() {
        if (!owned) {
            throw new IllegalStateException(
                    "Latch: it was opened to be set: expected Latch.own to wait for it");
        }
        if (Words.swap(word, 0, ASLEEP)) {
            return true;
        }
        if (isSet()) {
            return false;
        }
        throw new IllegalStateException(
                "Latch: the word is " + Words.get(word)
                        + ": expected 0 or 1, that is no other owner, and no other use of the word");
    }

    private void watch(EventQueue events) {
        close();
        queue = events;
        knote = events.register(UserMem.int32(word, ASLEEP).oneShot(), this);
    }

    private void pass(Event event) {
        if (event.attachment() != this) {
            handler.handle(event);
        }
    }

    @Override
    public String toString() {
        return "Latch[" + (isSet() ? "set]" : "not set]");
    }
}
