package dev.knote.kfutex;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.Options;
import dev.knote.linux.Errno;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Delivers the events of a queue of its own into an {@link EventRing}, by a daemon thread, {@code knote-feed}, until
 * {@link #close}. An event is the {@code struct kevent} that kevent(2) returns; its {@code udata} is the number given at
 * registration, by which consumers know it (ident is an fd, or an address, of this process).
 *
 * <p><b>Level triggered</b> interests are taken with EV_CLEAR: an arrival is an event, once, however slow the consumers
 * are. EV_ONESHOT and EV_DISPATCH are as ever.
 *
 * <p><b>When the ring is full</b>: {@link Full#WAIT} leaves events in the queue, where each knote has one at most, which
 * grows as kqueue's do (a timer counts, bytes add up), until half of the ring is free. Nothing is lost; {@link
 * EventRing#stalls} counts. {@link Full#DROP} drops what comes then, counts it and puts a record of it into the ring
 * first thing when there is room. Knotes of which an event was dropped are asked again then, every 10 ms: what still
 * holds of an fd is reported again, USER and USERMEM fire again, a timer fires with its next period; an EV_ONESHOT event is
 * lost, which the record says.
 *
 * <p>While there are events in the ring, the feed looks every 100 ms whether somebody sleeps all the same: a consumer that
 * was woken may have been killed before it took anything.
 *
 * <p>If the ring's memory goes, or is corrupted, the feed ends: {@link #errno}. Any thread may call anything.
 */
public final class EventFeed implements AutoCloseable {
    private static final int BATCH = 64;
    private static final Duration TICK = Duration.ofMillis(100);
    private static final Duration SOON = Duration.ofMillis(10);
    private static final long BREATH_NANOS = 1_000_000;
    private static final int UDATA = 24;

    private final EventRing ring;
    private final Full full;
    private final EventQueue queue;
    private final Thread thread;
    private final KeventList events = KeventList.allocate(BATCH);
    private final Set<Source> missed = new LinkedHashSet<>();
    private volatile int errno;

    /** What to do when the ring is full. */
    public enum Full {
        /** Events stay in the queue until there is room. */
        WAIT,
        /** Events are dropped, counted and reported. */
        DROP
    }

    /** A knote's attachment. */
    private static final class Source {
        final long udata;
        final Interest interest;
        volatile Knote knote;

        Source(Interest interest, long udata) {
            this.interest = interest;
            this.udata = udata;
        }

        @Override
        public String toString() {
            return "udata " + udata;
        }
    }

    /** Begins to feed a ring made by {@link EventRing#create}, which nobody else puts anything into. */
    public EventFeed(EventRing ring, Full full) {
        this(ring, full, Options.defaults());
    }

    /** With options for its queue. */
    public EventFeed(EventRing ring, Full full, Options options) {
        this.ring = Objects.requireNonNull(ring, "EventFeed: ring is null");
        this.full = Objects.requireNonNull(full, "EventFeed: full is null: expected Full.WAIT or Full.DROP");
        queue = EventQueue.open(options);
        thread = Thread.ofPlatform().daemon().name("knote-feed").start(this::feed);
    }

    /** Registers an interest, as {@link EventQueue#register}; EBADF when the feed has ended. */
    public Knote register(Interest interest, long udata) {
        Objects.requireNonNull(interest, "EventFeed.register: interest is null");
        boolean level = (interest.flags() & (EV_ONESHOT | EV_DISPATCH | EV_CLEAR)) == 0;
        Source source = new Source(interest, udata);
        Knote knote = queue.register(level ? interest.clear() : interest, source);
        source.knote = knote;
        return knote;
    }

    /** Why the feed has ended by itself: EFAULT if the ring's memory is gone, EINVAL if it was corrupted; else 0. */
    public int errno() {
        return errno;
    }

    /** Ends the feed and its knotes, and closes the ring; what found no room till now is dropped and counted. */
    @Override
    public void close() {
        queue.close();
        unlessGone(ring::stop);
        boolean interrupted = false;
        while (thread.isAlive() && thread != Thread.currentThread()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        unlessGone(ring::close);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void feed() {
        while (queue.isOpen()) {
            Thread.interrupted(); // nobody has reason to
            try {
                deliver(retrieve(!missed.isEmpty() ? SOON : ring.isEmpty() ? null : TICK));
            } catch (IllegalStateException | InternalError gone) {
                end(Errno.EFAULT);
            } catch (KeventException broken) {
                end(broken.errno());
            }
        }
    }

    private int retrieve(Duration timeout) {
        try {
            return queue.kevent(null, 0, events, BATCH, timeout);
        } catch (RuntimeException | Error broken) { // closed; or a filter of others threw
            if (queue.isOpen()) {
                LockSupport.parkNanos(BREATH_NANOS);
            }
            return 0;
        }
    }

    private void deliver(int n) {
        for (int i = 0; i < n; i++) {
            events.memory().set(ValueLayout.JAVA_LONG, (long) i * KeventList.ENTRY_SIZE + UDATA,
                    ((Source) events.udata(i)).udata);
        }
        int done = ring.put(events, 0, n);
        while (done < n && full == Full.WAIT && ring.awaitRoom(null)) {
            done += ring.put(events, done, n - done);
        }
        if (done < n) {
            for (int i = done; i < n; i++) {
                miss((Source) events.udata(i));
            }
            ring.drop(n - done);
        }
        if (n == 0) {
            ring.remind();
        }
        if (!missed.isEmpty() && ring.hasRoom()) {
            missed.removeIf(this::ask);
        }
    }

    private void miss(Source source) {
        if ((source.interest.flags() & EV_ONESHOT) == 0) {
            missed.add(source);
        }
    }

    /** Has a knote report again what holds; false if that is to be tried later. */
    private boolean ask(Source source) {
        Knote knote = source.knote;
        if (knote == null) {
            return false; // its registration is about to return
        }
        try {
            switch (source.interest.filter()) {
                case EVFILT_TIMER -> {} // fires by itself
                case EVFILT_USER, EVFILT_USERMEM -> knote.trigger();
                default -> knote.update(source.interest.fflags(), source.interest.data());
            }
        } catch (KeventException gone) {
            // it is there no more
        }
        return true;
    }

    private void end(int why) {
        if (queue.isOpen()) {
            queue.close();
            errno = why;
        }
    }

    private static void unlessGone(Runnable step) {
        try {
            step.run();
        } catch (IllegalStateException | InternalError | KeventException gone) {
            // there is nobody to tell
        }
    }
}
