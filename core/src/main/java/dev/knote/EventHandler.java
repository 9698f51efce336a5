package dev.knote;

/** Takes the events of {@link EventQueue#poll}. It may call the queue, and may close it. */
@FunctionalInterface
public interface EventHandler {
    /** Takes one event, which is good until this returns. */
    void handle(Event event);
}
