package dev.knote.filters.stress;

import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_ANON;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.NOTE_USERMEM_PRIVATE;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import java.lang.foreign.MemorySegment;

/** Wakes as C has them. */
final class Words {
    /** The number of futex(2), as /proc/self/task/TID/syscall shows it. */
    static final String FUTEX_CALL = System.getProperty("os.arch").equals("aarch64") ? "98" : "202";

    private static final ThreadLocal<KeventList> ONE = ThreadLocal.withInitial(() -> KeventList.allocate(1));

    private Words() {}

    static void wakePrivately(MemorySegment word, int count) {
        wake(word, count, NOTE_TRIGGER | NOTE_USERMEM_PRIVATE);
    }

    static void wake(MemorySegment word, int count) {
        wake(word, count, NOTE_TRIGGER);
    }

    private static void wake(MemorySegment word, int count, int fflags) {
        KeventList list = ONE.get();
        list.set(0, word, EVFILT_USERMEM, EV_ANON, fflags, count, null);
        Kqueue.kevent(Kqueue.KQUEUE_FD_ANON, list, 1, null, 0, null);
    }
}
