package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.IoVectors;
import dev.knote.transport.socket.SendRing;
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
    /** What {@link SendBatch} is to send; null if nothing was postponed. */
    private ChannelOutboundBuffer postponed;
    private SendRing ring;
    /** The number of the send in the ring; how much it is. */
    private int number = NONE;
    private long tried;

    StreamWriter(AbstractKnoteStreamChannel channel) {
        this.channel = channel;
    }

    // ---- with others, at the end of the turn

    /**
     * Leaves it to the end of the turn, so that it is sent with what other channels have to send. What is much, would
     * keep the channel unwritable, or is flushed while no channel reads, is to leave at once.
     */
    boolean postpone(ChannelOutboundBuffer out) {
        SendBatch batch = channel.loop().sends();
        boolean isLittle = out.isWritable() && out.totalPendingWriteBytes() <= LITTLE
                && out.current() instanceof ByteBuf;
        if (postponed == null) {
            if (isLittle && batch.isOpen()) {
                postponed = out;
                batch.add(channel);
            }
        } else if (!isLittle || !batch.isReading()) {
            recall();
        }
        return postponed != null;
    }

    /** Prepares to send what was postponed; false if it can't be sent by the ring. Nobody's code runs in here. */
    boolean prepare(SendRing with) throws Exception {
        ChannelOutboundBuffer out = postponed;
        if (out.size() == 1 && out.current() instanceof ByteBuf buffer && Buffers.isNativePiece(buffer)) {
            int bytes = buffer.readableBytes();
            if (bytes > 0) {
                tried = bytes;
                number = with.send(
                        channel.fdValue(), Buffers.address(buffer, buffer.readerIndex(), bytes), bytes);
            }
        } else {
            prepareSeveral(out, with);
        }
        ring = with;
        return number != NONE;
    }

    private void prepareSeveral(ChannelOutboundBuffer out, SendRing with) throws Exception {
        IoVectors vectors = fill(out, channel.config().maxBytesPerGatheringWrite());
        if (vectors.count() > 0 && vectors.count() <= SendRing.MOST_PIECES) {
            tried = vectors.bytes();
            number = with.send(channel.fdValue(), vectors);
        }
    }

    /** Whether the ring has sent, and {@link #takeSent} tells how much. */
    boolean isSent() {
        return number != NONE;
    }

    /** Takes what was sent out of the buffer; returns how much of the spin count that was. */
    int takeSent(ChannelOutboundBuffer out) throws IOException {
        int sent = ring.result(number);
        number = NONE;
        postponed = null;
        return sent == SendRing.NOT_DONE ? 0 : done(out, "send", sent, tried);
    }

    /** The end of the turn is there. */
    void postponeNoLonger() {
        postponed = null;
    }

    void forgetSent() {
        number = NONE;
    }

    /** Takes it out of the batch; returns what was postponed, or null. */
    ChannelOutboundBuffer recall() {
        ChannelOutboundBuffer out = postponed;
        if (out != null) {
            postponed = null;
            channel.loop().sends().remove(channel);
        }
        return out;
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
            out.removeBytes(sent);
        }
        return 1;
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
