package dev.knote.poll;

import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The fds of a queue, in epoll, edge triggered. Reading and writing have a set each: an fd is in a set once, and what
 * one set reports is the fd's whole readiness, so that with a common set an edge of one kind would look like an edge
 * of the other. The set for writing is made when it is needed and is itself watched in the one for reading.
 */
final class EpollFds {
    private static final int MAX_EVENTS = 256;
    private static final int STRIPES = 64;
    private static final long WAKEUP = -1;
    private static final long WRITERS = -2;
    /** In a registration's token, beside generation and fd: all who watch it have targets. */
    private static final long LATE = 1L << 31;
    private static final int EDGE_IN = Epoll.EPOLLIN | Epoll.EPOLLRDHUP | Epoll.EPOLLET;
    private static final int EDGE_OUT = Epoll.EPOLLOUT | Epoll.EPOLLET;
    private static final int EDGE_BOTH = EDGE_IN | EDGE_OUT | Epoll.EPOLLPRI;

    private final int epfd;
    /** What is slept in: the set itself, or one that watches it, so that nothing else makes the set readable. */
    private final int sleepFd;
    private final int wakeFd;
    private final MemorySegment events = Arena.ofAuto().allocate((long) MAX_EVENTS * Epoll.EVENT_SIZE, 16);
    private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
    private final Stripe[] stripes = new Stripe[STRIPES];
    private final MemorySegment one = Arena.ofAuto().allocate(8, 8);
    private volatile Slot[] readers = new Slot[64];
    private volatile Slot[] writers = new Slot[0];
    private volatile int writeEpfd = -1;
    private final LateEdges edges = new LateEdges();
    private final AtomicInteger watched = new AtomicInteger();
    private boolean wakeInSet;
    private boolean hasPwait2 = true;

    /** Its monitor guards some fds. */
    private static final class Stripe {
        /** A struct epoll_event. */
        final MemorySegment event;

        Stripe(MemorySegment event) {
            this.event = event;
        }
    }

    /** The watches of one fd for one interest. */
    private static final class Slot {
        int generation;
        FdWatch first;
    }

    /** @param apart whether {@link #fd} is to be readable for nothing but the fds watched: not for a wakeup */
    EpollFds(boolean apart) {
        MemorySegment room = Arena.ofAuto().allocate(16L * STRIPES, 16);
        Arrays.setAll(stripes, i -> new Stripe(room.asSlice(16L * i, 16)));
        one.set(ValueLayout.JAVA_LONG, 0, 1);
        epfd = check("epoll_create1", Epoll.epoll_create1());
        wakeFd = Fds.eventfd();
        sleepFd = apart ? Epoll.epoll_create1() : epfd;
        try {
            check("eventfd", wakeFd);
            check("epoll_create1", sleepFd);
            if (apart) {
                endsSleep(epfd);
            }
            wakeInSet(true);
        } catch (PollException e) {
            close();
            throw e;
        }
    }

    /** Of fds apart: {@code fd} being readable ends a sleep as well. */
    void endsSleep(int fd) {
        check("epoll_ctl", Epoll.epoll_ctl(sleepFd, Epoll.EPOLL_CTL_ADD, fd, Epoll.EPOLLIN, WAKEUP, room()));
    }

    int fd() {
        return epfd;
    }

    int wakeFd() {
        return wakeFd;
    }

    /** Whether the wakeup fd is in the set, or watched by somebody else. */
    void wakeInSet(boolean in) {
        if (in != wakeInSet) {
            int op = in ? Epoll.EPOLL_CTL_ADD : Epoll.EPOLL_CTL_DEL;
            check("epoll_ctl", Epoll.epoll_ctl(sleepFd, op, wakeFd, EDGE_IN, WAKEUP, room()));
            wakeInSet = in;
        }
    }

    boolean isEmpty() {
        return watched.get() == 0;
    }

    void watch(FdWatch watch, int fd, int interest) {
        int set = interest == FdWatch.WRITE ? writeSet() : epfd;
        if (fd < 0 || fd == set) { // a set made just now may have the number of a closed fd
            throw new PollException("epoll_ctl", Errno.EBADF);
        }
        synchronized (stripe(fd)) {
            Slot slot = slotIfAny(fd, interest);
            long token = (long) (slot == null ? 1 : slot.generation + 1) << 32 | fd | late(watch, slot);
            int result = control(set, Epoll.EPOLL_CTL_ADD, fd, interest, token);
            if (result == -Errno.EEXIST) {
                // Modifying makes a ready fd an edge again, which a new watch has to see.
                result = control(set, Epoll.EPOLL_CTL_MOD, fd, interest | interestOf(slot), token);
            } else if (result == 0 && slot != null) {
                forgetAll(slot);
            }
            if (result < 0) {
                throw new PollException("epoll_ctl", -result);
            }
            if (slot == null) { // not before it is known that there is such an fd
                slot = makeSlot(fd, interest);
            }
            slot.generation++;
            watch.fd = fd;
            watch.interest = interest;
            watch.next = slot.first;
            slot.first = watch;
            watched.incrementAndGet();
            noteTarget(watch, slot);
        }
    }

