package dev.knote.explore;

import dev.knote.linux.Errno;
import dev.knote.linux.Native;
import dev.knote.words.ProcStat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * What woven classes call in place of the kernel, the clock and loads and stores: see {@link Woven}. A thread that is no
 * {@link Actor} goes on at once. The last argument of each is where it is called.
 */
public final class Steps {
    static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    static final int FIRST_PID = 100;
    static final int FIRST_TID = 1000;
    private static final int BORN = 5;
    private static final int SCHED_SETAFFINITY = 203;

    /** Whose {@link Story#begin} runs. */
    static volatile int beginning;
    /** The one scheduler there is at a time. */
    static volatile Scheduler scheduler;

    private Steps() {}

    private static Actor me() {
        return Thread.currentThread() instanceof Actor actor ? actor : null;
    }

    /** Something that others see, or that shows what others have done. */
    public static void step(String site) {
        Actor me = me();
        if (me != null) {
            me.scheduler.step(me, site);
            me.drain();
        }
    }

    public static void fence(String site) {
        step(site);
    }

    public static int loadInt(VarHandle handle, MemorySegment memory, long offset, String site) {
        return (int) load(memory, offset, false, site);
    }

    public static long loadLong(VarHandle handle, MemorySegment memory, long offset, String site) {
        return load(memory, offset, true, site);
    }

    public static Object get(ThreadLocal<?> local) {
        Actor me = me();
        if (me != null) {
            me.locals.add(local);
        }
        return local.get();
    }

    private static long load(MemorySegment memory, long offset, boolean isLong, String site) {
        Actor me = me();
        if (me != null) {
            me.scheduler.step(me, site);
            Actor.Store own = null;
            for (Actor.Store store : me.delayed) {
                own = store.isAt(memory, offset) ? store : own;
            }
            if (own != null) {
                return own.value();
            }
        }
        return isLong ? (long) LONG.getVolatile(memory, offset) : (int) INT.getVolatile(memory, offset);
    }

    public static void store(VarHandle handle, MemorySegment memory, long offset, int value, String site) {
        store(new Actor.Store(memory, offset, false, value), site);
    }

    public static void store(VarHandle handle, MemorySegment memory, long offset, long value, String site) {
        store(new Actor.Store(memory, offset, true, value), site);
    }

    public static void weakSet(MemorySegment word, int value, String site) {
        store(new Actor.Store(word, 0, false, value), site);
    }

    private static void store(Actor.Store store, String site) {
        Actor me = me();
        if (me == null) {
            store.apply();
            return;
        }
        me.scheduler.step(me, site);
        if (!me.delayed.isEmpty() || me.scheduler.delays(me)) {
            me.delayed.add(store);
        } else {
            store.apply();
        }
    }

    public static boolean sleep(MemorySegment word, int value, long deadline, String site) {
        Actor me = me();
        step(site);
        if (me == null) {
            return false; // who looks in the end: others have gone, or are dead
        }
        if (deadline - me.scheduler.nanoTime() <= 0) {
            return false;
        }
        if ((int) INT.getVolatile(word, 0L) != value) {
            return true;
        }
        me.words.add(word.address());
        return me.scheduler.sleep(me, deadline) >= 0;
    }

    public static int waitv(long waiters, int count, long timespec, String site) {
        Actor me = me();
        step(site);
        MemorySegment vector = Native.memory(waiters, count * 24L);
        for (int i = 0; i < count; i++) {
            long address = vector.get(ValueLayout.JAVA_LONG, i * 24L + 8);
            int expected = (int) vector.get(ValueLayout.JAVA_LONG, i * 24L);
            if ((int) INT.getVolatile(Native.memory(address, 4), 0L) != expected) {
                me.words.clear();
                return -Errno.EAGAIN;
            }
            me.words.add(address);
        }
        MemorySegment time = timespec == 0 ? null : Native.memory(timespec, 16);
        long deadline = time == null ? Long.MAX_VALUE
                : time.get(ValueLayout.JAVA_LONG, 0) * 1_000_000_000 + time.get(ValueLayout.JAVA_LONG, 8);
        int answer = me.scheduler.sleep(me, deadline);
        return answer < 0 ? -Errno.ETIMEDOUT : answer;
    }

    public static int wake(MemorySegment word, int count, String site) {
        return wake(word.address(), count, site);
    }

    public static int wake(long address, int count, String site) {
        step(site);
        Scheduler kernel = scheduler;
        return kernel == null ? 0 : kernel.wake(address, count);
    }

    public static int addAndWake(long address, int delta, int count, String site) {
        step(site);
        int ignored = (int) INT.getAndAdd(Native.memory(address, 4), 0L, delta);
        return scheduler.wake(address, count);
    }

    public static long nanoTime(String site) {
        Actor me = me();
        return me == null ? 1_000_000_000L : me.scheduler.nanoTime();
    }

    public static void onSpinWait(String site) {
        Actor me = me();
        if (me != null) {
            me.scheduler.spin(me, site);
        }
    }

    public static void yield(String site) {
        onSpinWait(site);
    }

    public static int cpu(String site) {
        Actor me = me();
        return me == null ? 0 : me.scheduler.cpu(me);
    }

    public static int getpid(String site) {
        Actor me = me();
        return FIRST_PID + (me == null ? beginning : me.process);
    }

    public static int gettid(String site) {
        return FIRST_TID + me().number;
    }

    public static int tgkill(int pid, int tid, int signal, String site) {
        return isGone(tid, site) ? -Errno.ESRCH : 0;
    }

    public static boolean isGone(int id, String site) {
        step(site);
        Scheduler kernel = scheduler;
        return kernel != null
                && kernel.isDead(id >= FIRST_TID ? kernel.processOf(id - FIRST_TID) : id - FIRST_PID);
    }

    public static ProcStat of(String id, String site) {
        boolean own = id.equals("self") || id.equals("thread-self");
        return !own && isGone(Integer.parseInt(id), site) ? null : new ProcStat(false, 1, BORN);
    }

    /** On one processor threads take turns faster. */
    static void pin() {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return; // another number of the call; it is but slower
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(128, 8);
            mask.set(ValueLayout.JAVA_LONG, 0, 1L);
            long ignored = Native.syscall(SCHED_SETAFFINITY, 0, 128, mask.address());
        }
    }
}
