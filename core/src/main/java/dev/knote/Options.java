package dev.knote;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** How to open an {@link EventQueue}. Immutable; each method returns another one. */
public final class Options {
    private static final Options DEFAULTS = new Options(false, null, Duration.ZERO, List.of());

    private final boolean singleOwner;
    private final String poller;
    private final Duration spin;
    private final List<Filter> filters;

    private Options(boolean singleOwner, String poller, Duration spin, List<Filter> filters) {
        this.singleOwner = singleOwner;
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
        return new Options(true, poller, spin, filters);
    }

    /** The poller to take, {@code io_uring} or {@code epoll}; by default {@code -Dknote.poller}, or else the best. */
    public Options poller(String name) {
        return new Options(singleOwner, name, spin, filters);
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
        return new Options(singleOwner, poller, most, filters);
    }

    /** One more filter, by its own number, for this queue; the object belongs to the queue then. */
    public Options filter(Filter filter) {
        List<Filter> more = new ArrayList<>(filters);
        more.add(filter);
        return new Options(singleOwner, poller, spin, List.copyOf(more));
    }

    boolean isSingleOwner() {
        return singleOwner;
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
