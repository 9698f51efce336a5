package dev.knote.percpu;

import dev.knote.KeventException;
import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import dev.knote.words.ProcStat;

/** A process as it stands in a lock: its pid in the lower half; in the upper, when it began, as another may get the pid. */
final class Owner {
    private static volatile long self;
    private static volatile long namespace;

    private Owner() {}

    /** This process. */
    static long me() {
        if (self == 0) {
            self = self();
        }
        return self;
    }

    /** The number of this process's pid namespace. */
    static long namespace() {
        if (namespace == 0) {
            namespace = ownNamespace();
        }
        return namespace;
    }

    /** Whether the process will never do anything again: gone, another has its pid, or dead and not yet buried. */
    static boolean isDead(long owner) {
        int pid = (int) owner;
        if (Threads.isGone(pid)) {
            return true;
        }
        ProcStat stat = ProcStat.of(Integer.toString(pid));
        if (stat == null) {
            return Threads.isGone(pid);
        }
        return stat.isEnded() || (int) stat.start() != (int) (owner >>> Integer.SIZE);
    }

    private static long self() {
        int pid = Threads.getpid();
        ProcStat stat = ProcStat.of("self");
        if (stat == null) {
            throw new KeventException(Errno.ENOENT, "OpsVector: no /proc/" + pid + "/stat: expected /proc");
        }
        return stat.start() << Integer.SIZE | pid;
    }

    private static long ownNamespace() {
        long number = ProcStat.pidNamespace();
        if (number == 0) {
            throw new KeventException(Errno.ENOENT, "OpsVector: no /proc/self/ns/pid: expected /proc");
        }
        return number;
    }
}
