package dev.knote;

/** Takes the events of {@link EventQueue#poll}. It may call the queue, and may close it. */
@FunctionalInterface
public interface EventHandler {
    /** Takes one event, which is good until this returns. */
    void handle(Event event);

    /**
     * Takes an edge of an fd for whose knote its filter has asked for edges ({@link FilterKnote#watchEdges}); if none has,
     * this is not called. Edges come in the order in which the kernel told them, after the events that the same poll
     * returns: no order is promised between an edge and another fd's event. An edge of a knote that is deleted, of an fd
     * that is closed or watched anew by then, does not come any more. What was not taken yet when this throws is left to
     * the next poll.
     *
     * @param target what the filter has given for the fd
     * @param events EPOLL* bits: the whole readiness of the fd when the kernel told it
     */
    default void edge(Object target, int events) {
        throw new UnsupportedOperationException("an edge for " + target + ": this handler takes events only");
    }
}
