package dev.knote.sync;

import dev.knote.EventQueue;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Waits for any, or for all, of what it was given: plain words, events, semaphores and mutexes in memory that processes
 * share; some, or thousands. What it waits for has an index, in the order of {@link #add}.
 *
 * <p>{@link #waitAny} <em>takes</em> what it returns: an event that resets itself is no longer set, a semaphore has a
 * unit less, a mutex is locked by the calling thread. A plain word and a manual event can't be taken: they are
 * available as long as they are. {@link #waitAll} takes all of them or none.
 *
 * <p><b>What is atomic.</b> Each single take is, for all processes. In {@link #waitAll}, mutexes are taken first, then
 * semaphores, then events that reset themselves, each kind by ascending address; then words and manual events are looked
 * at, one after the other, while everything else is held. So on return all is taken, and each word and manual event was
 * seen available after that was so; that they were all available at one instant is not said. If one is
 * missing, what was taken is given back, and others may have seen it gone for that moment: a {@code waitAny} that polls
 * may miss it; an event that was set in that moment may have been set once more than taken, or two sets have become
 * one, as if the first had come late. Who sleeps meanwhile is woken. Nothing is held while a thread sleeps. Who
 * fails pauses for a random time, longer each time, so that two with the same wishes do not go on for ever; but a
 * {@code waitAll} that others always outrun waits for ever.
 *
 * <p><b>Death.</b> A process that is killed keeps what it took, but a mutex, which the next one who takes it finds
 * {@link #isAbandoned abandoned}. If it is killed in the midst of {@code waitAll}, it keeps what it had taken by then.
 * If a wake was counted for it, others who sleep look by themselves within 250 ms.
 *
 * <p>A set is for one thread, the one that first waits. It sleeps by futex(2), futex_waitv(2), or a queue, as suits the
 * number; with a queue, what it waits for stays armed until {@link #close}. Interrupts do not end a wait.
 */
public final class WaitSet implements AutoCloseable {
    /** Of {@link #waitAny}: the time is over. */
    public static final int TIMEOUT = -1;

    /** How many words at most are waited for without a queue. */
    private static final int DIRECT = Integer.getInteger("knote.waitset.direct", mostWithoutQueue());
    private static final long LOOK_AGAIN_NANOS = 250_000_000L;

    private final int mostDirect;
    private final long lookAgainNanos;
    private final Map<Long, Integer> indices = new HashMap<>();
    private Waitable[] members = new Waitable[0];
    private boolean consumes;
    private boolean locks;
    private DirectWait direct;
    private QueueWait queue;
    private AllWait all;
    private boolean closed;

    private WaitSet(int mostDirect, long lookAgainNanos) {
        this.mostDirect = Math.min(mostDirect, DirectWait.most());
        this.lookAgainNanos = lookAgainNanos;
    }

    /** A set with nothing in it. */
    public static WaitSet open() {
        return new WaitSet(DIRECT, LOOK_AGAIN_NANOS);
    }

    /** For tests: with a queue if there are more than {@code mostDirect}, and when who sleeps looks by himself. */
    static WaitSet open(int mostDirect, long lookAgainNanos) {
        return new WaitSet(mostDirect, lookAgainNanos);
    }

    /**
     * Waits for a word to hold another value than {@code expected}. Who changes it wakes all who wait for it: FUTEX_WAKE.
     *
     * @return its index
     * @throws dev.knote.KeventException EFAULT, EINVAL, EACCES: no memory for a word
     */
    public int add(MemorySegment word, int expected) {
        return add(new PlainWord(Words.word("WaitSet.add: word", word, 0), expected));
    }

    /** Waits for an event to be set; its index. */
    public int add(SharedEvent event) {
        return add((Waitable) Objects.requireNonNull(event, "WaitSet.add: event is null"));
    }

    /** Waits for a semaphore to have a unit; its index. */
    public int add(SharedSemaphore semaphore) {
        return add((Waitable) Objects.requireNonNull(semaphore, "WaitSet.add: semaphore is null"));
    }

    /**
     * Waits for a mutex to be free, or the calling thread's; its index. Who takes it is its owner and gives it back by
     * {@link #unlock}, as often as it was taken.
     */
    public int add(SharedMutex mutex) {
        int index = add(new MutexMember(Objects.requireNonNull(mutex, "WaitSet.add: mutex is null")));
        locks = true;
        return index;
    }

    private int add(Waitable added) {
        checkOpen();
        Integer there = indices.putIfAbsent(added.word.address(), members.length);
        if (there != null) {
            throw new IllegalArgumentException(
                    "WaitSet.add: the word at 0x" + Long.toHexString(added.word.address())
                            + " is in the set at index " + there + ": expected another");
        }
        end();
        members = Arrays.copyOf(members, members.length + 1);
        members[members.length - 1] = added;
        consumes |= added.isConsumed();
        return members.length - 1;
    }

    /** From now on, the plain word at {@code index} is waited for to differ from {@code value}. */
    public void expect(int index, int value) {
        if (!(member(index) instanceof PlainWord word)) {
            throw new IllegalArgumentException(
                    "expect: index is " + index + ", a " + members[index].getClass().getSimpleName()
                            + ": expected that of a plain word");
        }
        word.expect(value);
        if (queue != null) {
            queue.lookAt(index);
        }
    }

    /**
     * Gives back the mutex at {@code index} once; a thread that had locked it before the set took it has it still.
     *
     * @throws dev.knote.KeventException EPERM if the caller is not the owner
     */
    public void unlock(int index) {
        if (!(member(index) instanceof MutexMember mutex)) {
            throw new IllegalArgumentException(
                    "unlock: index is " + index + ", a " + members[index].getClass().getSimpleName()
                            + ": expected that of a mutex");
        }
        mutex.unlock();
    }

    /** How many there are. */
    public int size() {
        return members.length;
    }

    /**
     * Waits until one is available and takes it: the one with the lowest index, if there are several.
     *
     * <p>It makes no garbage, but in a set of many for each mutex, and each object that another set keeps, that it arms.
     *
     * @param timeout at most this long; null for ever; zero to try
     * @return its index, or {@link #TIMEOUT}
     * @throws IllegalStateException if there is nothing in the set, it is closed, or memory is
     * @throws dev.knote.KeventException EFAULT if the memory is gone; EPERM for another thread than the set's
     */
    public int waitAny(Duration timeout) {
        long deadline = begin("waitAny", timeout);
        if (members.length > mostDirect || queue != null) {
            if (queue == null) {
                queue = new QueueWait(members);
            }
            return queue.waitAny(deadline, mostSleep());
        }
        if (direct == null) {
            direct = new DirectWait(members);
        }
        return direct.waitAny(deadline, mostSleep());
    }

    /**
     * Waits until all are available and takes all.
     *
     * @param timeout at most this long; null for ever; zero to try
     * @return false if the time is over; then nothing is taken
     * @throws IllegalStateException if there is nothing in the set, it is closed, or memory is
     * @throws dev.knote.KeventException EFAULT if the memory is gone
     */
    public boolean waitAll(Duration timeout) {
        long deadline = begin("waitAll", timeout);
        if (all == null) {
            all = new AllWait(members);
        }
        return all.await(deadline, mostSleep());
    }

    /**
     * Whether the mutex at {@code index}, when it was last taken by this set, had been left by an owner who died: then
     * {@link SharedMutex#consistent} before it is given back.
     */
    public boolean isAbandoned(int index) {
        return member(index).wasAbandoned();
    }

    /** Waits no more; gives nothing back. */
    @Override
    public void close() {
        closed = true;
        end();
    }

    /** What was made for the members there were. */
    private void end() {
        if (queue != null) {
            queue.close();
            queue = null;
        }
        direct = null;
        all = null;
    }

    private Waitable member(int index) {
        if (index < 0 || index >= members.length) {
            throw new IllegalArgumentException(
                    "index is " + index + ": expected one of the " + members.length + " in the set");
        }
        return members[index];
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("WaitSet: it is closed");
        }
    }

    private long begin(String what, Duration timeout) {
        checkOpen();
        if (members.length == 0) {
            throw new IllegalStateException(what + ": there is nothing in the set");
        }
        if (timeout == null) {
            return Words.NEVER;
        }
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(
                    what + ": timeout is " + timeout + ": expected null, zero or more");
        }
        boolean ages = timeout.getSeconds() > Words.NEVER / 2_000_000_000L;
        return Words.deadline(ages ? Words.NEVER : timeout.toNanos());
    }

    /** Where a wake is for one, it may have been lost with a process that was killed. */
    private long mostSleep() {
        return locks ? MutexMember.LOOK_AGAIN_NANOS : consumes ? lookAgainNanos : Words.NEVER;
    }

    /** The deadline, or {@code mostNanos} from now. */
    static long earlier(long deadline, long mostNanos) {
        if (mostNanos == Words.NEVER) {
            return deadline;
        }
        long soon = System.nanoTime() + mostNanos;
        return deadline == Words.NEVER ? soon : Math.min(deadline, soon);
    }

    /** Who makes something available from another processor does not wait for all the words to be entered. */
    private static int mostWithoutQueue() {
        return !hasRing() ? 128 : Runtime.getRuntime().availableProcessors() > 1 ? 32 : 4;
    }

    private static boolean hasRing() {
        String named = System.getProperty("knote.poller", "");
        return EventQueue.pollers().get("io_uring") == null && !named.equals("epoll");
    }
}
