package dev.knote.transport;

import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A word of 4 or 8 bytes. Values are long, those of 4 bytes sign-extended. For one thread at a time. Memory that is
 * gone, its arena closed or its file cut, is a {@link KeventException} with EFAULT.
 */
class Word {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle POLLS;

    static {
        try {
            POLLS = MethodHandles.lookup().findStaticVarHandle(Word.class, "polls", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // by POLLS
    private static int polls = 1;

    final MemorySegment segment;
    final int bytes;
    private final SharedMemory owned;
    @SuppressWarnings("unused") // for the store alone, see readInt
    private int lastRead;
    private KeventList privateWake;

    /** @throws KeventException EINVAL, EFAULT for what is no word */
    Word(MemorySegment segment) {
        this(segment, null);
    }

    /** @param owned is closed with the word, or null */
    Word(MemorySegment segment, SharedMemory owned) {
        if (segment.byteSize() != Integer.BYTES && segment.byteSize() != Long.BYTES) {
            throw new KeventException(Errno.EINVAL,
                    "word: it has " + segment.byteSize() + " bytes: expected 4 or 8");
        }
        this.segment = segment;
        this.bytes = (int) segment.byteSize();
        this.owned = owned;
        interest(0); // checks the rest
    }

    long address() {
        return segment.address();
    }

    /** In this word's width; of 4 bytes the low half counts. */
    long normal(long value) {
        return bytes == Integer.BYTES ? (int) value : value;
    }

    Interest interest(long expected) {
        return bytes == Integer.BYTES
                ? UserMem.int32(segment, (int) expected)
                : UserMem.int64(segment, expected);
    }

    boolean isReadable() {
        try {
            read();
            return true;
        } catch (KeventException e) {
            return false;
        }
    }

    long read() {
        try {
            long read = bytes == Integer.BYTES ? readInt() : (long) LONG.getAcquire(segment, 0L);
            // The JVM throws for a page that is gone at the next safepoint poll, which has to be in this block: a loop
            // that it can't count has one.
            for (int i = 0; i < (int) POLLS.getOpaque(); i++) {
                assert i >= 0;
            }
            return read;
        } catch (IllegalStateException | WrongThreadException | InternalError e) {
            throw gone(e);
        }
    }

    /** Not sign-extended straight from memory: HotSpot's SIGBUS handler does not know that instruction. */
    private int readInt() {
        int now = (int) INT.getAcquire(segment, 0L);
        lastRead = now;
        return now;
    }

    /**
     * Does an operation, sequentially consistent; returns the value that was there before, which a compare-and-set has
     * compared.
     *
     * <p>Memory that is gone is found out by a read before: HotSpot's own compare-and-set, where it is not compiled, is not
     * prepared for SIGBUS and aborts the JVM. A file that is cut in this very moment does that yet.
     */
    long apply(MemoryWordOp op) {
        read();
        try {
            long before = bytes == Integer.BYTES ? applyInt(op) : applyLong(op);
            for (int i = 0; i < (int) POLLS.getOpaque(); i++) { // as in read
                assert i >= 0;
            }
            return before;
        } catch (IllegalStateException | WrongThreadException | UnsupportedOperationException
                | IllegalArgumentException | InternalError e) {
            throw gone(e);
        }
    }

    private int applyInt(MemoryWordOp op) {
        int value = (int) op.value();
        return switch (op.kind()) {
            case SET -> (int) INT.getAndSet(segment, 0L, value);
            case ADD -> (int) INT.getAndAdd(segment, 0L, value);
            case OR -> (int) INT.getAndBitwiseOr(segment, 0L, value);
            case AND -> (int) INT.getAndBitwiseAnd(segment, 0L, value);
            case COMPARE_AND_SET ->
                (int) INT.compareAndExchange(segment, 0L, (int) op.expected(), value);
        };
    }

    private long applyLong(MemoryWordOp op) {
        long value = op.value();
        return switch (op.kind()) {
            case SET -> (long) LONG.getAndSet(segment, 0L, value);
            case ADD -> (long) LONG.getAndAdd(segment, 0L, value);
            case OR -> (long) LONG.getAndBitwiseOr(segment, 0L, value);
            case AND -> (long) LONG.getAndBitwiseAnd(segment, 0L, value);
            case COMPARE_AND_SET ->
                (long) LONG.compareAndExchange(segment, 0L, op.expected(), value);
        };
    }

    /** Wakes at most {@code count} waiters; one entry into the kernel, or none for those of this process alone. */
    void wake(int count, boolean isPrivate) {
        if (count <= 0) {
            return;
        }
        if (isPrivate) {
            wakePrivately(count);
            return;
        }
        int result = Futex.wake(segment.address(), count);
        if (result < 0) {
            throw new KeventException(-result, at() + ": wake");
        }
    }

    private void wakePrivately(int count) {
        if (privateWake == null) {
            privateWake = KeventList.allocate(1);
        }
        privateWake.set(0, segment, Kqueue.EVFILT_USERMEM, Kqueue.EV_ANON,
                Kqueue.NOTE_TRIGGER | Kqueue.NOTE_USERMEM_PRIVATE, count, null);
        Kqueue.kevent(Kqueue.KQUEUE_FD_ANON, privateWake, 1, null, 0, null);
    }

    /** Unmaps what was opened for this word. */
    void close() {
        if (owned != null) {
            owned.close();
        }
    }

    private KeventException gone(Throwable cause) {
        var gone = new KeventException(Errno.EFAULT, at()
                + ": the memory is gone, its arena closed or its file cut, or it is another thread's, or read-only");
        gone.initCause(cause);
        return gone;
    }

    private String at() {
        return "word: 0x" + Long.toHexString(segment.address());
    }
}