    boolean unwatch(FdWatch watch) {
        int fd = watch.fd;
        if (fd < 0) {
            return false;
        }
        synchronized (stripe(fd)) {
            if (watch.fd < 0) {
                return false;
            }
            Slot slot = slotIfAny(fd, watch.interest);
            boolean sole = slot.first == watch && watch.next == null;
            unlink(slot, watch);
            if (!sole) {
                return true;
            }
            int set = watch.interest == FdWatch.WRITE ? writeEpfd : epfd;
            return control(set, Epoll.EPOLL_CTL_DEL, fd, watch.interest, 0) == 0;
        }
    }

    /** Adding a registered fd is refused; this tells it from one whose number now names another file. */
    boolean isSame(FdWatch watch) {
        int fd = watch.fd;
        if (fd < 0) {
            return false;
        }
        int set = watch.interest == FdWatch.WRITE ? writeEpfd : epfd;
        synchronized (stripe(fd)) {
            int result = control(set, Epoll.EPOLL_CTL_ADD, fd, watch.interest, 0);
            if (result == 0) {
                control(set, Epoll.EPOLL_CTL_DEL, fd, watch.interest, 0);
            }
            return result == -Errno.EEXIST;
        }
    }

    /** Waits and tells the watches. As {@link Poller#poll}. */
    void poll(long nanos) {
        boolean writable = false;
        boolean apart = sleepFd != epfd;
        if (apart && nanos != 0) {
            int ignored = await(sleepFd, nanos);
        }
        int n = await(epfd, apart ? 0 : nanos);
        for (;;) {
            for (int i = 0; i < n; i++) {
                long token = Epoll.data(events, i);
                if (token == WRITERS) {
                    writable = true;
                } else if (token == WAKEUP) {
                    continue;
                } else if ((token & LATE) != 0) {
                    edges.add(token, Epoll.events(events, i));
                } else {
                    dispatch(token, FdWatch.READ, Epoll.events(events, i));
                }
            }
            if (n < MAX_EVENTS) {
                break;
            }
            n = await(epfd, 0);
        }
        if (writable) {
            pollWriters();
        }
    }

    void wakeup() {
        Fds.write(wakeFd, one.address(), Long.BYTES);
    }

    void close() {
        close(writeEpfd);
        close(wakeFd);
        if (sleepFd != epfd) {
            close(sleepFd);
        }
        close(epfd);
    }

    private static void close(int fd) {
        if (fd >= 0) {
            Fds.close(fd);
        }
    }

    private void pollWriters() {
        int n;
        do {
            n = await(writeEpfd, 0);
            for (int i = 0; i < n; i++) {
                dispatch(Epoll.data(events, i), FdWatch.WRITE, Epoll.events(events, i));
            }
        } while (n == MAX_EVENTS);
    }

    boolean hasEdges() {
        return !edges.isEmpty();
    }

    /** As {@link Poller#nextEdge}. A single owner alone calls this, and changes what it looks at: no lock is needed. */
    Object nextEdge() {
        while (!edges.isEmpty()) {
            Object target = edges.soleTarget();
            if (target != null) {
                edges.removeFirst();
                return target;
            }
            FdWatch watch = nextOfSeveral();
            if (watch != null) {
                watch.given = edges.number();
                return watch.target;
            }
            edges.removeFirst();
        }
        return null;
    }

    /** Who watches the first edge's fd, has a target, and was not given it yet. */
    private FdWatch nextOfSeveral() {
        long token = edges.token();
        Slot slot = readers[(int) (token & ~LATE)];
        FdWatch watch = slot.generation == (int) (token >> 32) ? slot.first : null;
        while (watch != null && (watch.target == null || watch.given == edges.number())) {
            watch = watch.next;
        }
        return watch;
    }

    int edgeEvents() {
        return edges.events();
    }

    private static boolean isConcerned(FdWatch watch, int readiness) {
        return (watch.interest & FdWatch.WRITE) != 0 || (readiness & ~Epoll.EPOLLOUT) != 0;
    }

    private void dispatch(long token, int interest, int readiness) {
        int fd = (int) token;
        synchronized (stripe(fd)) {
            Slot slot = slotIfAny(fd, interest);
            if (slot == null || slot.generation != (int) (token >> 32)) {
                return; // an edge of a registration that has been replaced
            }
            boolean anyLate = false;
            for (FdWatch watch = slot.first; watch != null; watch = watch.next) {
                if (watch.target != null) {
                    anyLate = true;
                } else if (isConcerned(watch, readiness)) {
                    watch.ready(readiness);
                }
            }
            if (anyLate) {
                edges.add(token, readiness);
            }
        }
    }

