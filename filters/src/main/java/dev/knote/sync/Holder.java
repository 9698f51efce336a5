package dev.knote.sync;

import dev.knote.linux.Errno;
import dev.knote.linux.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process in 64 bits, never 0: its pid, and from bit 22 on the time it started at, in ticks since boot. A pid that was
 * given to another process is another number.
 */
final class Holder {
    static final int PID_BITS = 22;
    static final long SELF = read("self") | Threads.getpid();

    private static final long GONE = -1;
    private static final int STATE = 0;
    private static final int THREADS = 17;
    private static final int START = 19;

    private Holder() {}

    static int pid(long holder) {
        return (int) (holder & (1L << PID_BITS) - 1);
    }

    /** Whether the process is gone for certain: ended, waited for by its parent or not, or another has its pid. */
    static boolean isDead(long holder) {
        int pid = pid(holder);
        if (Threads.tgkill(pid, pid, 0) == -Errno.ESRCH) {
            return true;
        }
        long start = read(Integer.toString(pid));
        long named = holder & -1L << PID_BITS;
        return start == GONE || start != 0 && named != 0 && start != named;
    }

    /** When a process started, from bit 22 on; 0 if that cannot be known, {@link #GONE} if it has ended. */
    private static long read(String process) {
        String line;
        try {
            line = Files.readString(Path.of("/proc", process, "stat"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return 0; // gone this moment, which is found next time, or hidden
        }
        String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
        // A process whose first thread has ended and others have not is in state Z, too.
        boolean ended = "XZ".contains(fields[STATE]) && Integer.parseInt(fields[THREADS]) <= 1;
        return ended ? GONE : Long.parseLong(fields[START]) << PID_BITS;
    }
}
