package dev.knote.transport.socket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOutboundBuffer;
import java.nio.ByteBuffer;

/**
 * An array of struct iovec, filled from buffers that are outside the heap ({@link Buffers#isNative}). It is used again
 * and again by one loop. Give it to {@link ChannelOutboundBuffer#forEachFlushedMessage} after {@link #clear}.
 */
public final class IoVectors implements ChannelOutboundBuffer.MessageProcessor {
    private final long at;
    private final int room;
    private int count;
    private long bytes;
    private long maxBytes;
    private boolean whole;

    /** {@code at} is {@code room} times {@link Socket#IOVEC_SIZE} bytes, which the caller keeps. */
    public IoVectors(long at, int room) {
        this.at = at;
        this.room = Math.min(room, Socket.IOVEC_MAX);
    }

    /** Empties it. At most {@code limit} bytes will go in, but for a first buffer that is larger. */
    public void clear(long limit) {
        count = 0;
        bytes = 0;
        maxBytes = limit;
        whole = true;
    }

    /** Takes a ByteBuf's readable bytes; false if it is something else, or does not fit any more. */
    @Override
    public boolean processMessage(Object message) {
        whole = message instanceof ByteBuf buffer
                && add(buffer, buffer.readerIndex(), buffer.readableBytes());
        return whole;
    }

    /** Takes {@code length} bytes of the buffer, all or nothing of each of its pieces; false if not all of them. */
    public boolean add(ByteBuf buffer, int index, int length) {
        if (length == 0) {
            return true;
        }
        if (count == room) {
            return false;
        }
        if (Buffers.isNativePiece(buffer)) {
            return addPiece(Buffers.address(buffer, index, length), length);
        }
        for (ByteBuffer piece : buffer.nioBuffers(index, length)) {
            if (piece.hasRemaining() && !addPiece(Buffers.address(piece), piece.remaining())) {
                return false;
            }
        }
        return true;
    }

    private boolean addPiece(long address, int length) {
        if (count == room || count > 0 && maxBytes - length < bytes) {
            return false;
        }
        long entry = at + (long) count * Socket.IOVEC_SIZE;
        Memory.putLong(entry, address);
        Memory.putLong(entry + 8, length);
        count++;
        bytes += length;
        return true;
    }

    /** Whether each message since {@link #clear} was a ByteBuf and fitted. */
    public boolean isWhole() {
        return whole;
    }

    /** The address of the array. */
    public long address() {
        return at;
    }

    /** The address of the bytes of the first entry. */
    public long firstPiece() {
        return Memory.getLong(at);
    }

    /** How many entries are filled. */
    public int count() {
        return count;
    }

    /** The bytes of all of them. */
    public long bytes() {
        return bytes;
    }
}
