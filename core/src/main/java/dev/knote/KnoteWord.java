package dev.knote;

import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.poll.WordWait;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The word that a knote waits for, and how the wait stands. Arming and ending it exclude each other by its monitor:
 * the call that armed it gives it to the poller when it no longer has the knote, which may be deleted by then.
 */
final class KnoteWord extends WordWait {
    private static final VarHandle BITS;
    private static final VarHandle POLLS;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    static {
        try {
            BITS = MethodHandles.lookup().findVarHandle(KnoteWord.class, "bits", int.class);
            POLLS = MethodHandles.lookup().findStaticVarHandle(KnoteWord.class, "polls", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // by POLLS
    private static int polls = 1;

    private final KnoteImpl knote;
    private int bytes = Integer.BYTES;
    private long value;
    private boolean isPrivate;
    @SuppressWarnings("unused") // for the store alone, see readInt
    private int lastRead;
    /** Armed in this call of the queue, and not given to the poller yet. */
    private boolean deferred;
    /** In {@link PrivateWords}, under its bucket's lock: whether it is in, and its neighbours. */
    boolean parked;

    KnoteWord previousParked;
    KnoteWord nextParked;

    @SuppressWarnings("unused") // by BITS
    private int bits;

    KnoteWord(KnoteImpl knote) {
        this.knote = knote;
    }

    synchronized void arm(int wordBytes, long expected, boolean ofProcess, Call call) {
        if (isWaiting() && isPrivate == ofProcess) {
            expect(wordBytes, expected);
            if (!matches()) {
                ended(-Errno.EAGAIN);
            }
            share(call);
            return;
        }
        passOn(end());
        isPrivate = ofProcess;
        expect(wordBytes, expected);
        if (ofProcess) {
            knote.queue.watchesWords();
            PrivateWords.park(this);
            if (!matches() && PrivateWords.leave(this)) {
                ended(-Errno.EAGAIN);
            }
        } else {
            deferred = true;
            call.defer(this);
        }
    }

    /** Another call has armed the wait and not yet brought it into effect: {@code call} does, before it returns. */
    void share(Call call) {
        if (!isPrivate && isWaiting() && !isSubmitted()) {
            call.defer(this);
        }
    }

    /** Gives a deferred wait to the poller. A word that differs by now never gets there. */
    synchronized void submit() {
        if (deferred) {
            deferred = false;
            if (matches()) {
                knote.queue.poller.arm(this);
            } else {
                ended(-Errno.EAGAIN);
            }
        }
    }

    /** Ends a deferred wait whose word differs, without any call into the kernel; true if it did. */
    synchronized boolean endIfDiffers() {
        if (deferred && !matches()) {
            deferred = false;
            ended(-Errno.EAGAIN);
            return true;
        }
        return false;
    }

    /** Ends the wait; true if a wake was counted for it that has not been delivered. */
    synchronized boolean end() {
        boolean owed;
        if (isPrivate) {
            owed = false;
            PrivateWords.leave(this);
        } else {
            deferred = false;
            owed = knote.queue.poller.disarm(this);
        }
        boolean undelivered = ((int) BITS.getAndSet(this, 0) & FilterKnote.WORD_WOKEN) != 0;
        return owed || undelivered;
    }

    void passOn(boolean owed) {
        if (owed && isPrivate) {
            PrivateWords.wake(knote.ident, 1);
        } else if (owed) {
            Futex.wake(knote.ident, 1);
        }
    }

    /** Looks whether the memory is still there; if not, the knote hears of it. */
    void checkMemory() {
        read(Integer.BYTES);
        if ((bits() & FilterKnote.WORD_GONE) != 0) {
            knote.activate();
        }
    }

    boolean isWaiting() {
        return deferred || (isPrivate ? parked : isArmed());
    }

    /** Whether it is the poller that will tell of the wait's end. */
    boolean isWithPoller() {
        return !isPrivate && isSubmitted();
    }

    int bits() {
        return (int) BITS.getVolatile(this);
    }

    void clearBits() {
        BITS.setVolatile(this, 0);
    }

    long address() {
        return knote.ident;
    }

    /** Reads the word; memory that is gone is noted, and 0. */
    long read(int wordBytes) {
        MemorySegment word = knote.word();
        boolean interrupted = Thread.currentThread().isInterrupted();
        try {
            long read = wordBytes == Integer.BYTES
                    ? readInt(word)
                    : (long) LONG.getAcquire(word, 0L);
            // The JVM throws for a page that is gone at the next safepoint poll, which has to be in this block: a loop
            // that it can't count has one.
            for (int i = 0; i < (int) POLLS.getOpaque(); i++) {
                assert i >= 0;
            }
            return read;
        } catch (IllegalStateException closed) {
            if (!interrupted) { // the JVM interrupts who reads memory in the moment in which its arena is closed
                boolean ignored = Thread.interrupted();
            }
            note(FilterKnote.WORD_GONE);
            return 0;
        } catch (WrongThreadException | InternalError confinedOrCut) {
            // The JVM turns SIGBUS on a page behind the end of a cut file into an InternalError. What another
            // thread has confined to itself is as good as gone for this one.
            note(FilterKnote.WORD_GONE);
            return 0;
        }
    }

    /**
     * Sign-extending straight from memory, MOVSXD, is an instruction that HotSpot's SIGBUS handler does not know: it
     * aborts the JVM where the page is gone. A value that is stored as well is loaded by an instruction of its own.
     */
    private int readInt(MemorySegment word) {
        int now = (int) INT.getAcquire(word, 0L);
        lastRead = now;
        return now;
    }

    @Override
    protected void ended(int result) {
        note(switch (result) {
            case 0 -> FilterKnote.WORD_WOKEN;
            case -Errno.EAGAIN -> FilterKnote.WORD_DIFFERS;
            default -> FilterKnote.WORD_GONE;
        });
        knote.activate();
    }

    @Override
    protected boolean matches() {
        long now = read(bytes);
        return (bits() & FilterKnote.WORD_GONE) == 0 && now == value;
    }

    @Override
    protected int peek() {
        return (int) read(Integer.BYTES);
    }

    @Override
    protected boolean isWide() {
        return bytes > Integer.BYTES;
    }

    private void expect(int wordBytes, long expected) {
        bytes = wordBytes;
        value = wordBytes == Integer.BYTES ? (int) expected : expected;
        target(knote.ident, (int) expected);
    }

    private void note(int bit) {
        int ignored = (int) BITS.getAndBitwiseOr(this, bit);
    }
}
