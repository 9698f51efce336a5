package dev.knote.sync;

import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A thread as it owns a {@link SharedMutex}: its kernel's id in the low half of a word of 64 bits, the stamp of its
 * birth in the high half. A stamp is the low 31 bits of field 22, starttime, of {@code /proc/TID/stat}; 0 if it is not
 * known.
 */
final class MutexThread {
    static final long TID_MASK = 0x3fffffffL;

    private static final int STAMP_MASK = 0x7fffffff;
    /** Of what follows the name in /proc/TID/stat: field 3 is the first. */
    private static final int STATE = 0;
    private static final int STARTTIME = 19;

    private static final ThreadLocal<MutexThread> CURRENT = ThreadLocal.withInitial(MutexThread::new);

    /** Stamp and thread id. */
    final long id;
    /** How often it has begun to spin. */
    int spins;

    private MutexThread() {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException(
                    "SharedMutex: the calling thread is virtual: expected a platform thread, which has an id that the "
                            + "kernel knows and keeps it");
        }
        id = (long) stamp(stat("thread-self")) << Integer.SIZE | Threads.gettid();
    }

    static MutexThread current() {
        return CURRENT.get();
    }

    int tid() {
        return (int) (id & TID_MASK);
    }

    /**
     * Whether the thread is no more. A thread id that is used again shows by another stamp; a process that was killed
     * and not waited for yet, by its state. What /proc doesn't show is believed to be alive as long as there is the id.
     */
    static boolean isDead(long id) {
        int tid = (int) (id & TID_MASK);
        if (Threads.isGone(tid)) {
            return true;
        }
        String[] stat = stat(String.valueOf(tid));
        int stamp = (int) (id >>> Integer.SIZE);
        return stat != null
                && ("ZXx".contains(stat[STATE]) || stamp != 0 && stamp(stat) != 0 && stamp(stat) != stamp);
    }

    /** The number of the namespace of process ids; 0 if it is not known. */
    static int namespace() {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return (int) Long.parseLong(name.substring(name.indexOf('[') + 1, name.indexOf(']')));
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    private static int stamp(String[] stat) {
        return stat == null ? 0 : (int) Long.parseLong(stat[STARTTIME]) & STAMP_MASK;
    }

    /** What follows the name, which may hold anything; null if it can't be read. */
    private static String[] stat(String thread) {
        try {
            String line = Files.readString(Path.of("/proc", thread, "stat"),
                    java.nio.charset.StandardCharsets.ISO_8859_1);
            int name = line.lastIndexOf(')');
            return name < 0 ? null : line.substring(name + 2).split(" ");
        } catch (IOException e) {
            return null;
        }
    }
}
