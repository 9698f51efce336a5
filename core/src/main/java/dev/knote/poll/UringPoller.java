package dev.knote.poll;

import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.IoUring;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * fds by epoll, words by io_uring. The ring is made with the first word; from then on the poller sleeps in the ring,
 * which watches the epoll set. Before, it sleeps in epoll, which is cheaper.
 *
 * <p>A ring for a single owner completes only while the owner is in the kernel (DEFER_TASKRUN), the cheapest way. It
 * does not wake an epoll that watches it, so a queue that may be watched by another has the other kind.
 *
 * <p>The fds of a queue that is polled by others tell what the queue would find: so nothing but words completes in its
 * ring, and it sleeps in epoll, which watches the ring.
 */
final class UringPoller extends EpollPoller {
    static final String NAME = "io_uring";

    private static final Logger LOG = LoggerFactory.getLogger(UringPoller.class);
    private static final int SQ_ENTRIES = 64;
    private static final int CQ_ENTRIES = 256;
    private static final int SHARED = IoUring.IORING_SETUP_CLAMP | IoUring.IORING_SETUP_SUBMIT_ALL;
    private static final int OWNED = SHARED
            | IoUring.IORING_SETUP_SINGLE_ISSUER
            | IoUring.IORING_SETUP_DEFER_TASKRUN
            | IoUring.IORING_SETUP_TASKRUN_FLAG;
    private static final int EPOLL_BIT = 1;
    private static final int WAKEUP_BIT = 2;
    private static final int BOTH = EPOLL_BIT | WAKEUP_BIT;

    private final boolean owned;
    private final boolean pollable;
    private volatile RingWords ring;
    private volatile Words words;
    /** Of {@link #EPOLL_BIT}, {@link #WAKEUP_BIT} and the tick: what the ring watches. Belongs to who polls. */
    private int watched;
    private boolean reminded;

    UringPoller(boolean owned, boolean pollable) {
        super(pollable);
        this.owned = owned && !pollable;
        this.pollable = pollable;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    Words words() {
        Words made = words;
        return made != null ? made : makeWords();
    }

    @Override
    Words wordsIfAny() {
        return words;
    }

    private synchronized Words makeWords() {
        if (words == null) {
            try {
                ring = makeRing();
                words = ring;
                if (!pollable) {
                    fds.wakeup(); // whoever sleeps in epoll has to sleep in the ring
                }
            } catch (PollException e) {
                LOG.warn("no ring for this queue, its words are waited for by threads: {}", e.getMessage());
                words = super.words();
            }
        }
        return words;
    }

    private RingWords makeRing() {
        RingWords made = new RingWords(openRing(owned), owned);
        try {
            if (pollable) {
                fds.endsSleep(made.fd());
            }
            return made;
        } catch (PollException e) {
            made.close();
            throw e;
        }
    }

    /** A ring, or a PollException that says why not. */
    static IoUring openRing(boolean owned) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = IoUring.params(arena);
            int fd = IoUring.setup(SQ_ENTRIES, CQ_ENTRIES, owned ? OWNED : SHARED, params);
            if (fd < 0) {
                throw new PollException("io_uring_setup", -fd);
            }
            int supported = IoUring.probe(fd, IoUring.IORING_OP_FUTEX_WAIT);
            if (supported != 1) {
                Fds.close(fd);
                throw new PollException("io_uring without FUTEX_WAIT",
                        supported == 0 ? Errno.ENOSYS : -supported);
            }
            IoUring ring = IoUring.open(fd, params);
            if (ring == null) {
                throw new PollException("mmap of a ring", Errno.ENOMEM);
            }
            return ring;
        }
    }

    @Override
    public int wordFd() {
        RingWords made = ring;
        return made == null ? -1 : made.fd();
    }

    @Override
    public boolean isBound() {
        return owned && ring != null;
    }

    @Override
    public boolean mayBeBound() {
        return owned;
    }

    @Override
    public boolean isIdle() {
        return ring == null && super.isIdle();
    }

    @Override
    public boolean hasCompletions() {
        RingWords made = ring;
        return made != null && made.hasCompletions();
    }

    @Override
    public boolean hasSilentFds() {
        return super.hasSilentFds() && !(owned && (watched & EPOLL_BIT) != 0);
    }

    @Override
    public void poll(long nanos) {
        RingWords made = ring;
        if (pollable) {
            pollBoth(made, nanos);
            return;
        }
        if (made == null) {
            fds.poll(nanos);
            return;
        }
        if (nanos == 0) {
            look(made);
            return;
        }
        if ((watched & BOTH) != BOTH) {
            watch(made);
        }
        int events = await(made, nanos);
        if ((events & EPOLL_BIT) != 0) {
            fds.poll(0);
        }
    }

    private void pollBoth(RingWords before, long nanos) {
        if (before != null) {
            before.flush();
        }
        fds.poll(nanos);
        RingWords made = ring; // perhaps since then
        if (made != null) {
            await(made, 0);
        }
    }

    /**
     * Looks without waiting. An owner's ring has marked what it is told of by the time that it is told, so that a ring
     * that watches the epoll set and is not marked says that there is nothing in it. A shared ring is told by the
     * thread that asked it to watch, at some time.
     */
    private void look(RingWords made) {
        boolean silent = owned && (watched & EPOLL_BIT) != 0;
        int events = await(made, 0);
        if (!fds.isEmpty() && !(silent && (events & EPOLL_BIT) == 0)) {
            fds.poll(0);
        }
    }

    private int await(RingWords made, long nanos) {
        int events = made.await(nanos);
        watched &= ~(events >> 16);
        if ((events & RingWords.TICKED) != 0) {
            reminded = true;
        }
        return events;
    }

    /** An owner's ring has a clock. Of a shared one, the clock would be one thread's, and go with it. */
    @Override
    public boolean remind(long nanos) {
        RingWords made = ring;
        if (made == null || !owned) {
            return false;
        }
        if ((watched & RingWords.TICKED) == 0) {
            made.tickAlways(nanos);
            watched |= RingWords.TICKED;
        }
        return true;
    }

    @Override
    public boolean takeReminder() {
        boolean taken = reminded;
        reminded = false;
        return taken;
    }

    private void watch(RingWords made) {
        if ((watched & EPOLL_BIT) == 0) {
            made.pollAlways(fds.fd(), RingWords.EPOLL_READY);
        }
        if ((watched & WAKEUP_BIT) == 0) {
            fds.wakeInSet(false);
            made.pollAlways(fds.wakeFd(), RingWords.WOKEN_UP);
        }
        watched |= BOTH;
    }
}
