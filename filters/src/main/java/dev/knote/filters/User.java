package dev.knote.filters;

import static dev.knote.Kqueue.EVFILT_USER;

import dev.knote.Interest;

/**
 * Interests in events that the program triggers itself; how, and what an event says, is described at
 * {@link UserFilter}. Any thread may call.
 *
 * <p>Contract: kqueue(2), EVFILT_USER.
 */
public final class User {
    private User() {}

    /** The user event {@code id}: any number, one knote each in a queue. */
    public static Interest of(long id) {
        return Interest.of(EVFILT_USER, id);
    }
}
