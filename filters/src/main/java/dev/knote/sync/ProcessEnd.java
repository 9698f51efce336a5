package dev.knote.sync;

import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.filters.Read;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;

/**
 * The end of a process, to wait for in a queue among other things: a pidfd, which becomes readable when the process ends,
 * before or after its parent has waited for it. Any process of the pid namespace may be watched. Needs Linux 5.3.
 */
public final class ProcessEnd implements AutoCloseable {
    private static final int PIDFD_OPEN = 434;

    private final int pid;
    private int fd;

    private ProcessEnd(int pid, int fd) {
        this.pid = pid;
        this.fd = fd;
    }

    /**
     * The end of the process with this pid, which the caller knows to be the right one still.
     *
     * @throws KeventException ESRCH if there is none, ENOSYS, EMFILE
     */
    public static ProcessEnd of(int pid) {
        long fd = Native.syscall(PIDFD_OPEN, pid, 0, 0);
        if (fd < 0) {
            throw new KeventException((int) -fd, "ProcessEnd.of: pid is " + pid + ": expected a process");
        }
        return new ProcessEnd(pid, (int) fd);
    }

    /** The end of the process that has started this one. If it has ended already, ESRCH. */
    public static ProcessEnd ofParent() {
        ProcessHandle parent = ProcessHandle.current().parent().orElseThrow(
                () -> new KeventException(Errno.ESRCH,
                        "ProcessEnd.ofParent: it is in another pid namespace"));
        ProcessEnd end = of((int) parent.pid());
        // Had it ended before the pidfd was opened, we would have another parent by now.
        if (ProcessHandle.current().parent().filter(parent::equals).isEmpty()) {
            end.close();
            throw new KeventException(Errno.ESRCH, "ProcessEnd.ofParent: it has ended");
        }
        return end;
    }

    /** The process. */
    public int pid() {
        return pid;
    }

    /** To be registered; fires once, with the first queue that it is registered with and with every other. */
    public Interest interest() {
        if (fd < 0) {
            throw new IllegalStateException("ProcessEnd: it is closed");
        }
        return Read.of(fd).oneShot();
    }

    /** Ends the registrations, too. */
    @Override
    public void close() {
        if (fd >= 0) {
            Fds.close(fd);
            fd = -1;
        }
    }
}
