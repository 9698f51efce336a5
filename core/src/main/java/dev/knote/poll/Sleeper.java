package dev.knote.poll;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.linux.Signals;
import dev.knote.linux.Threads;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that sleeps on behalf of one wait. At rest it sleeps in the kernel on a word of its own, its parking word;
 * arming a wait is one system call of the arming thread, which moves the sleeper from there to the wait's word
 * (FUTEX_CMP_REQUEUE). So a wait is in the kernel's queue, in its order, when arming returns, and no wake falls
 * between two sleeps, as it does with one thread in futex_waitv(2) for many words.
 *
 * <p>Where futex_waitv(2) is allowed, a sleeper also sleeps on a control word, through which it is recalled; elsewhere
 * a signal does that. {@link #wait} and the state of the wait are guarded by the sleeper's monitor.
 */
final class Sleeper implements Runnable {
    /** Answers of {@link #recall}. */
    static final int RECALLED = 0;

    static final int WOKEN = 1;
    static final int OVER = 2;

    private static final int CONTROL = 0;
    private static final int PARK = 4;
    private static final int HOP = 8;
    private static final int VECTOR = 64;
    private static final int AT_REST = 0;
    private static final int MOVED = 1;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final long STACK_BYTES = 128 * 1024;
    private static final int MOST_IDLE = 64;
    private static final ConcurrentLinkedDeque<Sleeper> IDLE = new ConcurrentLinkedDeque<>();
    private static final AtomicInteger IDLE_COUNT = new AtomicInteger();
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final MemorySegment memory = Arena.ofAuto().allocate(VECTOR + 2 * Futex.WAITV_SIZE, 64);
    private final boolean vectored = Signals.hasFutexWaitv();
    private WordWait wait;
    private Thread recaller;
    private AtomicInteger count;
    private volatile boolean stopped;
    private volatile int tid;

    private Sleeper() {
        describe(0, CONTROL);
        describe(1, PARK);
    }

    /** A sleeper at rest: one that is idle, or a new one. */
    static Sleeper take() {
        Sleeper sleeper = IDLE.pollFirst();
        if (sleeper != null) {
            IDLE_COUNT.decrementAndGet();
            return sleeper;
        }
        sleeper = new Sleeper();
        Thread.Builder.OfPlatform builder = Thread.ofPlatform().daemon().stackSize(STACK_BYTES);
        builder.name("knote-word-" + NAMES.getAndIncrement()).start(sleeper);
        return sleeper;
    }

    /**
     * Sends the sleeper to sleep for {@code forWait}; {@code armedCount} is counted down when that ends.
     *
     * @return 0, or -errno if the word can't be waited for; the sleeper is then idle again
     */
    int arm(WordWait forWait, AtomicInteger armedCount) {
        int moved;
        for (int spins = 0; (moved = tryArm(forWait, armedCount)) == 0; spins++) {
            pause(spins); // it is on its way to its parking word
        }
        return Math.min(moved, 0);
    }

    private synchronized int tryArm(WordWait forWait, AtomicInteger armedCount) {
        int moved = move(forWait.address);
        if (moved < 0) {
            becomeIdle();
        } else if (moved > 0) {
            wait = forWait;
            count = armedCount;
            armedCount.incrementAndGet();
            forWait.sleeper = this;
            forWait.state(WordWait.ARMED);
        }
        return moved;
    }

    /**
     * Where two words share a bucket of the kernel's, requeueing leaves the sleeper at its place there, before those
     * who came to the word since it went to rest: so it goes by way of a third word. 1, 0 if it does not sleep, -errno.
     *
     * <p>The kernel starts a sleep anew on the parking word, after a SIGSTOP say, wherever it has been moved. That finds
     * the parking word changed, and returns: changed while the sleeper is on the third word, so that either it is moved
     * on, and returns whenever that happens, or is not there to be moved.
     */
    private int move(long word) {
        long park = memory.address() + PARK;
        long hop = memory.address() + HOP;
        int moved = Futex.requeueOne(park, AT_REST, hop);
        if (moved > 0) {
            INT.setRelease(memory, (long) PARK, MOVED);
            moved = Futex.requeueOne(hop, 0, word);
            if (moved <= 0) {
                int ignored = Futex.requeueOne(hop, 0, park);
                INT.setRelease(memory, (long) PARK, AT_REST);
            }
        }
        return moved;
    }

    /** Ends the sleep for {@code forWait}: {@link #WOKEN} if a wake had ended it, {@link #OVER} if it was over. */
    int recall(WordWait forWait) {
        synchronized (this) {
            if (wait != forWait || forWait.state() != WordWait.ARMED) {
                return OVER;
            }
            forWait.state(WordWait.CANCELLING);
            recaller = Thread.currentThread();
            interrupt();
        }
        int state;
        while ((state = forWait.state()) == WordWait.CANCELLING) {
            LockSupport.parkNanos(this, 1_000_000);
        }
        forWait.state(WordWait.IDLE);
        return state == WordWait.CANCELLED_WOKEN ? WOKEN : RECALLED;
    }

    @Override
    public void run() {
        tid = Threads.gettid();
        Signals.blockAll(!vectored);
        while (!stopped) {
            ended(sleep());
        }
    }

    private synchronized void ended(int result) {
        WordWait ended = wait;
        if (ended == null) {
            return;
        }
        wait = null;
        count.decrementAndGet();
        INT.setRelease(memory, (long) PARK, AT_REST);
        if (ended.state() == WordWait.CANCELLING) {
            ended.state(result == 0 ? WordWait.CANCELLED_WOKEN : WordWait.CANCELLED_CLEAN);
            LockSupport.unpark(recaller);
        } else {
            ended.state(WordWait.IDLE);
            // Whatever else ended the sleep may have let a wake pass: it counts as a change.
            ended.ended(result == -Errno.EFAULT || result == 0 ? result : -Errno.EAGAIN);
        }
        recaller = null;
        becomeIdle();
    }

    /** 0: woken on the word. Other results mean that it was not. */
    private int sleep() {
        if (!vectored) {
            return Futex.wait(memory.address() + PARK, AT_REST, 0);
        }
        int control = (int) INT.getAcquire(memory, (long) CONTROL);
        memory.set(ValueLayout.JAVA_LONG, VECTOR, control & 0xffffffffL);
        int index = Futex.waitv(memory.address() + VECTOR, 2);
        // The kernel names the last word of those woken: with the control word first, no wake is overlooked.
        return index == 1 ? 0 : index == 0 ? -Errno.ECANCELED : index;
    }

    private void interrupt() {
        if (vectored) {
            INT.getAndAdd(memory, (long) CONTROL, 1);
            Futex.wake(memory.address() + CONTROL, 1);
        } else {
            Threads.tgkill(Threads.getpid(), tid, Signals.interruption());
        }
    }

    private void becomeIdle() {
        if (IDLE_COUNT.incrementAndGet() > MOST_IDLE) {
            IDLE_COUNT.decrementAndGet();
            stopped = true;
            INT.setRelease(memory, (long) PARK, MOVED);
            Futex.wake(memory.address() + PARK, 1);
        } else {
            IDLE.addFirst(this);
        }
    }

    private void describe(int index, long word) {
        long at = VECTOR + (long) index * Futex.WAITV_SIZE;
        memory.set(ValueLayout.JAVA_LONG, at, 0);
        memory.set(ValueLayout.JAVA_LONG, at + 8, memory.address() + word);
        memory.set(ValueLayout.JAVA_INT, at + 16, Futex.FUTEX2_SIZE_U32);
        memory.set(ValueLayout.JAVA_INT, at + 20, 0);
    }

    private static void pause(int spins) {
        if (spins < 8) {
            Thread.onSpinWait();
        } else if (spins < 64) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(50_000);
        }
    }
}
