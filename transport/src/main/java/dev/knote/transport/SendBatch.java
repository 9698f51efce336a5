package dev.knote.transport;

import dev.knote.transport.socket.SendRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the channels of a loop have flushed while they read in a turn, sent at its end by one entry into the kernel for
 * all of them. That saves system calls, and on a busy processor more: a peer that is woken by a send does not run before
 * the last of them.
 * The kernel has nothing of it before the sending and nothing after: a channel that closes first just sends by itself.
 *
 * <p>Where there is no ring nothing is postponed.
 */
final class SendBatch {
    private static final Logger LOG = LoggerFactory.getLogger(SendBatch.class);
    /** How long the first have to wait for the others' handlers. */
    private static final long MOST_NANOS = 500_000;
    private static final int LOOK_AT_THE_CLOCK_EVERY = 4;

    private final AbstractKnoteStreamChannel[] channels = new AbstractKnoteStreamChannel[SendRing.MOST];
    private SendRing ring;
    private boolean hasNoRing;
    private boolean open;
    private int count;
    private long since;

    /** The ring is made when it is needed first. */
    SendBatch(boolean hasRing) {
        hasNoRing = !hasRing;
    }

    /**
     * Some channel of the loop begins to read. What is flushed otherwise, when a channel becomes active, say, leaves at
     * once: there are handlers that then wait for the answer.
     */
    void beginReading() {
        open = !hasNoRing;
    }

    void endReading() {
        open = false;
    }

    boolean isReading() {
        return open;
    }

    /** Whether {@link #add} may be called. */
    boolean isOpen() {
        return open && count < channels.length;
    }

    void add(AbstractKnoteStreamChannel channel) {
        channels[count++] = channel;
        if (count == 2) { // looking at the clock costs as much as all else here: not for a channel alone
            since = System.nanoTime();
        }
    }

    void remove(AbstractKnoteStreamChannel channel) {
        for (int i = 0; i < count; i++) {
            if (channels[i] == channel) {
                channels[i] = null;
            }
        }
    }

    /** Whether those who wait should not wait any longer. */
    boolean isDue() {
        return count == channels.length
                || count > 0 && count % LOOK_AT_THE_CLOCK_EVERY == 0
                        && System.nanoTime() - since > MOST_NANOS;
    }

    /** Sends all; what is flushed from now on leaves at once. Not in the middle of a channel's flush. */
    void finish() {
        open = false;
        if (count > 1 && hasRing()) {
            submit();
        }
        for (int i = 0; i < count; i++) {
            AbstractKnoteStreamChannel channel = channels[i];
            channels[i] = null;
            if (channel != null) { // or else it could not wait
                try {
                    channel.endTurn();
                } catch (Throwable t) {
                    LOG.warn("{} threw when it sent", channel, t);
                }
            }
        }
        count = 0;
    }

    private void submit() {
        for (int i = 0; i < count; i++) {
            try {
                if (channels[i] != null) {
                    boolean ignored = channels[i].writer().prepare(ring);
                }
            } catch (Exception e) {
                LOG.debug("{} sends by itself", channels[i], e);
            }
        }
        ring.submit();
    }

    private boolean hasRing() {
        if (ring == null && !hasNoRing) {
            ring = SendRing.open();
            hasNoRing = ring == null;
            if (hasNoRing) {
                LOG.debug("no ring to send by: each channel sends by itself");
            }
        }
        return ring != null;
    }

    void close() {
        open = false;
        hasNoRing = true;
        if (ring != null) {
            ring.close();
            ring = null;
        }
    }
}
