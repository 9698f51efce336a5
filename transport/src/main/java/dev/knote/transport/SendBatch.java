package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.SendRing;
import io.netty.channel.ChannelOutboundBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the channels of a loop have flushed while they read in a turn, sent at its end by one entry into the kernel for
 * all of them. That saves system calls, and on a busy processor more: a peer that is woken by a send does not run before
 * the last of them.
 * The kernel has nothing of it before the sending and nothing after: a channel that closes first just sends by itself.
 * If the turn takes long, another thread sends: {@link SendWatch}.
 *
 * <p>Where there is no ring nothing is postponed.
 */
final class SendBatch {
    private static final Logger LOG = LoggerFactory.getLogger(SendBatch.class);
    /** How long the first have to wait for the others' handlers. */
    private static final long MOST_NANOS = 500_000;
    private static final int LOOK_AT_THE_CLOCK_EVERY = 4;

    private final AbstractKnoteStreamChannel[] channels = new AbstractKnoteStreamChannel[SendRing.MOST];
    private final int[] numbers = new int[SendRing.MOST];
    /** What they have to send; made when it is needed first. */
    private PostponedSends sends;
    private SendRing ring;
    private boolean hasNoRing;
    private boolean open;
    private boolean finishing;
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
        open = !hasNoRing && (sends == null || !sends.isDistrusted());
    }

    void endReading() {
        open = false;
    }

    boolean isReading() {
        return open;
    }

    /** Whether {@link #add} may be called. */
    boolean isOpen() {
        return open && count < channels.length && (count == 0 || !sends.isSentByWatch());
    }

    /** Returns the channel's place, or -1 if it has too much to send. */
    int add(AbstractKnoteStreamChannel channel, ChannelOutboundBuffer out) throws Exception {
        int place = count;
        if (sends == null && !beginWatching() || !sends.describe(place, channel.fdValue(), out)) {
            return -1;
        }
        channels[place] = channel;
        count++;
        sends.publish(count);
        if (count == 2) { // looking at the clock costs as much as all else here: not for a channel alone
            since = System.nanoTime();
        }
        return place;
    }

    private boolean beginWatching() {
        var made = new PostponedSends();
        try {
            SendWatch.add(made);
            sends = made;
        } catch (Throwable t) { // there is no thread to be had
            LOG.warn("nothing is postponed, as nobody watches over it", t);
            made.close();
            open = false;
            hasNoRing = true;
        }
        return sends != null;
    }

    /** More was flushed; false if it can't wait with the rest. */
    boolean addMore(int place, AbstractKnoteStreamChannel channel, ChannelOutboundBuffer out)
            throws Exception {
        return open && sends.describeAgain(place, channel.fdValue(), out);
    }

    /** Takes a channel out; returns what was sent of what it had, or -errno, or {@link PostponedSends#NOT_SENT}. */
    int remove(int place) {
        channels[place] = null;
        return finishing ? sends.result(place) : sends.take(place);
    }

    /** How many bytes the channel at a place wanted to send. */
    int bytes(int place) {
        return sends.bytes(place);
    }

    /** Whether it was another thread that sent them, and how much room it has found is not known any more. */
    boolean isSentByWatch(int place) {
        return sends.isSentByWatch(place);
    }

    /** Whether those who wait should not wait any longer. */
    boolean isDue() {
        return count == channels.length
                || count > 0 && (sends.isSentByWatch() || count % LOOK_AT_THE_CLOCK_EVERY == 0
                        && System.nanoTime() - since > MOST_NANOS);
    }

    /** Sends all; what is flushed from now on leaves at once. Not in the middle of a channel's flush. */
    void finish() {
        open = false;
        if (count == 0) {
            return;
        }
        sends.takeAll();
        finishing = true;
        if (count > 1) {
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
        finishing = false;
        sends.reset();
    }

    private void submit() {
        boolean given = false;
        try {
            if (!hasRing()) {
                return;
            }
            for (int i = 0; i < count; i++) {
                numbers[i] = channels[i] == null ? -1 : sends.prepare(i, ring);
            }
            given = true;
            ring.submit();
            for (int i = 0; i < count; i++) {
                if (numbers[i] >= 0) {
                    sends.sent(i, ring.result(numbers[i]));
                }
            }
        } catch (Throwable t) {
            LOG.warn("nothing is postponed any more, as the ring to send by threw", t);
            giveUpRing(given);
        }
    }

    /** What was given to the ring may have been sent, or not: nobody may send it again, and its channel fails. */
    private void giveUpRing(boolean given) {
        for (int i = 0; given && i < count; i++) {
            if (numbers[i] >= 0 && sends.result(i) == PostponedSends.NOT_SENT) {
                sends.sent(i, -Errno.EIO);
            }
        }
        dropRing();
    }

    /** It has thrown, and nobody uses it again. */
    void dropRing() {
        hasNoRing = true;
        SendRing broken = ring;
        ring = null;
        try {
            if (broken != null) {
                broken.close();
            }
        } catch (Throwable t) {
            LOG.debug("nor could it be closed", t);
        }
    }

    /** The ring, which is nobody's while nothing is prepared in it; null if there is none. */
    SendRing ring() {
        return hasRing() ? ring : null;
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
        if (sends != null) {
            SendWatch.remove(sends);
            sends.close();
            sends = null;
        }
        if (ring != null) {
            ring.close();
            ring = null;
        }
    }
}
