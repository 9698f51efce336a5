package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

@SuppressWarnings("deprecation") // Netty's name for it
class ReceiveSizesTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ExtendedHandle handle = (ExtendedHandle) new ReceiveSizes().newHandle();

    /** A message comes, and is read until there is no more; returns in how many reads. */
    private int read(int message) {
        handle.reset(channel.config());
        int left = message;
        int reads = 0;
        int room;
        int came;
        do {
            room = handle.guess();
            handle.attemptedBytesRead(room);
            came = Math.min(room, left);
            handle.lastBytesRead(came);
            left -= came;
            reads++;
        } while (came == room);
        handle.readComplete();
        return reads;
    }

    @Test
    void messagesOfOneSizeComeToBeReadByOneReadIntoNotMuchMoreThanTheyNeed() {
        for (int message : new int[] {1, 64, 1000, 1024, 1500, 2048, 4096, 10_000, 16_384, 40_000}) {
            for (int i = 0; i < 40; i++) {
                read(message);
            }
            for (int i = 0; i < 100; i++) {
                assertEquals(1, read(message), "reads of " + message + " bytes");
            }
            assertTrue(handle.guess() <= Math.max(1024, 2 * message), message + ": " + handle.guess());
        }
    }

    @Test
    void aStreamIsReadByTheLargestReadsAfterFew() {
        assertTrue(read(1_000_000) <= 1_000_000 / 65_536 + 4);
        assertEquals(65_536, handle.guess());
    }

    @Test
    void aLargeMessageNowAndThenKeepsItsRoom() {
        for (int i = 0; i < 200; i++) {
            int reads = read(i % 10 == 0 ? 30_000 : 100);
            assertTrue(i < 20 || reads == 1, "reads of message " + i + ": " + reads);
        }
    }
}
