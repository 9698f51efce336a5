package dev.knote.transport.socket;

import java.net.InetSocketAddress;

/**
 * The last peer of a datagram socket. Who talks to one peer for a while has its address made once, and an answer to it
 * is written without asking the address for its bytes, which are a new array each time.
 */
public final class PeerAddress {
    private static final int WORDS = 28 / Integer.BYTES;

    private final int[] raw = new int[WORDS];
    private int length;
    private InetSocketAddress address;

    /** As {@link Addresses#decodeInet}; {@code bytes} is 16 or 28. */
    public InetSocketAddress decode(long at, int bytes) {
        if (bytes != length || !isSame(at)) {
            keep(Addresses.decodeInet(at), at, bytes);
        }
        return address;
    }

    private boolean isSame(long at) {
        for (int i = 0; i < length / Integer.BYTES; i++) {
            if (Memory.getInt(at + (long) i * Integer.BYTES) != raw[i]) {
                return false;
            }
        }
        return true;
    }

    /** As {@link Addresses#encode(InetSocketAddress, int, long)}. */
    public int encode(InetSocketAddress peer, int family, long at) {
        if (peer != address) {
            keep(peer, at, Addresses.encode(peer, family, at));
            return length;
        }
        for (int i = 0; i < length / Integer.BYTES; i++) {
            Memory.putInt(at + (long) i * Integer.BYTES, raw[i]);
        }
        return length;
    }

    private void keep(InetSocketAddress peer, long at, int bytes) {
        address = null; // if the rest fails
        length = bytes;
        for (int i = 0; i < bytes / Integer.BYTES; i++) {
            raw[i] = Memory.getInt(at + (long) i * Integer.BYTES);
        }
        address = peer;
    }
}
