package dev.knote;

import dev.knote.linux.Fds;
import java.util.Arrays;

/** The open queues of this process, by fd. */
final class Queues {
    private static volatile EventQueue[] byFd = new EventQueue[64];

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

    static synchronized void remove(int fd) {
        EventQueue[] queues = byFd.clone();
        queues[fd] = null;
        byFd = queues;
    }

    /** All names of a queue; the fds of those made by dup are closed. */
    static synchronized void removeAll(EventQueue queue) {
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
