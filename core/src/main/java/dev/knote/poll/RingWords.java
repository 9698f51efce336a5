package dev.knote.poll;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.linux.IoUring;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

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

    /** User data of the clock's completions; no wait has it, whose low half is a slot. */
    private static final long TICK = WAKE - MOST_WAKES - 1;

    /** In the result of {@link #await}: the clock has ticked. */
    static final int TICKED = 4;

    private static final int ETIME = 62;
    private static final int FUTEX_FLAGS = Futex.FUTEX2_SIZE_U32;
    private static final long ANY_BIT = 0xffffffffL;

    private final IoUring ring;
    private final boolean owned;
    /** Of an owned ring: the only thread that the kernel lets submit. */
    private final Thread maker = Thread.currentThread();
    private final MemorySegment interval = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 2);
    private final WaitSlots slots = new WaitSlots();
    private WordWait[] prepared = new WordWait[16];
    private WordWait[] spare = new WordWait[16];
    private int preparedCount;
    private int wakesPending;
    private int[] wakeResults;
    private int events;
    private boolean closed;
    /** Somebody sleeps in {@link #await}, or has looked at {@link #events} and is about to. */
    private boolean asleep;
    /** A wait was told of its end. */
    private boolean told;

    RingWords(IoUring ring, boolean owned) {
        this.ring = ring;
        this.owned = owned;
        if (!owned) {
            Keeper.opened(this);
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
        prepare(wait, wait.expected);
        wait.state(WordWait.PREPARED);
        if (preparedCount == prepared.length) {
            prepared = Arrays.copyOf(prepared, 2 * preparedCount);
        }
        prepared[preparedCount++] = wait;
    }

    private void prepare(WordWait wait, int expected) {
        makeRoom();
        ring.prepare(
                IoUring.IORING_OP_FUTEX_WAIT,
                FUTEX_FLAGS,
                expected & ANY_BIT,
                wait.address,
                0,
                0,
                slots.put(wait),
                ANY_BIT);
    }

    /**
     * Arms the waits of {@code armer} once more in the calling thread's name, then cancels the first. In between a wait
     * stands twice in the kernel's queue; a wake that is counted twice for it is passed on.
     */
    synchronized void adopt(Thread armer) {
        if (closed) {
            return;
        }
        submit();
        for (int slot = 0; slot < slots.size(); slot++) {
            WordWait wait = slots.get(slot);
            if (wait != null && wait.armer == armer && wait.state() == WordWait.ARMED) {
                adopt(wait);
            }
        }
    }

    private void adopt(WordWait wait) {
        FirstArming first = new FirstArming(wait);
        slots.replace(wait, first);
        wait.armer = Thread.currentThread();
        do {
            prepare(wait, wait.peek());
            wait.state(WordWait.ADOPTING);
            submit();
        } while (wait.state() == WordWait.MISSED);
        if (first.state() == WordWait.ARMED) {
            cancel(first);
        }
        boolean woken = awaitCancelled(first);
        if (wait.state() == WordWait.ADOPTING) {
            wait.state(WordWait.ARMED);
            if (woken) {
                cancel(wait);
                if (awaitCancelled(wait)) {
                    Futex.wake(wait.address, 1);
                }
                wait.ended(0);
            }
        } else if (woken) {
            Futex.wake(wait.address, 1); // counted for it twice, and told once
        }
    }

    @Override
    public boolean disarm(WordWait wait) {
        synchronized (this) {
            if (!wait.isArmed()) {
                return false;
            }
            if (isForeign()) {
                wait.state(WordWait.IDLE); // ends with the ring, whose owner is gone
                return false;
            }
            submit();
            if (wait.isArmed()) {
                cancel(wait);
            }
            rouse();
            if (wait.state() == WordWait.IDLE) {
                return false;
            }
        }
        boolean woken = awaitCancelled(wait);
        synchronized (this) {
            rouse();
        }
        return woken;
    }

    @Override
    public synchronized void flush() {
        if (ring.unsubmitted() > 0) {
            submit();
            rouse();
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
        rouse();
    }

    @Override
    public synchronized void disarmAll() {
        if (isForeign()) {
            return;
        }
        submit();
        List<WordWait> waits = slots.armed();
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
    public void close() {
        Keeper.closed(this);
        synchronized (this) {
            closed = true;
            ring.close();
        }
    }

    /** Asks for {@code userData} whenever {@code fd} becomes readable, until the ring is closed. */
    synchronized void pollAlways(int fd, long userData) {
        makeRoom();
        int readable = dev.knote.linux.Epoll.EPOLLIN;
        ring.prepare(
                IoUring.IORING_OP_POLL_ADD, fd, 0, 0, IoUring.IORING_POLL_ADD_MULTI, readable, userData, 0);
    }

    /** Ends a wait every {@code nanos}: a timer for good costs less than a timeout for every wait. */
    synchronized void tickAlways(long nanos) {
        interval.setAtIndex(ValueLayout.JAVA_LONG, 0, nanos / 1_000_000_000);
        interval.setAtIndex(ValueLayout.JAVA_LONG, 1, nanos % 1_000_000_000);
        makeRoom();
        ring.prepare(
                IoUring.IORING_OP_TIMEOUT,
                -1,
                0,
                interval.address(),
                1,
                IoUring.IORING_TIMEOUT_MULTISHOT,
                TICK,
                0);
    }

    /**
     * Submits, waits for a completion and tells the waits. Enters the kernel only if there is something to submit, to
     * collect or to wait for.
     *
     * @return which of {@link #pollAlways}'s fds were ready: bit 0 for {@link #EPOLL_READY}, bit 1 for
     *     {@link #WOKEN_UP}, bit 2 for {@link #tickAlways}; bits 16 to 18 if they have to be asked for again
     */
    int await(long nanos) {
        int toSubmit = 0;
        boolean sleep;
        synchronized (this) {
            told = false;
            if (!owned || nanos == 0 || ring.hasCompletions() || hasWide()) {
                submit();
            } else {
                toSubmit = ring.unsubmitted();
            }
            sleep = nanos != 0 && events == 0 && !told && !ring.isReady();
            asleep = sleep;
        }
        if (sleep || toSubmit > 0) {
            enter(toSubmit, sleep ? nanos : 0);
        }
        synchronized (this) {
            asleep = false;
            submit(); // what an interrupted call left, and marks what it took
            int seen = events;
            events = 0;
            return seen;
        }
    }

    private void enter(int toSubmit, long nanos) {
        int result = ring.enter(toSubmit, nanos);
        if (result < 0
                && result != -Errno.EINTR
                && result != -ETIME
                && result != -Errno.EAGAIN
                && result != -Errno.EBUSY) {
            asleep = false;
            throw new PollException("io_uring_enter", -result);
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

    /**
     * What woke the sleeper may have been collected by this thread before he was in the kernel, where it would keep
     * him from sleeping: leaves a completion there for him.
     */
    private void rouse() {
        if (asleep && events != 0 && !owned) {
            makeRoom();
            ring.prepare(IoUring.IORING_OP_NOP, -1, 0, 0, 0, 0, CANCEL, 0);
            int ignored = ring.submit();
        }
    }

    private void makeRoom() {
        if (ring.room() == 0) {
            submit();
        }
    }

    /** Brings everything prepared into effect and collects what ended at once. */
    private void submit() {
        do {
            enterAll();
            markSubmitted();
            harvest();
            boolean more = true;
            while (more && ring.needsEnter()) {
                more = collect();
            }
        } while (ring.unsubmitted() > 0);
    }

    private void enterAll() {
        while (ring.unsubmitted() > 0) {
            int result = owned || preparedCount == 0 ? ring.submit() : Keeper.submit(ring);
            if (result < 0
                    && result != -Errno.EINTR
                    && result != -Errno.EAGAIN
                    && result != -Errno.EBUSY) {
                throw new PollException("io_uring_enter", -result);
            }
            harvest();
        }
    }

    private boolean isForeign() {
        return owned && Thread.currentThread() != maker;
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
        Thread armer = owned ? null : Keeper.armer();
        for (int i = 0; i < count; i++) {
            submitted[i].armer = armer;
            if (submitted[i].state() == WordWait.PREPARED) {
                submitted[i].state(WordWait.ARMED);
            }
        }
        for (int i = 0; i < count; i++) {
            WordWait wait = submitted[i];
            submitted[i] = null;
            if (wait.isWide() && wait.state() == WordWait.ARMED && !wait.matches()) {
                cancel(wait);
                told = true;
                wait.ended(awaitCancelled(wait) ? 0 : -Errno.EAGAIN);
            }
        }
        spare = submitted;
    }

    /** Whether there was anything: the flag that asks for this may be left over, see {@link IoUring#needsEnter}. */
    private boolean collect() {
        ring.enter(0, 0);
        return harvest();
    }

    private boolean harvest() {
        boolean any = false;
        while (ring.next()) {
            any = true;
            long data = ring.userData();
            int result = ring.result();
            if (data == EPOLL_READY || data == WOKEN_UP || data == TICK) {
                int bit = data == TICK ? TICKED : data == EPOLL_READY ? 1 : 2;
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
        return any;
    }

    private void complete(long data, int result) {
        WordWait wait = slots.take(data);
        if (wait.state() == WordWait.CANCELLING) {
            wait.state(result == 0 ? WordWait.CANCELLED_WOKEN : WordWait.CANCELLED_CLEAN);
        } else if (wait.state() == WordWait.ADOPTING && result == -Errno.EAGAIN) {
            wait.state(WordWait.MISSED);
        } else {
            wait.state(WordWait.IDLE);
            // Cancelled by nobody: the thread that armed it has exited. A wake may have been posted since.
            told = true;
            wait.ended(result == -Errno.ECANCELED ? -Errno.EAGAIN : result);
        }
    }

    private void cancel(WordWait wait) {
        makeRoom();
        wait.state(WordWait.CANCELLING);
        ring.prepare(IoUring.IORING_OP_ASYNC_CANCEL, -1, 0, WaitSlots.userData(wait), 0, 0, CANCEL, 0);
        enterAll();
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
}
