package dev.knote.filters;

import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.EV_ONESHOT;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_INT;
import static dev.knote.Kqueue.NOTE_USERMEM_LONG;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.KeventException;
import dev.knote.Kevent;
import dev.knote.Kqueue;
import dev.knote.WordMemory;
import dev.knote.linux.Classes;
import dev.knote.linux.Errno;
import dev.knote.linux.Shm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * EVFILT_USERMEM: waits for a word of memory to change, as futex(2) does, among everything else. A knote fires when its
 * word is not the expected one, and when a wake is posted, by any thread of any process. On delivery it is armed again
 * before the event is returned, so that every later wake is another event.
 *
 * <p>Contract: FreeBSD's proposed EVFILT_USERMEM; {@code data} of an event is the word's value, an extension.
 */
public final class UserMemFilter implements Filter {
    private static final int WIDTHS = NOTE_USERMEM_INT | NOTE_USERMEM_LONG;
    private static final int KNOWN = WIDTHS | NOTE_USERMEM_PRIVATE;

    /** What native code's addresses are in: nobody answers for it, and to read what is not mapped ends the JVM. */
    private static final MemorySegment.Scope UNBOUNDED = Arena.global().scope();

    /** In the knote's state: it fires without regard to the word. */
    private static final long FIRES = 1;

    static {
        Classes.load(Shm.class);
    }

    /** For the service loader. */
    public UserMemFilter() {}

    @Override
    public int number() {
        return Kqueue.EVFILT_USERMEM;
    }

    @Override
    public String name() {
        return "EVFILT_USERMEM";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        int bytes = check(change);
        MemorySegment word = knote.word();
        if (word == null || knote.ident() == 0) {
            throw refusal(change, Errno.EFAULT, "the address lies in no memory that the queue was given");
        }
        if (word.scope().equals(UNBOUNDED) && !Shm.isReadable(knote.ident())) {
            throw refusal(change, Errno.EFAULT, "nothing is mapped there");
        }
        if (word.byteSize() < bytes) {
            throw refusal(
                    change,
                    Errno.EINVAL,
                    "the word has " + bytes + " bytes, the memory given for it " + word.byteSize());
        }
        long value = knote.readWord(bytes);
        if ((knote.wordState() & FilterKnote.WORD_GONE) != 0) {
            throw refusal(change, Errno.EFAULT,
                    "the memory is gone, its arena closed or its file cut, or it is another thread's");
        }
        // Cleared in whatever way: a wake is an event once.
        knote.flags(knote.flags() | Kqueue.EV_CLEAR);
        if (value == expected(bytes, change.data())) {
            knote.arm(bytes, value, isPrivate(change.fflags()));
        } else {
            knote.state(FIRES);
        }
    }

    /** Said again, it changes nothing; said otherwise, it fires, and the caller reads the word again. */
    @Override
    public void touch(FilterKnote knote, Kevent change) {
        if ((change.flags() & EV_ADD) == 0) {
            if ((change.fflags() & NOTE_TRIGGER) != 0) {
                knote.state(FIRES);
            }
            return;
        }
        int bytes = check(change);
        if (knote.word() == null || knote.word().byteSize() < bytes) {
            throw refusal(change, Errno.EINVAL, "the memory is shorter than the word of " + bytes + " bytes");
        }
        if (change.fflags() != knote.savedFflags()
                || expected(bytes, change.data()) != expected(bytes, knote.savedData())) {
            knote.savedFflags(change.fflags());
            knote.savedData(change.data());
            knote.state(FIRES);
        }
    }

    @Override
    public boolean event(FilterKnote knote) {
        return knote.state() == FIRES || knote.wordState() != 0;
    }

    @Override
    public void deliver(FilterKnote knote, Kevent event) {
        event.fflags(knote.savedFflags());
        settle(knote, event);
    }

    @Override
    public void settle(FilterKnote knote, Kevent event) {
        int bytes = bytes(knote.savedFflags());
        knote.clearWordState();
        knote.state(0);
        long value = knote.readWord(bytes);
        event.data(value);
        if ((knote.wordState() & FilterKnote.WORD_GONE) != 0) {
            event.flags(event.flags() | Kqueue.EV_ERROR | EV_ONESHOT); // the last one of this knote
            event.data(Errno.EFAULT);
            knote.disarm();
            knote.flags(knote.flags() | EV_ONESHOT);
        } else if ((knote.flags() & EV_ONESHOT) == 0) {
            knote.arm(bytes, value, isPrivate(knote.savedFflags()));
        }
    }

    @Override
    public void anon(Kevent change, WordMemory memory) {
        int fflags = change.fflags();
        if ((fflags & NOTE_TRIGGER) == 0 || (fflags & ~(NOTE_TRIGGER | NOTE_USERMEM_PRIVATE)) != 0) {
            throw refusal(
                    change,
                    Errno.EINVAL,
                    "fflags is 0x" + Integer.toHexString(fflags)
                            + ": a wake has NOTE_TRIGGER, with or without NOTE_USERMEM_PRIVATE");
        }
        if (change.ident() % Integer.BYTES != 0) {
            throw refusal(change, Errno.EINVAL, "the address is not aligned to a word");
        }
        if (change.data() < 0) {
            throw refusal(change, Errno.EINVAL, "data is " + change.data() + ": expected how many to wake");
        }
        if (change.ident() == 0 || change.word() != null && !change.word().scope().isAlive()) {
            throw refusal(change, Errno.EFAULT, "the address is NULL, or the word's memory is closed");
        }
        if (change.data() > 0) {
            int count = (int) Math.min(Integer.MAX_VALUE, change.data());
            memory.wake(change.ident(), count, isPrivate(fflags));
        }
    }

    private static int check(Kevent change) {
        int fflags = change.fflags();
        int width = fflags & WIDTHS;
        if (width == 0 || width == WIDTHS || (fflags & ~KNOWN) != 0) {
            throw refusal(
                    change,
                    Errno.EINVAL,
                    "fflags is 0x" + Integer.toHexString(fflags)
                            + ": expected one of NOTE_USERMEM_INT, NOTE_USERMEM_LONG, perhaps with _PRIVATE");
        }
        int bytes = bytes(fflags);
        if (change.ident() % bytes != 0) {
            throw refusal(change, Errno.EINVAL,
                    "the address is not aligned to a word of " + bytes + " bytes");
        }
        return bytes;
    }

    private static int bytes(int fflags) {
        return (fflags & NOTE_USERMEM_LONG) != 0 ? Long.BYTES : Integer.BYTES;
    }

    private static long expected(int bytes, long data) {
        return bytes == Integer.BYTES ? (int) data : data;
    }

    private static boolean isPrivate(int fflags) {
        return (fflags & NOTE_USERMEM_PRIVATE) != 0;
    }

    private static KeventException refusal(Kevent change, int errno, String what) {
        return new KeventException(
                errno,
                "kevent: ident 0x" + Long.toHexString(change.ident()) + ", EVFILT_USERMEM: " + what);
    }
}
