package dev.knote.sync;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Knote;
import dev.knote.filters.Timer;
import dev.knote.filters.UserMem;
import dev.knote.words.Words;
import java.util.Objects;

/**
 * Waits for {@link JobTokens} in a queue, among whatever else is registered there. Call {@link #tryTake} for each job
 * that could start, until it says -1; from then on an event with the attachment comes when it is worth another try. An
 * event may come in vain. Who wants no more says so by {@link #cancel}, so that somebody else is woken.
 *
 * <p>It has one user: the thread that polls.
 */
public final class TokenWait implements AutoCloseable {
    private final JobTokens tokens;
    private final EventQueue queue;
    private final Object attachment;
    private final Interest look = Timer.after(JobTokens.LOOK);
    private Knote word;
    private Knote timer;
    private int ticket;

    TokenWait(JobTokens tokens, EventQueue queue, Object attachment) {
        this.tokens = tokens;
        this.queue = Objects.requireNonNull(queue, "JobTokens.waitIn: queue is null");
        this.attachment = attachment;
    }

    /** Takes a token if there is one, and waits no more; else -1, and the queue waits. */
    public int tryTake() {
        if (ticket != 0) {
            tokens.waiters().looks();
        }
        int token = tokens.tryTake();
        if (token < 0) {
            token = orWait();
        }
        if (token >= 0 && ticket != 0) {
            stop();
        }
        return token;
    }

    /** Waits no more. If a wake had come and no token was taken for it, another is woken. */
    public void cancel() {
        if (ticket != 0) {
            tokens.waiters().looks();
            stop();
        }
    }

    /** As {@link #cancel}, and nothing is left in the queue. */
    @Override
    public void close() {
        cancel();
        if (timer != null && queue.isOpen()) {
            timer.cancel();
        }
    }

    private int orWait() {
        int seen = Words.get(tokens.sequence());
        ticket = tokens.waiters().enter(ticket);
        tokens.lookIfDue();
        int token = tokens.tryTake();
        if (token < 0) {
            if (word == null || !word.isValid()) {
                word = queue.register(UserMem.int32(tokens.sequence(), seen).oneShot(), attachment);
            }
            if (timer == null || !timer.isValid()) {
                timer = queue.register(look, attachment);
            }
        }
        return token;
    }

    private void stop() {
        tokens.waiters().leave(ticket);
        ticket = 0;
        if (word != null && word.isValid() && queue.isOpen()) {
            word.cancel();
        }
        tokens.wakeNext();
    }
}
