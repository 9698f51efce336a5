package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.SendRing;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections of a loop that edges have made readable in a turn: the kernel is entered once to receive from all of them,
 * then one after the other reads, and finds what came. As with {@link SendBatch} the kernel has nothing of their memory
 * before and after. What was received is the channel's own, whatever the handlers of the others do to it before it reads:
 * closed, it drops it; on another loop, or when it wants to read again, it reads that first.
 *
 * <p>Where there is no ring, or one connection alone, it is received when it is read.
 */
final class ReceiveBatch {
    private static final Logger LOG = LoggerFactory.getLogger(ReceiveBatch.class);

    private final LoopResources loop;
    private final AbstractKnoteStreamChannel[] channels = new AbstractKnoteStreamChannel[SendRing.MOST];
    private final int[] numbers = new int[SendRing.MOST];
    private int count;
    private boolean running;

    ReceiveBatch(LoopResources loop) {
        this.loop = loop;
    }

    /** Has the channel read at the end of the turn, or when there are enough of them; false if it is to do so at once. */
    boolean add(AbstractKnoteStreamChannel channel) {
        if (running) {
            return false;
        }
        channels[count++] = channel;
        if (count == channels.length) {
            run();
        }
        return true;
    }

    /** Receives, and has those read who were added, if they are still here and want to. */
    void run() {
        if (count == 0 || running) {
            return;
        }
        running = true;
        try {
            SendRing ring = count > 1 ? loop.sends().ring() : null;
            if (ring != null) {
                receive(ring);
            }
            for (int i = 0; i < count; i++) {
                read(channels[i]);
                channels[i] = null;
            }
        } finally {
            count = 0;
            running = false;
        }
    }

    private void read(AbstractKnoteStreamChannel channel) {
        try {
            channel.readIfHere(loop);
        } catch (Throwable t) {
            LOG.warn("{} threw when it read", channel, t);
        }
        loop.afterEvent();
    }

    private void receive(SendRing ring) {
        Arrays.fill(numbers, 0, count, -1);
        boolean given = false;
        try {
            for (int i = 0; i < count; i++) {
                numbers[i] = channels[i].prepareReceive(loop, ring);
            }
            given = true;
            ring.submit();
            for (int i = 0; i < count; i++) {
                if (numbers[i] >= 0) {
                    channels[i].received(ring.result(numbers[i]));
                    numbers[i] = -1;
                }
            }
        } catch (Throwable t) {
            LOG.warn("nothing is received together any more, as the ring threw", t);
            giveUpRing(given);
        }
    }

    /** What was given to the ring may have been received, and is lost then: its channel fails. */
    private void giveUpRing(boolean given) {
        loop.sends().dropRing();
        for (int i = 0; i < count; i++) {
            if (numbers[i] >= 0) {
                channels[i].received(given ? -Errno.EIO : SendRing.NOT_DONE);
            }
        }
    }
}
