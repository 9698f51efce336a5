package dev.knote.poll;

import dev.knote.linux.Classes;
import dev.knote.linux.Errno;
import dev.knote.linux.Futex;
import dev.knote.linux.Signals;
import dev.knote.linux.ThreadExit;
import dev.knote.linux.Threads;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Chooses a poller by trying, best first: {@code io_uring}, {@code epoll}. The place of a portable one over NIO is
 * after them. What was tried is kept, with the reason why it was not taken. {@code -Dknote.poller=NAME} leaves no
 * choice.
 */
public final class Pollers {
    /** The system property that forces a poller. */
    public static final String PROPERTY = "knote.poller";

    private static final class Tried {
        /** By name: null if it can be taken, else why not. */
        static final Map<String, String> REASONS = tryAll();

        private static Map<String, String> tryAll() {
            Classes.load(RingWords.class, Keeper.class, FirstArming.class, ThreadExit.class);
            Classes.load(SleeperWords.class, Sleeper.class, Signals.class, Threads.class, Futex.class);
            Map<String, String> reasons = new LinkedHashMap<>();
            reasons.put(UringPoller.NAME, reasonAgainstRing());
            reasons.put(EpollPoller.NAME, null);
            return reasons;
        }
    }

    private Pollers() {}

    /** The poller names, best first, each with the reason why it can't be taken here, or null if it can. */
    public static Map<String, String> reasons() {
        return java.util.Collections.unmodifiableMap(Tried.REASONS);
    }

    /** How words are waited for where there is no ring. */
    public static String sleeping() {
        return Signals.hasFutexWaitv() ? "futex_waitv" : "futex";
    }

    /**
     * Opens the best poller that there is.
     *
     * @param owned whether one thread alone will use it
     * @param pollable whether {@link Poller#fd} and {@link Poller#wordFd} are to be readable for nothing but fds and words
     *     that {@link Poller#poll} would find
     * @param name the poller to take, or null for the one that the property names, or else the best
     */
    public static Poller open(boolean owned, boolean pollable, String name) {
        String wanted = name != null ? name : System.getProperty(PROPERTY);
        if (wanted == null || wanted.isEmpty()) {
            wanted = Tried.REASONS.get(UringPoller.NAME) == null ? UringPoller.NAME : EpollPoller.NAME;
        } else if (!Tried.REASONS.containsKey(wanted)) {
            throw new IllegalArgumentException(
                    PROPERTY + " is " + wanted + ": expected one of " + Tried.REASONS.keySet());
        } else if (Tried.REASONS.get(wanted) != null) {
            throw new IllegalStateException(
                    "the poller " + wanted + " can't be had here: " + Tried.REASONS.get(wanted));
        }
        return wanted.equals(UringPoller.NAME) ? new UringPoller(owned, pollable) : new EpollPoller(pollable);
    }

    /** Arms a wait on a word that differs: a ring that answers as it should is one that works. */
    private static String reasonAgainstRing() {
        RingWords words;
        try {
            words = new RingWords(UringPoller.openRing(true), true);
        } catch (PollException e) {
            return e.getMessage();
        }
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            int[] answer = {0};
            WordWait probe = new WordWait() {
                @Override
                protected void ended(int result) {
                    answer[0] = result;
                }

                @Override
                protected boolean matches() {
                    return true;
                }

                @Override
                protected int peek() {
                    return 0;
                }

                @Override
                protected boolean isWide() {
                    return false;
                }
            };
            probe.target(arena.allocate(8, 8).address(), 1);
            words.arm(probe);
            words.flush();
            return answer[0] == -Errno.EAGAIN ? null
                    : "FUTEX_WAIT answers " + answer[0] + " instead of -EAGAIN";
        } catch (PollException e) {
            return e.getMessage();
        } finally {
            words.close();
        }
    }
}
