package dev.knote.transport;

import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * How large a connection's buffers to receive into are. A buffer that is filled to its end costs another read, and a
 * large one, which allocators do not keep, its memory each time: so it is as large as what came of late, and somewhat
 * larger.
 */
@SuppressWarnings("deprecation") // Netty's name for it
final class ReceiveSizes extends DefaultMaxMessagesRecvByteBufAllocator {
    private static final int LEAST = 1024;
    private static final int FIRST = 2048;
    private static final int MOST = 65_536;
    private static final int MOST_SPARE = 512;
    /** A connection's buffers shrink to what its last so many reads needed. */
    private static final int MEMORY = 16;

    @Override
    public Handle newHandle() {
        return new Guess();
    }

    /** A size that is larger than {@code bytes}: a power of two, or a little more than one, as allocators have them. */
    static int above(int bytes) {
        if (bytes < LEAST) {
            return LEAST;
        }
        int power = Integer.highestOneBit(bytes);
        int spacious = power + Math.min(MOST_SPARE, power / 16);
        return Math.min(MOST, bytes < spacious ? spacious : 2 * power);
    }

    private final class Guess extends MaxMessageHandle {
        private int size = FIRST;
        private int largest;
        private int reads;

        @Override
        public int guess() {
            return size;
        }

        @Override
        public void lastBytesRead(int bytes) {
            super.lastBytesRead(bytes);
            if (bytes > 0 && bytes >= attemptedBytesRead()) {
                size = Math.min(MOST, Math.max(size, 4 * Math.min(bytes, MOST)));
                largest = 0;
                reads = 0;
            } else if (bytes > largest) {
                largest = bytes;
            }
        }

        @Override
        public void readComplete() {
            if (++reads >= MEMORY) {
                size = Math.min(size, above(largest));
                largest = 0;
                reads = 0;
            }
        }
    }
}
