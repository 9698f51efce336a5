package dev.knote;

import dev.knote.linux.Fds;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The open queues of this process, by fd. */
final class Queues {
    private static final int[] NONE = {};

    private static volatile EventQueue[] byFd = new EventQueue[64];
    /** Pollers' fds that are no names of their queues any more, which live on by another name. */
    private static volatile int[] retired = NONE;

    private Queues() {}

    static EventQueue find(int fd) {
        EventQueue[] queues = byFd;
        return fd >= 0 && fd < queues.length ? queues[fd] : null;
    }

    static synchronized void put(int fd, EventQueue queue) {
        EventQueue[] queues = byFd;
        byFd = fd < queues.length ? queues.clone() : Arrays.copyOf(queues, Integer.highestOneBit(fd) << 1);
        byFd[fd] = queue;
    }

    /** How many names of the queue are left without this one; -1 if it has not been its name. */
    static synchronized int remove(int fd, EventQueue queue) {
        EventQueue[] queues = byFd.clone();
        if (queues[fd] != queue) {
            return -1;
        }
        queues[fd] = null;
        int left = (int) Arrays.stream(queues).filter(other -> other == queue).count();
        if (left > 0 && fd == queue.fd()) { // before it is no queue's: who finds none looks here
            retired = IntStream.concat(Arrays.stream(retired), IntStream.of(fd)).toArray();
        }
        byFd = queues;
        return left;
    }

    /** Whether the program has closed this number, which is still open as a queue needs it. */
    static boolean isRetired(int fd) {
        for (int other : retired) {
            if (other == fd) {
                return true;
            }
        }
        return false;
    }

    /** All names of a queue; the fds of those made by dup are closed. */
    static synchronized void removeAll(EventQueue queue) {
        retired = Arrays.stream(retired).filter(fd -> fd != queue.fd()).toArray();
        EventQueue[] queues = byFd.clone();
        for (int fd = 0; fd < queues.length; fd++) {
            if (queues[fd] == queue) {
                queues[fd] = null;
                if (fd != queue.fd()) {
                    Fds.close(fd);
                }
            }
        }
        byFd = queues;
    }

    /** A plain fd is about to be closed: takes its knotes out of every queue. */
    static void forgetFd(int fd) {
        EventQueue last = null;
        for (EventQueue queue : byFd) {
            if (queue != null && queue != last) {
                queue.changes.forgetFd(fd);
                last = queue;
            }
        }
    }
}