    private int await(int set, long nanos) {
        if (nanos > 0 && hasPwait2) {
            timespec.set(ValueLayout.JAVA_LONG, 0, nanos / 1_000_000_000);
            timespec.set(ValueLayout.JAVA_LONG, 8, nanos % 1_000_000_000);
            int n = Epoll.epoll_pwait2(set, events, MAX_EVENTS, timespec.address());
            if (n != -Errno.ENOSYS && n != -Errno.EPERM) {
                return checkWait(n);
            }
            hasPwait2 = false;
        }
        int millis = nanos <= 0 ? (int) nanos
                : (int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
        return checkWait(Epoll.epoll_wait(set, events, MAX_EVENTS, nanos < 0 ? -1 : millis));
    }

    private static int checkWait(int n) {
        return n == -Errno.EINTR ? 0 : check("epoll_wait", n);
    }

    private int writeSet() {
        int set = writeEpfd;
        return set >= 0 ? set : makeWriteSet();
    }

    private synchronized int makeWriteSet() {
        if (writeEpfd < 0) {
            int set = check("epoll_create1", Epoll.epoll_create1());
            int result = Epoll.epoll_ctl(epfd, Epoll.EPOLL_CTL_ADD, set, EDGE_IN, WRITERS, room());
            if (result < 0) {
                Fds.close(set);
                throw new PollException("epoll_ctl", -result);
            }
            writers = new Slot[64];
            writeEpfd = set;
        }
        return writeEpfd;
    }

    private static MemorySegment room() {
        return Arena.ofAuto().allocate(16, 8);
    }

    private Stripe stripe(int fd) {
        return stripes[fd & STRIPES - 1];
    }

    /** Under the stripe of {@code fd}. */
    private int control(int set, int op, int fd, int interest, long token) {
        int edge = switch (interest) {
            case FdWatch.READ -> EDGE_IN;
            case FdWatch.READ | FdWatch.URGENT -> EDGE_IN | Epoll.EPOLLPRI;
            case FdWatch.WRITE -> EDGE_OUT;
            default -> EDGE_BOTH;
        };
        return Epoll.epoll_ctl(set, op, fd, edge, token, stripe(fd).event);
    }

    /** {@link #LATE} if this watch has a target, as have all others of the fd. */
    private static long late(FdWatch watch, Slot slot) {
        boolean all = watch.target != null;
        for (FdWatch other = slot == null ? null : slot.first; other != null; other = other.next) {
            all &= other.target != null;
        }
        return all ? LATE : 0;
    }

    /** What those who watch an fd already want of it. */
    private static int interestOf(Slot slot) {
        int interest = 0;
        for (FdWatch watch = slot == null ? null : slot.first; watch != null; watch = watch.next) {
            interest |= watch.interest;
        }
        return interest;
    }

    private Slot slotIfAny(int fd, int interest) {
        Slot[] slots = interest == FdWatch.WRITE ? writers : readers;
        return fd < slots.length ? slots[fd] : null;
    }

    private synchronized Slot makeSlot(int fd, int interest) {
        Slot[] slots = interest == FdWatch.WRITE ? writers : readers;
        Slot slot = fd < slots.length ? slots[fd] : null;
        if (slot != null) {
            return slot;
        }
        if (fd >= slots.length) {
            slots = Arrays.copyOf(slots, Integer.highestOneBit(fd) << 1);
            if (interest == FdWatch.WRITE) {
                writers = slots;
            } else {
                readers = slots;
            }
        }
        // An element is written and read under its fd's stripe; copying, under this lock, sees all of them.
        slots[fd] = new Slot();
        return slots[fd];
    }

    private void forgetAll(Slot slot) {
        while (slot.first != null) {
            unlink(slot, slot.first);
        }
    }

    private void unlink(Slot slot, FdWatch watch) {
        if (slot.first == watch) {
            slot.first = watch.next;
        } else {
            FdWatch before = slot.first;
            while (before.next != watch) {
                before = before.next;
            }
            before.next = watch.next;
        }
        noteTarget(watch, slot);
        watch.next = null;
        watch.fd = -1;
        watched.decrementAndGet();
    }

    /** A watch has come or gone. */
    private void noteTarget(FdWatch changed, Slot slot) {
        if (changed.interest == FdWatch.WRITE) {
            return;
        }
        FdWatch first = slot.first;
        boolean sole = first != null && first.next == null && first.given != edges.number();
        edges.soleTarget(changed.fd, slot.generation, sole ? first.target : null);
    }

    private static int check(String call, int result) {
        if (result < 0) {
            throw new PollException(call, -result);
        }
        return result;
    }
}
