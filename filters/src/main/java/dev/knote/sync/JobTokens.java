package dev.knote.sync;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * So many jobs at a time, over any number of processes: tokens, of which each job holds one, in a region of shared
 * memory. Taking one that is there and giving one back that nobody waits for are a few atomic steps; whoever finds none
 * sleeps, in {@link #take} or, among child output and timers, in a queue by {@link #waitIn}. A release wakes one.
 *
 * <p><b>The region</b>, {@link #bytes} long, aligned to 8, little endian. All zero and a size is its initial state.
 *
 * <table>
 * <caption>Bytes</caption>
 * <tr><td>0</td><td>u32</td><td>how many tokens there are; set once, from 0</td></tr>
 * <tr><td>4</td><td>u32</td><td>sequence: added to before a wake; what waiters sleep on</td></tr>
 * <tr><td>8</td><td>u32</td><td>waiters: bits 0 to 15 how many, bits 16 to 31 the epoch in which they were counted</td></tr>
 * <tr><td>12</td><td>u32</td><td>lost: tokens that were taken back from processes that ended with them</td></tr>
 * <tr><td>16</td><td>u64</td><td>when somebody last looked for such: CLOCK_MONOTONIC, in nanoseconds</td></tr>
 * <tr><td>24</td><td>u32</td><td>woken: 0, or when a waiter was woken who has not looked yet: CLOCK_MONOTONIC in
 * microseconds, its low 32 bits, or 1</td></tr>
 * <tr><td>28</td><td>u32</td><td>turn: when somebody who could have gone on left a token to others, as woken; 0: never</td></tr>
 * <tr><td>64 + 8 i</td><td>u64</td><td>token i: 0 free, or its holder's pid in bits 0 to 21 and from bit 22 on the time
 * its process started at, field 22 of /proc/PID/stat</td></tr>
 * </table>
 *
 * <p><b>The steps</b>, each sequentially consistent.
 *
 * <pre>
 * try:      for each token: compare and set 0 -> me
 * take:     try; if there is none
 *           1  s = sequence; woken = 0
 *           2  if not counted in the present epoch: waiters + 1 (compare and set), remember the epoch
 *           3  try; if there is one: 5
 *           4  FUTEX_WAIT (not private) on sequence while it is s, for at most 250 ms; again from 1
 *           5  if the epoch is still the one remembered: waiters - 1 (compare and set);
 *              if there are more free tokens and waiters: wake
 * release:  token: compare and set me -> 0; if the count of waiters is not 0: wake
 * next:     keep the token if nobody is counted, or if turn is less than 1 ms ago, or compare and set of turn to now fails.
 *           Else as release, and try; if one was woken for it, who tries leaves that token alone while woken is not 0
 *           and less than 1 ms ago, and does not set woken to 0 in step 1, until he has slept
 * wake:     if woken is not 0, and less than 1 ms ago: nothing, that one will look. Else woken = now, sequence + 1,
 *           FUTEX_WAKE of 1; if it woke nobody: woken = 0
 * heal:     if 16 such wakes in a row woke nobody, though waiters are counted, some have been killed:
 *           waiters: compare and set to the next epoch and 0; sequence + 1; FUTEX_WAKE of all
 * recover:  each token of a process that has ended: compare and set its holder -> 0, lost + 1;
 *           if there are free tokens and waiters: sequence + 1, FUTEX_WAKE of as many
 * </pre>
 *
 * <p><b>Death.</b> A token names its holder from the step that takes it on, so that a process can be killed anywhere: its
 * tokens are taken back by {@link #recover}, which anybody may call, a parent that has reaped a child say; one of
 * those who wait does it every {@link #LOOK}. The wake of a waiter that is killed before it takes is made good in that
 * time, too. A process that does not exec keeps its name; a child that is forked is another holder. All are in one pid
 * namespace.
 *
 * <p><b>Order.</b> Waiters are woken in the order in which they went to sleep, but whoever tries in between may take what
 * they were woken for. Any thread may call; a token belongs to the process, whose threads may hand it on.
 */
public final class JobTokens {
    /** How long a waiter sleeps until it looks for itself, and at most how often somebody looks for the dead. */
    public static final Duration LOOK = Duration.ofMillis(250);

    static final long LOOK_NANOS = LOOK.toNanos();

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long HEADER = 64;
    private static final long LOOKED = 16;
    private static final int MOST = 1 << 20;
    private static final int TURN_MICROS = 1000;
    private static final int NONE = -1;

    private final MemorySegment memory;
    private final MemorySegment lost;
    private final MemorySegment turn;
    private final TokenWaiters waiters;
    private final int size;
    /** Where the next search begins: with what was given back last. */
    private int hint;
    /** The token that was given back for somebody who is on his way. */
    private int left = NONE;

    private JobTokens(MemorySegment memory, int size) {
        this.memory = memory;
        this.size = size;
        lost = memory.asSlice(12, Integer.BYTES);
        turn = memory.asSlice(28, Integer.BYTES);
        waiters = new TokenWaiters(memory);
        hint = Math.floorMod(Holder.pid(Holder.SELF) * 0x9E3779B9, size);
    }

    /** How many bytes {@code tokens} tokens take. */
    public static long bytes(int tokens) {
        if (tokens < 1 || tokens > MOST) {
            throw new IllegalArgumentException("JobTokens: tokens is " + tokens + ": expected 1 to " + MOST);
        }
        return HEADER + (long) tokens * Long.BYTES;
    }

    /**
     * The tokens at the start of {@code memory}, which are made if it is all zero. Any number of processes may do so at
     * once.
     *
     * @throws IllegalArgumentException if there are tokens already, and not as many
     * @throws KeventException EFAULT, EINVAL, EACCES for memory that cannot be used
     */
    public static JobTokens of(MemorySegment memory, int tokens) {
        long bytes = bytes(tokens);
        Words.region("JobTokens.of: memory", memory, 0, bytes, Long.BYTES);
        MemorySegment word = memory.asSlice(0, Integer.BYTES);
        if (!Words.swap(word, 0, tokens) && Words.get(word) != tokens) {
            throw new IllegalArgumentException(
                    "JobTokens.of: tokens is " + tokens + ": expected " + Words.get(word)
                            + ", which the region has");
        }
        return new JobTokens(memory.asSlice(0, bytes), tokens);
    }

    /** The tokens that are there; IllegalArgumentException if there are none. */
    public static JobTokens of(MemorySegment memory) {
        Words.region("JobTokens.of: memory", memory, 0, HEADER, Long.BYTES);
        int tokens = Words.get(memory.asSlice(0, Integer.BYTES));
        if (tokens < 1 || tokens > MOST) {
            throw new IllegalArgumentException(
                    "JobTokens.of: memory: its first word is " + tokens + ": expected a number of tokens");
        }
        return of(memory, tokens);
    }

    /** Takes a token if there is one: its number, to give back, or -1. Never sleeps, makes no system call. */
    public int tryTake() {
        if (left != NONE && !waiters.isOneOnHisWay()) {
            left = NONE;
        }
        int from = Math.min(hint, size - 1);
        for (int i = from; i < size; i++) {
            if (tryTake(i)) {
                return i;
            }
        }
        for (int i = 0; i < from; i++) {
            if (tryTake(i)) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Takes a token, and sleeps while there is none.
     *
     * @param timeout at most so long; null for ever
     * @return its number, or -1 if the time has passed
     */
    public int take(Duration timeout) {
        int token = tryTake();
        return token >= 0 ? token : sleepFor(Words.deadline(Words.nanos("JobTokens.take: timeout", timeout)));
    }

    /** To wait for tokens in a queue. Each has one user, that is the thread that polls. */
    public TokenWait waitIn(EventQueue queue, Object attachment) {
        return new TokenWait(this, queue, attachment);
    }

    /**
     * Gives a token back, once; wakes one who waits.
     *
     * @throws IllegalArgumentException if this process does not hold it
     */
    public void release(int token) {
        if (token < 0 || token >= size || !LONG.compareAndSet(memory, at(token), Holder.SELF, 0L)) {
            throw notHeld("release", token);
        }
        hint = token;
        waiters.wakeOne();
    }

    /**
     * For who has done a job, and has another one to do: goes on with the token, or, about once in a millisecond if
     * others wait, gives it back for one of them. That spares a release, the wake of one who would come too late for what
     * the caller takes again, and his return to sleep. It makes no system call but to give it to another.
     *
     * @return a token, that one or another; or -1: wait for one as everybody does
     * @throws IllegalArgumentException if this process does not hold it
     */
    public int next(int token) {
        if (token < 0 || token >= size || holder(token) != Holder.SELF) {
            throw notHeld("next", token);
        }
        if (!waiters.hasSome() || !isTurn()) {
            return token;
        }
        if (!LONG.compareAndSet(memory, at(token), Holder.SELF, 0L)) {
            throw notHeld("next", token);
        }
        hint = token;
        if (waiters.wakeOne()) {
            left = token;
        }
        return tryTake();
    }

    /** Whether the others are to have one. */
    private boolean isTurn() {
        int now = TokenWaiters.micros();
        int last = Words.get(turn);
        boolean is = last == 0 || now - last < 0 || now - last >= TURN_MICROS;
        return is && Words.swap(turn, last, now);
    }

    /**
     * Takes back the tokens of processes that have ended, and wakes waiters if there are free tokens.
     *
     * @return how many were taken back by this call
     */
    public int recover() {
        long[] living = new long[size];
        int known = 0;
        int found = 0;
        int free = 0;
        for (int i = 0; i < size; i++) {
            long holder = holder(i);
            if (holder != 0 && holder != Holder.SELF && !contains(living, known, holder)) {
                if (!Holder.isDead(holder)) {
                    living[known++] = holder;
                } else if (LONG.compareAndSet(memory, at(i), holder, 0L)) {
                    found++;
                    Words.add(lost, 1);
                }
            }
            free += holder(i) == 0 ? 1 : 0;
        }
        if (free > 0) {
            waiters.tell(free);
        }
        return found;
    }

    /** How many tokens there are. */
    public int size() {
        return size;
    }

    /** How many of them were free a moment ago. */
    public int free() {
        int free = 0;
        for (int i = 0; i < size; i++) {
            free += holder(i) == 0 ? 1 : 0;
        }
        return free;
    }

    /** How many tokens have been taken back from processes that ended with them, as an unsigned number. */
    public int lost() {
        return Words.get(lost);
    }

    /** The pid of the process that holds a token, or 0; IllegalArgumentException if there is no such token. */
    public int holderPid(int token) {
        if (token < 0 || token >= size) {
            throw new IllegalArgumentException(
                    "JobTokens.holderPid: token is " + token + ": expected 0 to " + (size - 1));
        }
        return Holder.pid(holder(token));
    }

    MemorySegment sequence() {
        return waiters.sequence;
    }

    /** Looks for the dead if nobody has for {@link #LOOK}. */
    void lookIfDue() {
        long last = (long) LONG.getVolatile(memory, LOOKED);
        long now = System.nanoTime();
        if ((last == 0 || now < last || now - last >= LOOK_NANOS)
                && LONG.compareAndSet(memory, LOOKED, last, now)) {
            recover();
        }
    }

    /** Who waited has a token: if there are more, there is more to do for others. */
    void wakeNext() {
        if (waiters.hasSome() && free() > 0) {
            waiters.wakeOne();
        }
    }

    TokenWaiters waiters() {
        return waiters;
    }

    private int sleepFor(long deadline) {
        int ticket = 0;
        try {
            for (;;) {
                int seen = Words.get(waiters.sequence);
                if (left == NONE) {
                    waiters.looks();
                }
                ticket = waiters.enter(ticket);
                lookIfDue();
                int token = tryTake();
                long now = System.nanoTime();
                if (token >= 0 || deadline != Words.NEVER && now - deadline >= 0) {
                    return token;
                }
                long look = now + LOOK_NANOS;
                Words.sleep(waiters.sequence, seen,
                        deadline == Words.NEVER || deadline - look > 0 ? look : deadline);
                left = NONE;
            }
        } finally {
            if (ticket != 0) {
                waiters.leave(ticket);
                wakeNext();
            }
        }
    }

    private boolean tryTake(int token) {
        return token != left && holder(token) == 0 && LONG.compareAndSet(memory, at(token), 0L, Holder.SELF);
    }

    private long holder(int token) {
        return (long) LONG.getVolatile(memory, at(token));
    }

    private static long at(int token) {
        return HEADER + (long) token * Long.BYTES;
    }

    private static boolean contains(long[] holders, int count, long holder) {
        for (int i = 0; i < count; i++) {
            if (holders[i] == holder) {
                return true;
            }
        }
        return false;
    }

    private IllegalArgumentException notHeld(String call, int token) {
        String what = "JobTokens." + call + ": token is " + token + ": expected ";
        if (token < 0 || token >= size) {
            return new IllegalArgumentException(what + "0 to " + (size - 1));
        }
        int pid = holderPid(token);
        return new IllegalArgumentException(
                what + "one that this process holds, not "
                        + (pid == 0 ? "a free one" : "one of process " + pid));
    }

    @Override
    public String toString() {
        return "JobTokens[" + free() + " of " + size + " free]";
    }
}
