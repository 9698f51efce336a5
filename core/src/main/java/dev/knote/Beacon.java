package dev.knote;

import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Timerfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The fd of a queue that others may poll, {@link Options#pollable()}: an epoll set in which nobody waits, that watches
 * what the poller has and no call has seen, the {@link #lamp}, and a clock for the next deadline.
 *
 * <p>The lamp is lit by who puts something on the list, and put out, or lit, by who leaves the queue. Who puts it out
 * says so, {@link #told}, before he looks whether the list is empty; who puts something on the list looks at it
 * afterwards. One of the two sees what the other did. It is lit again if it is lit, once for each look at the list: who
 * watches edge triggered hears then that there is more than what has been looked at.
 */
final class Beacon implements Watcher {
    private static final long NEVER = Long.MAX_VALUE;

    private final EventQueue queue;
    private final MemorySegment room = Arena.ofAuto().allocate(Timerfd.SPEC_SIZE, 8);
    private final MemorySegment one = Arena.ofAuto().allocate(Long.BYTES, 8);
    private final int set = Epoll.epoll_create1();
    private final int lamp = Fds.eventfd();
    private final int clock = Timerfd.timerfd_create();
    /** Whether the lamp was lit since somebody looked. */
    private volatile boolean told;
    /** Whether the lamp is lit; under this object's monitor, as all below. */
    private boolean lit;
    private long clockSetTo = NEVER;
    private int ringFd = -1;

    /** @throws KeventException EMFILE, ENFILE, ENOMEM */
    Beacon(EventQueue queue) {
        this.queue = queue;
        one.set(ValueLayout.JAVA_LONG, 0, 1);
        int result = Math.min(Math.min(set, lamp), clock);
        for (int fd : new int[] {lamp, clock, queue.poller.fd()}) {
            result = result < 0 ? result : watch(fd);
        }
        if (result < 0) {
            close();
            throw new KeventException(-result, "kqueue: a descriptor to be polled by others");
        }
    }

    int fd() {
        return set;
    }

    void close() {
        for (int fd : new int[] {set, lamp, clock}) {
            if (fd >= 0) {
                Fds.close(fd);
            }
        }
    }

    private int watch(int fd) {
        return Epoll.epoll_ctl(set, Epoll.EPOLL_CTL_ADD, fd, Epoll.EPOLLIN, 0, room);
    }

    @Override
    public void activate() {
        if (told) {
            return;
        }
        queue.presence.enter(); // the fds are closed when nobody is present
        if (queue.isOpen()) {
            light();
        }
        queue.presence.leave();
    }

    private synchronized void light() {
        if (!told) {
            told = true;
            lit = true;
            Fds.write(lamp, one.address(), Long.BYTES);
        }
    }

    /** Somebody is going to look at the list: what comes on it from now on is news. */
    void looks() {
        told = false;
    }

    /** Of who is present, and leaves or goes to sleep: what there is now is what others are to see. */
    void update() {
        if (queue.office.isForeign()) {
            return; // the list is the owner's; his mail has lit the lamp
        }
        synchronized (this) {
            told = false;
            boolean due = isDue();
            if (due && !lit) {
                light();
            } else if (!due && lit) {
                lit = false;
                Fds.read(lamp, room.address(), Long.BYTES);
            }
            setClock(queue.timers.earliestEnabled());
        }
    }

    private boolean isDue() {
        return !queue.ready.looksEmpty() || queue.office.hasMail() || !queue.ready.isEmpty();
    }

    private void setClock(long nanoTime) {
        if (nanoTime != clockSetTo) {
            clockSetTo = nanoTime;
            long nanos = nanoTime == NEVER ? 0 : Math.max(1, nanoTime - System.nanoTime());
            Timerfd.timerfd_settime(clock, nanos, room);
        }
    }

    @Override
    public synchronized void lookForRing() {
        int fd = queue.poller.wordFd();
        if (fd >= 0 && fd != ringFd) {
            int result = watch(fd);
            if (result < 0 && result != -Errno.EEXIST) {
                throw new KeventException(-result, "kevent: the ring of words cannot be watched");
            }
            ringFd = fd;
        }
    }

    @Override
    public void innerCloses() {
        // those who poll the fd find out by themselves
    }
}
