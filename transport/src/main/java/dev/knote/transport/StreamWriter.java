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

    private final AbstractKnoteStreamChannel channel;
    private FileWriter files;

    StreamWriter(AbstractKnoteStreamChannel channel) {
        this.channel = channel;
    }

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
        IoVectors vectors = channel.loop().vectors();
        vectors.clear(limit);
        out.forEachFlushedMessage(vectors);
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
