package dev.knote.kfutex;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Objects;

/**
 * Events in a ring of (shared) memory: one producer, an {@link EventFeed} or a thread that calls {@link #put}; any number
 * of consumers, of any process, Java or C, that read without entering the kernel, and sleep only when it is empty.
 *
 * <p>The bytes, little endian, at an address that is a multiple of 64; {@link #bytes} in all:
 * <pre>
 *   0 u32 magic 0x474e524b, written last   4 u32 slots, a power of two   8 u32 1: closed by the producer
 *  64 u64 tail: events put so far         72 u64 dropped                80 u64 stalls
 * 128 u64 head: events taken so far
 * 192 u32 bell: consumers sleep on it    196 u32 room: the producer sleeps on it
 * 256 slots of 64 bytes: struct kevent; event i is in slot i % slots</pre>
 *
 * <p><b>A consumer takes</b> k events: {@code h = head, t = tail} (acquire); if {@code t == h}, it is empty; copy events h
 * to h + k - 1, k at most t - h; then {@code compare_exchange(head, h, h + k)} (seq_cst). If that fails, somebody else has
 * them: the copy is worth nothing, begin anew. So a consumer that is killed holds nothing that others need: an event is
 * taken by the exchange, and one that it had taken is lost with it. Then, if {@code r = room} is odd and at most half of
 * the slots are taken: {@code compare_exchange(room, r, r + 1)} and, if that was it, {@code FUTEX_WAKE(room, 1)}.
 *
 * <p><b>It sleeps</b> when the ring is empty: {@code b = bell}; if b is even, make it odd with
 * {@code compare_exchange(bell, b, b + 1)}; look at tail and head again (seq_cst), and unless there is something,
 * {@code FUTEX_WAIT(bell, b | 1)}, without FUTEX_PRIVATE_FLAG; begin anew.
 *
 * <p><b>The producer puts</b>: {@code tail - head} (acquire) of slots are taken; it writes the others, then tail (seq_cst).
 * If {@code b = bell} is odd, somebody may sleep: {@code bell = b + 1}, {@code FUTEX_WAKE(bell, events put)}, and if as many
 * were woken, {@code bell |= 1}, since there may be more. With nobody asleep there is no system call.
 *
 * <p><b>Overflow</b> is never silent. {@link #put} says how many had room; what the producer then drops ({@link #drop}) is
 * counted at 72, and the next thing put is a record that says so: filter 0, flags EV_ERROR, data ENOBUFS (105), ident the
 * number dropped since the last such record, ext[0] all so far. A producer that waits instead counts that at 80.
 */
public class EventRing {
    /** The answer of {@link #take} when the producer has closed the ring and all has been taken. */
    public static final int CLOSED = -1;

    private static final int MAGIC = 0x474e524b;
    private static final int SLOTS = 4;
    private static final int STATE = 8;
    private static final int TAIL = 64;
    private static final int DROPPED = 72;
    private static final int STALLS = 80;
    private static final int HEAD = 128;
    private static final int BELL = 192;
    private static final int ROOM = 196;
    private static final int HEADER = 256;
    private static final int ENTRY = KeventList.ENTRY_SIZE;
    private static final int UDATA = 24;
    private static final int MOST_SLOTS = 1 << 20;
    private static final long TICK_NANOS = 100_000_000;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    final MemorySegment memory;
    private final MemorySegment state;
    private final MemorySegment bell;
    private final MemorySegment room;
    private final int slots;
    private final KeventList record = KeventList.allocate(1);
    private long tail;
    private long unreported;
    private volatile boolean stopped;

    EventRing(MemorySegment memory, int slots) {
        this.memory = memory.asSlice(0, bytes(slots));
        this.slots = slots;
        this.state = memory.asSlice(STATE, Integer.BYTES);
        this.bell = memory.asSlice(BELL, Integer.BYTES);
        this.room = memory.asSlice(ROOM, Integer.BYTES);
        this.tail = get(TAIL);
    }

    /** How many bytes a ring of so many slots, a power of two, has. */
    public static long bytes(int slots) {
        if (slots < 2 || slots > MOST_SLOTS || Integer.bitCount(slots) != 1) {
            throw new KeventException(
                    Errno.EINVAL, "EventRing: slots is " + slots + ": expected a power of two, of 2 to "
                            + MOST_SLOTS);
        }
        return HEADER + (long) slots * ENTRY;
    }

