package dev.knote.poll;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.linux.IoUring;
import java.util.Arrays;

/**
 * Waits for words, armed in a ring. The ring is used under this object's lock, but for the wait itself.
 *
 * <p>What the kernel compares is the word's low 32 bits; a wider word is read again once it is armed.
 */
final class RingWords implements Words {
    /** User data of the poller's own submissions; {@link #owner} is told of their completions. */
    static final long EPOLL_READY = -1;

    static final long WOKEN_UP = -2;
    private static final long CANCEL = -3;
    private static final long WAKE = -4;
    private static final int MOST_WAKES = 1 << 16;

    private static final int ETIME = 62;
    private static final int FUTEX_FLAGS = Futex.FUTEX2_SIZE_U32;
    private static final long ANY_BIT = 0xffffffffL;

    private final IoUring ring;
    private final boolean owned;
    private WordWait[] slots = new WordWait[64];
    private int[] freeSlots = new int[64];
    private int free;
    private WordWait[] prepared = new WordWait[16];
    private WordWait[] spare = new WordWait[16];
    private int preparedCount;
    private int wakesPending;
    private int[] wakeResults;
    private int events;
    /** Counts the waits that were told of their end. */
    private int ends;

    RingWords(IoUring ring, boolean owned) {
        this.ring = ring;
        this.owned = owned;
        for (int i = slots.length; i-- > 0;) {
            freeSlots[free++] = i;
        }
    }

    int fd() {
        return ring.fd();
    }

    boolean hasCompletions() {
        return ring.hasCompletions();
    }

    @Override
    public synchronized void arm(WordWait wait) {
        makeRoom();
        if (free == 0) {
            grow();
        }
        int slot = freeSlots[--free];
        slots[slot] = wait;
        wait.slot = slot;
        wait.generation++;
        ring.prepare(
                IoUring.IORING_OP_FUTEX_WAIT,
                FUTEX_FLAGS,
                wait.expected & ANY_BIT,
                wait.address,
                0,
                0,
                userData(wait),
                ANY_BIT);
        wait.state(WordWait.PREPARED);
        if (preparedCount == prepared.length) {
            prepared = Arrays.copyOf(prepared, 2 * preparedCount);
        }
        prepared[preparedCount++] = wait;
    }

    @Override
    public boolean disarm(WordWait wait) {
        synchronized (this) {
            if (!wait.isArmed()) {
                return false;
            }
            submit();
            if (!wait.isArmed()) {
                return false;
            }
            cancel(wait);
        }
        return awaitCancelled(wait);
    }

    @Override
    public synchronized void flush() {
        if (ring.unsubmitted() > 0) {
            submit();
        }
    }

    /** One entry into the kernel for all of them. */
    @Override
    public synchronized void wake(long[] addresses, int[] counts, int n) {
        submit();
        wakeResults = counts;
        for (int i = 0; i < n; i++) {
            makeRoom();
            ring.prepare(
                    IoUring.IORING_OP_FUTEX_WAKE, FUTEX_FLAGS, counts[i], addresses[i], 0, 0, WAKE - i,
                    ANY_BIT);
            wakesPending++;
        }
        submit();
        while (wakesPending > 0) {
            collect();
        }
    }

    @Override
    public synchronized void disarmAll() {
        submit();
        WordWait[] waits = Arrays.stream(slots)
                .filter(wait -> wait != null && wait.isArmed())
                .toArray(WordWait[]::new);
        for (WordWait wait : waits) {
            wait.state(WordWait.CANCELLING);
        }
        makeRoom();
        ring.prepare(
                IoUring.IORING_OP_ASYNC_CANCEL,
                -1,
                0,
                0,
                0,
                IoUring.IORING_ASYNC_CANCEL_ANY | IoUring.IORING_ASYNC_CANCEL_ALL,
                CANCEL,
                0);
        submit();
        for (WordWait wait : waits) {
            if (awaitCancelled(wait)) {
                wait.ended(0);
            }
        }
    }

    @Override
    public synchronized void close() {
        ring.close();
    }

    /** Asks for {@code userData} whenever {@code fd} becomes readable, until the ring is closed. */
    synchronized void pollAlways(int fd, long userData) {
        makeRoom();
        int readable = dev.knote.linux.Epoll.EPOLLIN;
        ring.prepare(
                IoUring.IORING_OP_POLL_ADD, fd, 0, 0, IoUring.IORING_POLL_ADD_MULTI, readable, userData, 0);
    }

