package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process as it stands in a lock: its pid in the lower half; in the upper, when it began, as another may get the pid. */
final class Owner {
    /** Where "state" is, among the fields of /proc/PID/stat behind the name. */
    private static final int STATE = 0;
    private static final int THREADS = 17;
    private static final int BIRTH = 19;

    private static final long ME = self();
    private static final long NAMESPACE = ownNamespace();

    private Owner() {}

    static long me() {
        return ME;
    }

    /** The number of this process's pid namespace. */
    static long namespace() {
        return NAMESPACE;
    }

    /** Whether the process will never do anything again: gone, another has its pid, or dead and not yet buried. */
    static boolean isDead(long owner) {
        int pid = (int) owner;
        if (Threads.isGone(pid)) {
            return true;
        }
        String[] stat = stat(pid);
        if (stat == null) {
            return Threads.isGone(pid);
        }
        if ((int) Long.parseLong(stat[BIRTH]) != (int) (owner >>> 32)) {
            return true;
        }
        boolean isZombie = "ZX".contains(stat[STATE]);
        // The first thread may have ended while others go on.
        return isZombie && Integer.parseInt(stat[THREADS]) <= 1;
    }

    private static long self() {
        int pid = Threads.getpid();
        String[] stat = stat(pid);
        if (stat == null) {
            throw new KeventException(Errno.ENOENT, "OpsVector: no /proc/" + pid + "/stat: expected /proc");
        }
        return Long.parseLong(stat[BIRTH]) << 32 | pid;
    }

    private static long ownNamespace() {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return Long.parseLong(name.replaceAll("\\D", ""));
        } catch (IOException | NumberFormatException e) {
            throw new KeventException(Errno.ENOENT, "OpsVector: no /proc/self/ns/pid: expected /proc: " + e);
        }
    }

    private static String[] stat(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        } catch (IOException gone) {
            return null;
        }
    }
}
