package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.IoVectors;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.FileRegion;
import java.io.IOException;

/** Writes what a connection has to send, and notes when there is no more room. */
final class StreamWriter {
    private static final int TUNING_THRESHOLD = 4096;
    private static final int LITTLE = 64 * 1024;
    private static final int NONE = -1;

    private final AbstractKnoteStreamChannel channel;
    private FileWriter files;
    /** Where in {@link SendBatch} stands what was postponed, if anything was. */
    private int place = NONE;
    /** The buffer that it is in; stays, as a reference stored costs more than one looked at. */
    private ChannelOutboundBuffer postponed;
    /** So many bytes were sent, and are in the buffer yet. */
    private long untold;
    private boolean telling;

    StreamWriter(AbstractKnoteStreamChannel channel) {
        this.channel = channel;
    }

    // ---- with others, at the end of the turn

    /**
     * Leaves it to the end of the turn, so that it is sent with what other channels have to send. What is much, would
     * keep the channel unwritable, or is flushed while no channel reads, is to leave at once. If this returns false,
     * {@link #recall} is to be called before anything is written.
     */
    boolean postpone(ChannelOutboundBuffer out) throws Exception {
        SendBatch batch = channel.loop().sends();
        boolean isLittle = out.isWritable() && out.totalPendingWriteBytes() <= LITTLE
                && out.current() instanceof ByteBuf;
        if (place != NONE) {
            return isLittle && batch.addMore(place, channel, out);
        }
        if (isLittle && batch.isOpen()) {
            place = batch.add(channel, out);
            if (postponed != out) {
                postponed = out;
            }
        }
        return place != NONE;
    }

    /**
     * Takes what was postponed, if anything was, out of the batch; what was sent of it, out of the buffer. Returns how
     * much of the spin count that was.
     */
    int recall() throws IOException {
        int at = place;
        if (at == NONE) {
            return 0;
        }
        ChannelOutboundBuffer out = postponed;
        SendBatch batch = channel.loop().sends();
        place = NONE;
        int sent = batch.remove(at);
        if (sent == PostponedSends.NOT_SENT) {
            return 0;
        }
        if (batch.isSentByWatch(at) && (sent >= 0 || sent == -Errno.EAGAIN)) {
            tell(out, Math.max(sent, 0)); // the edge that tells of room may be past: the next write finds out
            return 0;
        }
        return done(out, "send", sent, batch.bytes(at));
    }

    /** What was postponed, or null. */
    ChannelOutboundBuffer postponed() {
        return place == NONE ? null : postponed;
    }

    /** The channel could not even try to send. */
    void forget() {
        place = NONE;
    }

    // ---- alone

    /** Writes once; returns how much of the spin count that was: nothing for what is empty. */
    int write(ChannelOutboundBuffer out) throws Exception {
        Object first = out.current();
        if (first instanceof ByteBuf buffer) {
            return out.size() == 1 && Buffers.isNativePiece(buffer) ? writeOne(out, buffer) : gather(out);
        }
        if (files == null) {
            files = new FileWriter(channel);
        }
        return files.write(out, (FileRegion) first);
    }

    private int writeOne(ChannelOutboundBuffer out, ByteBuf buffer) throws IOException {
        int bytes = buffer.readableBytes();
        if (bytes == 0) {
            out.remove();
            return 0;
        }
        long at = Buffers.address(buffer, buffer.readerIndex(), bytes);
        int sent = Socket.write(channel.fdValue(), at, bytes);
        return done(out, "send", sent, bytes);
    }

    private int gather(ChannelOutboundBuffer out) throws Exception {
        long limit = channel.config().maxBytesPerGatheringWrite();
        IoVectors vectors = fill(out, limit);
        if (vectors.count() == 0) {
            out.removeBytes(0); // empty buffers only
            return 0;
        }
        long bytes = vectors.bytes();
        long sent = Socket.writev(channel.fdValue(), vectors.address(), vectors.count());
        if (sent > 0) {
            tune(limit, bytes, sent);
        }
        return done(out, "writev", sent, bytes);
    }

    private IoVectors fill(ChannelOutboundBuffer out, long limit) throws Exception {
        IoVectors vectors = channel.loop().vectors();
        vectors.clear(limit);
        out.forEachFlushedMessage(vectors);
        return vectors;
    }

    /** A short write means that there is no room: the next edge tells when there is. */
    private int done(ChannelOutboundBuffer out, String call, long sent, long bytes) throws IOException {
        if (sent < 0 && sent != -Errno.EAGAIN) {
            throw Failures.of(call, (int) sent);
        }
        if (sent < bytes) {
            channel.awaitRoom();
        }
        if (sent >= 0) {
            tell(out, sent);
        }
        return 1;
    }

    /** Takes what was sent out of the buffer, one message after the other, each of which tells whoever waits for it. */
    private void tell(ChannelOutboundBuffer out, long sent) {
        untold = sent;
        while (out.current() instanceof ByteBuf buffer && buffer.readableBytes() <= untold) {
            int bytes = buffer.readableBytes();
            if (bytes > 0) {
                out.progress(bytes);
            }
            untold -= bytes;
            telling = true;
            out.remove();
            telling = false;
        }
        if (untold > 0) {
            out.removeBytes(untold);
            untold = 0;
        }
    }

    /** Whether it is somebody who was told that calls. */
    boolean isTelling() {
        return telling;
    }

    /** While {@link #isTelling}: the others are told before anything else is written. */
    void tellOthers(ChannelOutboundBuffer out) {
        tell(out, untold);
    }

    /** The kernel's buffers grow and shrink. */
    private void tune(long limit, long tried, long sent) {
        if (tried == sent) {
            if (tried << 1 > limit) {
                channel.config().maxBytesPerGatheringWrite(tried << 1);
            }
        } else if (tried > TUNING_THRESHOLD && sent < tried >>> 1) {
            channel.config().maxBytesPerGatheringWrite(tried >>> 1);
        }
    }
}
