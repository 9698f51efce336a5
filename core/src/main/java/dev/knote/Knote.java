package dev.knote;

/**
 * A registration of a filter for an ident with a queue, as {@link java.nio.channels.SelectionKey} is one of a channel
 * with a selector. Any thread may use it; on a queue with a single owner, calls of other threads are posted to the
 * owner and take effect when it next polls.
 *
 * <p>A knote ends by {@link #cancel()}, by its EV_ONESHOT delivery, by the close of its fd or of its queue. All but
 * {@link #cancel()} and the questions throw ENOENT then.
 *
 * <p>{@link #enable()}, {@link #disable()} and {@link #trigger()} leave attachment, fflags and data as they are.
 */
public interface Knote {
    /** What is watched. */
    long ident();

    /** The filter's number, {@code EVFILT_*}. */
    int filter();

    /** The object given at registration, or by the last change that replaced it. */
    Object attachment();

    /** Whether the knote is still registered. */
    boolean isValid();

    /** Delivers events again; what happened while it was disabled is delivered now, if it still holds. */
    void enable();

    /** Delivers no events until {@link #enable()}. */
    void disable();

    /** Triggers the knote ({@code NOTE_TRIGGER}); for filters that have this, such as USER. */
    void trigger();

    /** A change of the knote without EV_ADD: {@code fflags} and {@code data} go to the filter. */
    void update(int fflags, long data);

    /** Ends the registration. No event of it is delivered by a poll that begins afterwards. */
    void cancel();
}