    /**
     * The producer's: makes a ring in memory that is all zero, or goes on with the one that is there, whose producer has
     * closed it or died. There must be one producer at a time.
     *
     * @throws KeventException EINVAL if there is something else, or a ring of another size
     */
    public static EventRing create(MemorySegment memory, int slots) {
        Words.region("EventRing.create: memory", memory, 0, bytes(slots), ENTRY);
        int magic = Words.get(memory);
        int there = memory.get(ValueLayout.JAVA_INT, SLOTS);
        if (magic != 0 && (magic != MAGIC || there != slots)) {
            throw new KeventException(
                    Errno.EINVAL, "EventRing.create: there are other bytes, or a ring of " + there
                            + " slots: expected zeros, or a ring of " + slots);
        }
        memory.set(ValueLayout.JAVA_INT, SLOTS, slots);
        var ring = new EventRing(memory, slots);
        Words.set(ring.state, 0);
        Words.or(ring.bell, 1); // the producer before may have died when it was about to say so
        Words.set(memory, MAGIC);
        return ring;
    }

    /**
     * A consumer's: the ring that a producer has made.
     *
     * @throws KeventException EAGAIN if there is none yet; EINVAL if there is something else
     */
    public static EventRing open(MemorySegment memory) {
        Words.region("EventRing.open: memory", memory, 0, HEADER, ENTRY);
        int magic = Words.get(memory);
        if (magic != MAGIC) {
            throw new KeventException(
                    magic == 0 ? Errno.EAGAIN : Errno.EINVAL,
                    "EventRing.open: the magic number is 0x" + Integer.toHexString(magic) + ": expected 0x"
                            + Integer.toHexString(MAGIC));
        }
        int slots = memory.get(ValueLayout.JAVA_INT, SLOTS);
        Words.region("EventRing.open: memory", memory, 0, bytes(slots), ENTRY);
        return new EventRing(memory, slots);
    }

    /** How many events there are to take. */
    public int size() {
        long from = get(HEAD);
        return Math.clamp(get(TAIL) - from, 0, slots);
    }

    /** How many events were dropped so far. */
    public long dropped() {
        return get(DROPPED);
    }

    /** How often the producer has waited for room so far. */
    public long stalls() {
        return get(STALLS);
    }

    /** The {@code udata} of entry {@code i} of a list that {@link #take} has filled: a number. */
    public static long udata(KeventList list, int i) {
        return list.memory().get(ValueLayout.JAVA_LONG, (long) i * ENTRY + UDATA);
    }

    // ---- the producer

    /**
     * Puts {@code n} events of a list, from entry {@code from} on, in the order given, as far as there is room.
     *
     * @return how many
     */
    public synchronized int put(KeventList events, int from, int n) {
        Objects.requireNonNull(events, "EventRing.put: events is null");
        if (from < 0 || n < 0 || from > events.size() - n) {
            throw new KeventException(
                    Errno.EINVAL, "EventRing.put: from is " + from + ", n is " + n
                            + ": expected entries of the list, which has " + events.size());
        }
        int free = slots - used();
        int done = 0;
        if (unreported > 0 && free > 0) {
            report();
            free--;
            done = 1;
        }
        int count = Math.min(n, free);
        for (int i = 0; i < count; i++) {
            copyIn(events.memory(), from + i, tail + done + i);
        }
        publish(done + count);
        return count;
    }

    /** Says that {@code n} events were dropped: counts them, and puts a record of it before the next event. */
    public synchronized void drop(long n) {
        if (n < 0) {
            throw new KeventException(Errno.EINVAL, "EventRing.drop: n is " + n + ": expected 0 or more");
        }
        unreported += n;
        LONG.setVolatile(memory, (long) DROPPED, get(DROPPED) + n);
        if (unreported > 0 && used() < slots) {
            report();
            publish(1);
        }
    }

    /**
     * Waits until at most half of the slots are taken, and counts that as a stall if it has to.
     *
     * @param timeout null for ever; zero looks
     * @return whether there is room
     */
    public boolean awaitRoom(Duration timeout) {
        long deadline = deadline("EventRing.awaitRoom", timeout);
        boolean counted = false;
        while (!hasRoom()) {
            if (!counted) {
                LONG.getAndAdd(memory, (long) STALLS, 1L);
                counted = true;
            }
            int odd = Words.get(room) | 1;
            Words.set(room, odd);
            if (hasRoom() || stopped) {
                break;
            }
            // A consumer that took the last events and was killed before it woke anybody: looked after by the tick.
            boolean late = deadline != Words.NEVER && deadline - System.nanoTime() < TICK_NANOS;
            if (!Words.sleep(room, odd, late ? deadline : Words.deadline(TICK_NANOS)) && late) {
                break;
            }
        }
        return hasRoom();
    }

    /** Wakes a consumer again if there are events and one may sleep: who was woken for them may have been killed. */
    public synchronized void remind() {
        if (size() > 0) {
            ring(1);
        }
    }

    /** Says that nothing will be put any more; consumers take what there is. */
    public synchronized void close() {
        Words.set(state, 1);
        Words.add(bell, 2);
        Words.wake(bell, Integer.MAX_VALUE);
    }

