package dev.knote;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** How to open an {@link EventQueue}. Immutable; each method returns another one. */
public final class Options {
    private static final Options DEFAULTS = new Options(false, false, null, Duration.ZERO, List.of());

    private final boolean singleOwner;
    private final boolean pollable;
    private final String poller;
    private final Duration spin;
    private final List<Filter> filters;

    private Options(
            boolean singleOwner, boolean pollable, String poller, Duration spin, List<Filter> filters) {
        this.singleOwner = singleOwner;
        this.pollable = pollable;
        this.poller = poller;
        this.spin = spin;
        this.filters = filters;
    }

    /** For any number of threads, the best poller, no spinning, the built-in filters. */
    public static Options defaults() {
        return DEFAULTS;
    }

    /**
     * One thread waits, the first that uses the queue; what others ask is posted to it. Nothing is locked. For event
     * loops.
     */
    public Options singleOwner() {
        return new Options(true, pollable, poller, spin, filters);
    }

    /**
     * Code that does not know of the queue may wait for its events, by poll(2), select(2) or epoll of
     * {@link EventQueue#fd}, as on BSD: another event loop, native code. The fd is readable while a call that does not
     * wait would return an event, whatever kind it is of, and no longer once a call has found none. It is also readable
     * <ul>
     * <li>after level-triggered events were returned: until the queue is asked again, nobody knows whether they still
     * hold (BSD does the same);
     * <li>after something that a filter has to be asked about, and that turns out to be no event: bytes come, and fewer
     * than NOTE_LOWAT; or they come for a knote that is disabled, or are gone again;
     * <li>while a single owner has something to do that others have posted to him;
     * <li>for a moment, when a thread ends that has armed a word, and its wait is handed on.
     * </ul>
     * The next call ends this as well. So who waits for the fd asks the queue without waiting, whenever it is readable.
     * {@link EventQueue#wakeup} is no event, and memory that goes under a word is found by the next call only.
     *
     * <p>It takes some more fds, and a system call when the first event comes, when the last is taken, and when the next
     * deadline changes. Words of a queue with a single owner are waited for in the way of a shared one. An epoll set of
     * others that watches the queue may have two sets above it, not three.
     */
    public Options pollable() {
        return new Options(singleOwner, true, poller, spin, filters);
    }

    /** The poller to take, {@code io_uring} or {@code epoll}; by default {@code -Dknote.poller}, or else the best. */
    public Options poller(String name) {
        return new Options(singleOwner, pollable, name, spin, filters);
    }

    /**
     * Before it sleeps, a thread looks for events for at most {@code most}, awake. It does so only with two processors
     * or more, less long or not at all if that is seen to be in vain, and not if whoever woke it last ran on its own
     * processor. A good bound is some microseconds: about what going to sleep and waking up costs; or, for who knows of
     * events that keep coming and has a processor for them, several times their distance.
     *
     * @throws KeventException EINVAL: it is negative
     */
    public Options spin(Duration most) {
        long ignored = Arguments.nanos("spin", Objects.requireNonNull(most));
        return new Options(singleOwner, pollable, poller, most, filters);
    }

    /** One more filter, by its own number, for this queue; the object belongs to the queue then. */
    public Options filter(Filter filter) {
        List<Filter> more = new ArrayList<>(filters);
        more.add(filter);
        return new Options(singleOwner, pollable, poller, spin, List.copyOf(more));
    }

    boolean isSingleOwner() {
        return singleOwner;
    }

    boolean isPollable() {
        return pollable;
    }

    String pollerName() {
        return poller;
    }

    Duration spinning() {
        return spin;
    }

    List<Filter> filters() {
        return filters;
    }
}