    /**
     * Submits, waits for a completion and tells the waits.
     *
     * @return which of {@link #pollAlways}'s fds were ready: bit 0 for {@link #EPOLL_READY}, bit 1 for
     *     {@link #WOKEN_UP}; bits 16 and 17 if they have to be asked for again
     */
    int await(long nanos) {
        int toSubmit = 0;
        boolean told = false;
        if (!owned || nanos == 0 || ring.hasCompletions() || hasWide()) {
            synchronized (this) {
                int before = ends;
                submit();
                told = ends != before;
            }
        } else {
            toSubmit = ring.unsubmitted();
        }
        // Nobody wakes the thread that polls for what it has told of itself.
        boolean sleep = nanos != 0 && events == 0 && !told && !ring.hasCompletions();
        int result = ring.enter(toSubmit, sleep ? nanos : 0);
        if (result < 0
                && result != -Errno.EINTR
                && result != -ETIME
                && result != -Errno.EAGAIN
                && result != -Errno.EBUSY) {
            throw new PollException("io_uring_enter", -result);
        }
        synchronized (this) {
            submit(); // what an interrupted call left, and marks what it took
            int seen = events;
            events = 0;
            return seen;
        }
    }

    private boolean hasWide() {
        for (int i = 0; i < preparedCount; i++) {
            if (prepared[i].isWide()) {
                return true;
            }
        }
        return false;
    }

    private void makeRoom() {
        if (ring.room() == 0) {
            submit();
        }
    }

    /** Brings everything prepared into effect and collects what ended at once. */
    private void submit() {
        do {
            while (ring.unsubmitted() > 0) {
                int result = ring.submit();
                if (result < 0
                        && result != -Errno.EINTR
                        && result != -Errno.EAGAIN
                        && result != -Errno.EBUSY) {
                    throw new PollException("io_uring_enter", -result);
                }
                harvest();
            }
            markSubmitted();
            harvest();
            while (ring.needsEnter()) {
                collect();
            }
        } while (ring.unsubmitted() > 0); // a wait that the exit of its thread had ended was armed anew
    }

    private void markSubmitted() {
        int count = preparedCount;
        if (count == 0) {
            return;
        }
        WordWait[] submitted = prepared;
        prepared = spare == null ? new WordWait[16] : spare;
        spare = null;
        preparedCount = 0;
        for (int i = 0; i < count; i++) {
            if (submitted[i].state() == WordWait.PREPARED) {
                submitted[i].state(WordWait.ARMED);
            }
        }
        for (int i = 0; i < count; i++) {
            WordWait wait = submitted[i];
            submitted[i] = null;
            if (wait.isWide() && wait.state() == WordWait.ARMED && !wait.matches()) {
                cancel(wait);
                ends++;
                wait.ended(awaitCancelled(wait) ? 0 : -Errno.EAGAIN);
            }
        }
        spare = submitted;
    }

    private void collect() {
        ring.enter(0, 0);
        harvest();
    }

    private void harvest() {
        while (ring.next()) {
            long data = ring.userData();
            int result = ring.result();
            if (data == EPOLL_READY || data == WOKEN_UP) {
                int bit = data == EPOLL_READY ? 1 : 2;
                boolean more = (ring.flags() & IoUring.IORING_CQE_F_MORE) != 0;
                events |= more ? bit : bit | bit << 16;
            } else if (data <= WAKE && data > WAKE - MOST_WAKES) {
                wakesPending--;
                wakeResults[(int) (WAKE - data)] = result;
            } else if (data != CANCEL) {
                complete(data, result);
            }
        }
        ring.release();
    }

    private void complete(long data, int result) {
        int slot = (int) data;
        WordWait wait = slots[slot];
        if (wait == null || wait.generation != (int) (data >>> 32)) {
            throw new AssertionError("a completion of no wait: " + data);
        }
        slots[slot] = null;
        freeSlots[free++] = slot;
        if (wait.state() == WordWait.CANCELLING) {
            wait.state(result == 0 ? WordWait.CANCELLED_WOKEN : WordWait.CANCELLED_CLEAN);
        } else if (result == -Errno.ECANCELED) {
            // The thread that armed it has exited.
            wait.state(WordWait.IDLE);
            arm(wait);
        } else {
            wait.state(WordWait.IDLE);
            ends++;
            wait.ended(result);
        }
    }

    private void cancel(WordWait wait) {
        makeRoom();
        wait.state(WordWait.CANCELLING);
        ring.prepare(IoUring.IORING_OP_ASYNC_CANCEL, -1, 0, userData(wait), 0, 0, CANCEL, 0);
        while (ring.unsubmitted() > 0) {
            ring.submit();
        }
        harvest();
    }

    /** The completion is posted by the thread that armed the wait, which may have to be scheduled first. */
    private boolean awaitCancelled(WordWait wait) {
        int state;
        for (int spins = 0; (state = wait.state()) == WordWait.CANCELLING; spins++) {
            synchronized (this) {
                collect();
            }
            if (spins > 16) {
                Thread.yield();
            }
        }
        wait.state(WordWait.IDLE);
        return state == WordWait.CANCELLED_WOKEN;
    }

    private void grow() {
        int size = slots.length;
        slots = Arrays.copyOf(slots, 2 * size);
        freeSlots = Arrays.copyOf(freeSlots, 2 * size);
        for (int i = 2 * size; i-- > size;) {
            freeSlots[free++] = i;
        }
    }

    private static long userData(WordWait wait) {
        return (long) wait.generation << 32 | wait.slot & 0xffffffffL;
    }
}