    /** Ends {@link #awaitRoom} for good. */
    void stop() {
        stopped = true;
        Words.add(room, 2);
        Words.wake(room, 1);
    }

    boolean hasRoom() {
        return get(TAIL) - get(HEAD) <= slots / 2;
    }

    int used() {
        long used = tail - get(HEAD);
        if (used < 0 || used > slots) {
            throw corrupt(used);
        }
        return (int) used;
    }

    private void report() {
        record.set(0, unreported, 0, Kqueue.EV_ERROR, 0, Errno.ENOBUFS, null);
        record.ext(0, 0, get(DROPPED));
        copyIn(record.memory(), 0, tail);
        unreported = 0;
    }

    private void copyIn(MemorySegment events, int index, long at) {
        MemorySegment.copy(events, (long) index * ENTRY, memory, slot(at), ENTRY);
    }

    private void copyOut(long at, MemorySegment events, int index) {
        MemorySegment.copy(memory, slot(at), events, (long) index * ENTRY, ENTRY);
    }

    private void publish(int n) {
        if (n > 0) {
            tail += n;
            LONG.setVolatile(memory, (long) TAIL, tail);
            ring(n);
        }
    }

    void ring(int n) {
        int seen = Words.get(bell);
        if ((seen & 1) != 0) {
            Words.set(bell, seen + 1); // nobody else changes it while it is odd
            if (Words.wake(bell, n) >= n) {
                Words.or(bell, 1);
            }
        }
    }

    // ---- a consumer

    /**
     * Takes at most {@code n} events, into the first entries of the list; waits for one if there is none.
     *
     * @param timeout null for ever; zero does not wait
     * @return how many; 0 after the timeout; {@link #CLOSED}
     */
    public int take(KeventList into, int n, Duration timeout) {
        long deadline = deadline("EventRing.take", timeout);
        Objects.requireNonNull(into, "EventRing.take: into is null: expected a list");
        if (n < 1 || n > into.size()) {
            throw new KeventException(
                    Errno.EINVAL,
                    "EventRing.take: n is " + n + ": expected 1 to the size of the list, " + into.size());
        }
        for (;;) {
            int taken = poll(into, n);
            if (taken > 0) {
                return taken;
            }
            if (Words.get(state) != 0 && isEmpty()) {
                return CLOSED;
            }
            if (deadline == 0 || !sleep(deadline)) {
                return 0;
            }
        }
    }

    private int poll(KeventList into, int n) {
        for (;;) {
            long from = get(HEAD);
            long to = get(TAIL);
            long there = to - from;
            if (there == 0) {
                return 0;
            }
            if (there < 0 || there > slots) { // others took these, and more came
                if (get(HEAD) == from) {
                    throw corrupt(there);
                }
                continue;
            }
            int count = (int) Math.min(n, there);
            MemorySegment events = into.memory();
            for (int i = 0; i < count; i++) {
                copyOut(from + i, events, i);
            }
            if (claim(from, count)) {
                tellOfRoom(there - count);
                return count;
            }
        }
    }

    boolean claim(long from, int count) {
        return LONG.compareAndSet(memory, (long) HEAD, from, from + count);
    }

    private void tellOfRoom(long used) {
        int seen = Words.get(room);
        if ((seen & 1) != 0 && used <= slots / 2 && Words.swap(room, seen, seen + 1)) {
            Words.wake(room, 1);
        }
    }

    private boolean sleep(long deadline) {
        int seen = Words.get(bell);
        if ((seen & 1) == 0 && !Words.swap(bell, seen, seen + 1)) {
            return true;
        }
        if (!isEmpty() || Words.get(state) != 0) {
            return true;
        }
        return Words.sleep(bell, seen | 1, deadline);
    }

    boolean isEmpty() {
        return get(HEAD) == get(TAIL);
    }

    private long slot(long event) {
        return HEADER + (event & slots - 1) * ENTRY;
    }

    private long get(int offset) {
        return (long) LONG.getVolatile(memory, (long) offset);
    }

    /** 0 for a timeout of zero: does not wait. */
    private static long deadline(String call, Duration timeout) {
        if (timeout == null) {
            return Words.NEVER;
        }
        if (timeout.isNegative()) {
            throw new KeventException(
                    Errno.EINVAL, call + ": the timeout is " + timeout + ": expected zero or more, or null");
        }
        return timeout.isZero() ? 0 : Words.deadline(Words.nanos(call, timeout));
    }

    private KeventException corrupt(long used) {
        return new KeventException(
                Errno.EINVAL, "EventRing: " + used + " of " + slots + " slots are taken: somebody has written"
                        + " to head or tail who should not, or there are two producers");
    }
}
