package dev.knote;

/**
 * A kind of event: kqueue's {@code struct filterops}. A filter is one class; a queue has one instance of it, so fields
 * of a filter are state of that queue. What it keeps for one knote is in {@link FilterKnote#hook()}.
 *
 * <p><b>Who calls.</b> The queue, on whichever thread called it. For one knote at most one of the methods below runs
 * at a time, each sees what the last one wrote, and the queue holds no lock while they run: two knotes of one filter
 * are served at once by two threads unless the queue has a single owner.
 *
 * <p><b>What may block.</b> Nothing: no I/O that waits, no lock that is held over I/O, no call into a queue. A system
 * call that returns at once is fine. {@link FilterKnote#activate()} may be called by any thread at any time.
 *
 * <p><b>Errors.</b> {@link #attach}, {@link #touch} and {@link #anon} refuse a change with a {@link KeventException};
 * the knote is then as it was before (an attach that throws leaves no knote; {@link #detach} is not called for it, so
 * it takes back by itself what it had taken).
 *
 * <p><b>Waiting</b> is done by four primitives of the knote: {@link FilterKnote#watchFd readiness of an fd},
 * {@link FilterKnote#arm a word of memory}, {@link FilterKnote#deadline a deadline} and
 * {@link FilterKnote#activate activation by hand}. Each of them ends in the knote being put on the queue's list and
 * {@link #event} being asked. What a knote still has armed when it goes is taken back by the queue.
 *
 * <p>Contract: {@code struct filterops} of FreeBSD's sys/event.h, with {@code f_attach}, {@code f_detach},
 * {@code f_event}, {@code f_touch} and the anonymous operation of EVFILT_USERMEM.
 */
public interface Filter extends AutoCloseable {
    /** The filter's number, {@code EVFILT_*}: negative; the built-in ones use -1 to -14, others use -100 and below. */
    int number();

    /** The filter's name in messages, such as {@code "EVFILT_USER"}. */
    String name();

    /** Whether an ident is a file descriptor, so that closing that ends its knote ({@code f_isfd}). */
    default boolean isFd() {
        return false;
    }

    /**
     * Takes a new knote: checks what the change asks for, remembers it and starts to wait. The knote already has the
     * change's {@code flags}, {@code fflags} (as {@link FilterKnote#savedFflags()}), {@code data} and {@code ext}. A
     * filter whose events are always cleared on delivery sets {@code EV_CLEAR} in {@link FilterKnote#flags(int)}. The
     * queue asks {@link #event} right after, so a condition that already holds is reported; but not if the knote watches
     * its ident as an fd ({@link FilterKnote#watchFd}): one that is ready is activated by that.
     */
    void attach(FilterKnote knote, Kevent change);

    /**
     * Ends what {@link #attach} began. What the knote still had armed has been, or will be, taken back by the queue. If
     * the thing watched was gone before, {@link FilterKnote#gone()} makes an EV_DELETE answer ENOENT.
     */
    default void detach(FilterKnote knote) {}

    /**
     * Whether the condition holds now. Asked after a change, and before delivery: an event is only returned if this
     * says true at that moment. Sets {@link FilterKnote#data(long)}, {@link FilterKnote#fflags(int)},
     * {@link FilterKnote#eof(boolean)}, {@link FilterKnote#error(int)} as they are to be reported.
     */
    boolean event(FilterKnote knote);

    /**
     * Takes a change of a knote that exists (EV_ADD again, or any change without EV_DELETE): {@code f_touch} with
     * EVENT_REGISTER. By default the change's fflags and data take the place of the saved ones. {@code udata} and
     * enabling are the queue's business and not looked at here.
     */
    default void touch(FilterKnote knote, Kevent change) {
        knote.savedFflags(change.fflags());
        knote.savedData(change.data());
    }

    /**
     * Called once for each event returned, after {@link #event} said true, before the user sees it: {@code f_touch}
     * with EVENT_PROCESS. {@code event} is filled in; it may be changed. By default a knote with EV_CLEAR has its data
     * and fflags reset. A word armed here (and a wake posted from then on) belongs to the next event.
     */
    default void deliver(FilterKnote knote, Kevent event) {
        if ((knote.flags() & Kqueue.EV_CLEAR) != 0) {
            knote.data(0);
            knote.fflags(0);
        }
    }

    /**
     * The word that {@link #deliver} armed was no longer the one expected when that came into effect, so that nothing
     * is armed. The filter reads it again, arms it again, and brings the event, which has not been returned yet, up to
     * date: a wake that may have come in between is part of it.
     */
    default void settle(FilterKnote knote, Kevent event) {}

    /**
     * An operation that has no knote ({@code EV_ANON}). By default it is refused with EINVAL.
     *
     * @param memory where the words given to this queue are looked up
     */
    default void anon(Kevent change, WordMemory memory) {
        throw new KeventException(
                dev.knote.linux.Errno.EINVAL,
                "kevent: ident " + change.ident() + ", " + name()
                        + ": EV_ANON is not an operation of this filter");
    }

    /** The queue is closed; every knote has been detached. */
    @Override
    default void close() {}
}
