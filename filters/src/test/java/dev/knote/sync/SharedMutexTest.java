package dev.knote.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.KeventException;
import dev.knote.SharedMemory;
import dev.knote.linux.Errno;
import dev.knote.linux.Native;
import dev.knote.linux.Threads;
import dev.knote.sync.SharedMutex.Outcome;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What a SharedMutex promises within one process. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SharedMutexTest {
    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final SharedMutex mutex = SharedMutex.of(memory.segment(), 0);

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void a_free_mutex_is_locked_once() throws Exception {
        assertEquals(Outcome.LOCKED, mutex.lock());
        assertTrue(mutex.isOwner());
        assertEquals(Outcome.BUSY, elsewhere(mutex::tryLock));
        mutex.unlock();
        assertFalse(mutex.isOwner());
        assertEquals(Outcome.LOCKED, elsewhere(() -> {
            Outcome outcome = mutex.tryLock();
            mutex.unlock();
            return outcome;
        }));
        assertEquals(0, memory.segment().get(ValueLayout.JAVA_LONG, 0), "the word");
    }

    @Test
    void an_unlock_wakes_who_waits() throws Exception {
        mutex.lock();
        FutureTask<Outcome> other = start(this::lockAndUnlock);
        awaitWaiter();
        mutex.unlock();
        assertEquals(Outcome.LOCKED, other.get());
    }

    @Test
    void what_is_not_the_callers_is_not_unlocked() throws Exception {
        assertFails(Errno.EPERM, "free", mutex::unlock);
        mutex.lock();
        elsewhere(() -> {
            assertFails(Errno.EPERM, "held by thread", mutex::unlock);
            assertFails(Errno.EPERM, "owner", mutex::consistent);
            return null;
        });
        assertEquals(Outcome.BUSY, elsewhere(mutex::tryLock));
        mutex.unlock();
        assertFails(Errno.EPERM, "free", mutex::unlock);
    }

    @Test
    void a_second_lock_by_the_owner_is_an_error() {
        mutex.lock();
        assertFails(Errno.EDEADLK, "is the owner", mutex::lock);
        assertFails(Errno.EDEADLK, "is the owner", mutex::tryLock);
        assertFails(Errno.EDEADLK, "is the owner", () -> mutex.tryLock(Duration.ofSeconds(1)));
        mutex.unlock();
        assertEquals(Outcome.LOCKED, mutex.lock());
    }

    @Test
    void a_wait_ends_with_its_timeout() throws Exception {
        mutex.lock();
        long from = System.nanoTime();
        assertEquals(Outcome.BUSY, elsewhere(() -> mutex.tryLock(Duration.ofMillis(120))));
        assertTrue(System.nanoTime() - from >= 120_000_000, "it ended too soon");
        assertEquals(Outcome.BUSY, elsewhere(() -> mutex.tryLock(Duration.ZERO)));
        FutureTask<Outcome> patient = start(() -> mutex.tryLock(Duration.ofSeconds(Long.MAX_VALUE)));
        awaitWaiter();
        mutex.unlock();
        assertEquals(Outcome.LOCKED, patient.get());
    }

    @Test
    void one_who_gives_up_leaves_nobody_asleep() throws Exception {
        for (int i = 0; i < 20; i++) {
            mutex.lock();
            FutureTask<Outcome> impatient = start(() -> mutex.tryLock(Duration.ofMillis(1)));
            FutureTask<Outcome> patient = start(this::lockAndUnlock);
            if (impatient.get() == Outcome.LOCKED) {
                throw new AssertionError("two owners");
            }
            long from = System.nanoTime();
            mutex.unlock();
            assertEquals(Outcome.LOCKED, patient.get());
            assertTrue(System.nanoTime() - from < 5_000_000_000L);
        }
    }

    @Test
    void wrong_arguments_are_named() {
        MemorySegment segment = memory.segment();
        assertFails(Errno.EINVAL, "aligned to 64", () -> SharedMutex.of(segment, 8));
        assertFails(Errno.EINVAL, "expected 64", () -> SharedMutex.of(segment, 4096));
        assertFails(Errno.EINVAL, "expected 64", () -> SharedMutex.of(segment, -64));
        assertFails(Errno.EACCES, "read-only", () -> SharedMutex.of(segment.asReadOnly(), 0));
        assertFails(Errno.EFAULT, "heap", () -> SharedMutex.of(MemorySegment.ofArray(new long[8]), 0));
        assertFails(Errno.EINVAL, "timeout is PT-1S", () -> mutex.tryLock(Duration.ofSeconds(-1)));
        segment.set(ValueLayout.JAVA_INT, 64 + 32, 1);
        assertFails(Errno.EINVAL, "namespace of process ids 1", () -> SharedMutex.of(segment, 64));
    }

    @Test
    void a_virtual_thread_is_refused() throws Exception {
        FutureTask<Outcome> task = new FutureTask<>(mutex::lock);
        Thread.ofVirtual().start(task);
        var failure = assertThrows(ExecutionException.class, task::get);
        assertTrue(failure.getCause() instanceof IllegalStateException, failure.toString());
        assertTrue(failure.getMessage().contains("virtual"), failure.toString());
    }

    @Test
    void the_next_owner_is_told_of_the_death_of_the_last_one() throws Exception {
        elsewhere(mutex::lock); // its thread ends
        assertEquals(Outcome.OWNER_DIED, mutex.lock());
        assertEquals(Outcome.BUSY, elsewhere(mutex::tryLock));
        mutex.consistent();
        assertFails(Errno.EINVAL, "no owner has died", mutex::consistent);
        mutex.unlock();
        assertEquals(Outcome.LOCKED, elsewhere(this::lockAndUnlock));
    }

    @Test
    void a_death_is_seen_by_waits_with_a_timeout_and_by_repeated_tries() throws Exception {
        elsewhere(mutex::lock);
        assertEquals(Outcome.OWNER_DIED, mutex.tryLock(Duration.ofSeconds(20)));
        mutex.consistent();
        mutex.unlock();
        elsewhere(mutex::lock);
        Outcome outcome = Outcome.BUSY;
        for (long end = System.nanoTime() + 20_000_000_000L; outcome == Outcome.BUSY
                && System.nanoTime() < end;) {
            outcome = mutex.tryLock();
        }
        assertEquals(Outcome.OWNER_DIED, outcome);
    }

    @Test
    void one_who_sleeps_while_the_owner_dies_is_told() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        FutureTask<Outcome> owner = start(() -> {
            Outcome outcome = mutex.lock();
            end.await();
            return outcome;
        });
        while (mutex.tryLock() == Outcome.LOCKED) {
            mutex.unlock();
        }
        FutureTask<Outcome> waiter = start(mutex::lock);
        awaitWaiter();
        end.countDown();
        assertEquals(Outcome.LOCKED, owner.get());
        assertEquals(Outcome.OWNER_DIED, waiter.get());
        assertEquals(Outcome.OWNER_DIED, mutex.lock(), "of one who took over and died as well");
    }

    @Test
    void what_is_unlocked_unrepaired_is_lost() throws Exception {
        elsewhere(mutex::lock);
        assertEquals(Outcome.OWNER_DIED, mutex.lock());
        FutureTask<Outcome> waiter = start(mutex::lock);
        awaitWaiter();
        mutex.unlock();
        var failure = assertThrows(ExecutionException.class, waiter::get);
        assertEquals(Errno.ENOTRECOVERABLE, ((KeventException) failure.getCause()).errno());
        assertFails(Errno.ENOTRECOVERABLE, "without consistent()", mutex::lock);
        assertFails(Errno.ENOTRECOVERABLE, "without consistent()", mutex::tryLock);
        assertFails(Errno.EPERM, "lost", mutex::unlock);
    }

    @Test
    void a_thread_id_that_is_used_again_is_no_owner() {
        long me = MutexThread.current().id;
        assertFalse(MutexThread.isDead(me));
        assertTrue(MutexThread.isDead(me + (1L << 32)), "of another birth");
        assertFalse(MutexThread.isDead(me & 0xffffffffL), "of no known birth");
        memory.segment().set(ValueLayout.JAVA_LONG, 0, me + (1L << 32));
        assertEquals(Outcome.OWNER_DIED, mutex.lock());
    }

    /** Were it not for the wake, each would take 50 ms. */
    @Test
    void a_sleeper_is_woken_by_the_unlock_and_not_by_its_own_looks() throws Exception {
        long[] nanos = new long[21];
        for (int i = 0; i < nanos.length; i++) {
            mutex.lock();
            FutureTask<Outcome> other = start(this::lockAndUnlock);
            awaitWaiter();
            long from = System.nanoTime();
            mutex.unlock();
            other.get();
            nanos[i] = System.nanoTime() - from;
        }
        Arrays.sort(nanos);
        assertTrue(nanos[10] < 20_000_000, () -> Arrays.toString(nanos));
    }

    @Test
    void a_waiter_stays_awake_only_while_the_owner_may_run_elsewhere() throws Exception {
        mutex.lock();
        int me = MutexThread.current().tid();
        assertEquals(me << 12, SharedMemory.load32(processor()) & ~0xfff, "who has said where he runs");
        assertTrue((SharedMemory.load32(processor()) & 0xfff) > 0, "the owner's processor");
        assertEquals(0, spins(me, 0), "times awake for an owner on the same processor");
        assertTrue(spins(me, 1) > 0, "times awake for an owner elsewhere");
        if (Runtime.getRuntime().availableProcessors() > 1) {
            assertTrue(spins(me + 1, 0) > 0, "times awake for an owner who has not said where he is");
        }
        mutex.unlock();
    }

    @Test
    void who_locks_all_the_time_says_where_he_runs_once_in_a_while() {
        for (int i = 0; i < 100; i++) {
            mutex.lock();
            mutex.unlock();
        }
        SharedMemory.store32(processor(), 0);
        for (int i = 0; i < 16; i++) {
            mutex.lock();
            mutex.unlock();
        }
        assertEquals(MutexThread.current().tid() << 12, SharedMemory.load32(processor()) & ~0xfff);
    }

    /** One thread locks all the time; another one locks in between: both are said to have it when they have it. */
    @Test
    void another_thread_in_between_is_said_to_have_it() throws Exception {
        for (int i = 0; i < 100; i++) {
            mutex.lock();
            mutex.unlock();
        }
        int other = elsewhere(() -> {
            mutex.lock();
            int said = SharedMemory.load32(processor());
            mutex.unlock();
            return said >>> 12 == (MutexThread.current().tid() & 0xfffff) ? 1 : 0;
        });
        assertEquals(1, other);
        mutex.lock();
        assertEquals(MutexThread.current().tid() << 12, SharedMemory.load32(processor()) & ~0xfff);
        mutex.unlock();
    }

    @Test
    void a_free_mutex_makes_no_garbage() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long end = System.nanoTime() + 20_000_000_000L;
        long bytes;
        do {
            bytes = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20_000; i++) {
                mutex.lock();
                mutex.unlock();
            }
            bytes = threads.getCurrentThreadAllocatedBytes() - bytes;
        } while (bytes > 10_000 && System.nanoTime() < end);
        assertTrue(bytes <= 10_000, bytes + " bytes for 20,000 sections");
    }

    /** How often one has stayed awake if {@code who} has said to run {@code away} processors from its own. */
    private int spins(int who, int away) throws Exception {
        return elsewhere(() -> {
            int mine = Threads.cpu();
            bind(mine);
            SharedMemory.store32(processor(), who << 12 | mine + away + 1);
            assertEquals(Outcome.BUSY, mutex.tryLock(Duration.ofMillis(20)));
            return MutexThread.current().spins;
        });
    }

    private MemorySegment processor() {
        return memory.segment().asSlice(8, Integer.BYTES);
    }

    private static void bind(int processor) {
        int setAffinity = System.getProperty("os.arch").equals("amd64") ? 203 : 122;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(128, Long.BYTES);
            mask.setAtIndex(ValueLayout.JAVA_LONG, processor / Long.SIZE, 1L << processor);
            assertEquals(0, Native.syscall(setAffinity, 0, mask.byteSize(), mask.address()));
        }
    }

    private Outcome lockAndUnlock() {
        Outcome outcome = mutex.lock();
        mutex.unlock();
        return outcome;
    }

    /** Until somebody is about to sleep. */
    private void awaitWaiter() {
        long end = System.nanoTime() + 20_000_000_000L;
        while (SharedMemory.load32(memory.word32(0)) >= 0) {
            assertTrue(System.nanoTime() < end, "nobody came to sleep");
            Thread.onSpinWait();
        }
    }

    private static <T> T elsewhere(Callable<T> task) throws Exception {
        return start(task).get();
    }

    private static <T> FutureTask<T> start(Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        Thread.ofPlatform().daemon().start(future);
        return future;
    }

    static void assertFails(int errno, String words, Executable call) {
        KeventException e = assertThrows(KeventException.class, call);
        assertEquals(errno, e.errno(), e.getMessage());
        assertTrue(e.getMessage().contains(words), e.getMessage());
    }
}
