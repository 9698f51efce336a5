package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.NOTE_ABSTIME;
import static dev.knote.Kqueue.NOTE_NSECONDS;
import static dev.knote.Kqueue.NOTE_SECONDS;

import dev.knote.Interest;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Interests in the passing of time; what an event says is described at {@link TimerFilter}. Times are passed
 * on in nanoseconds, those of 292 years and more in seconds. Registering a negative one fails with EINVAL.
 * Any thread may call.
 *
 * <p>A timer's id is its ident: any number, one timer each in a queue. Those made without one have ids of
 * their own, from {@link Long#MIN_VALUE} up.
 *
 * <p>Contract: kqueue(2), EVFILT_TIMER.
 */
public final class Timer {
    private static final AtomicLong NEXT_ID = new AtomicLong(Long.MIN_VALUE);

    private static final long MOST_SECONDS = Long.MAX_VALUE / 1_000_000_000 - 1;

    private Timer() {}

    /** Once, when {@code delay} has passed since it was registered. */
    public static Interest after(Duration delay) {
        return after(NEXT_ID.getAndIncrement(), delay);
    }

    /** Once, when {@code delay} has passed since it was registered. */
    public static Interest after(long id, Duration delay) {
        return every(id, delay).oneShot();
    }

    /** Again and again, each time {@code period} has passed, without drift; a zero period is a nanosecond. */
    public static Interest every(Duration period) {
        return every(NEXT_ID.getAndIncrement(), period);
    }

    /** Again and again, each time {@code period} has passed, without drift; a zero period is a nanosecond. */
    public static Interest every(long id, Duration period) {
        return of(id, period, 0);
    }

    /** Once, when the wall clock shows {@code moment}; at once if it did already. */
    public static Interest at(Instant moment) {
        return at(NEXT_ID.getAndIncrement(), moment);
    }

    /** Once, when the wall clock shows {@code moment}; at once if it did already. */
    public static Interest at(long id, Instant moment) {
        Instant later = moment.isBefore(Instant.EPOCH) ? Instant.EPOCH : moment;
        return of(id, Duration.between(Instant.EPOCH, later), NOTE_ABSTIME).oneShot();
    }

    private static Interest of(long id, Duration time, int fflags) {
        boolean fits = time.getSeconds() >= -MOST_SECONDS && time.getSeconds() <= MOST_SECONDS;
        return Interest.of(EVFILT_TIMER, id)
                .fflags(fflags | (fits ? NOTE_NSECONDS : NOTE_SECONDS))
                .data(fits ? time.toNanos() : time.getSeconds());
    }
}
