package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Writes files' contents, and whatever else is a {@link FileRegion}. */
final class FileWriter implements WritableByteChannel {
    /** Ends the attempts of this turn. */
    private static final int NOTHING_TO_GIVE = Integer.MAX_VALUE / 2;

    /** Below it copying costs less system calls. */
    private static final int SENDFILE_MIN = 16 * 1024;

    private final AbstractKnoteStreamChannel channel;

    FileWriter(AbstractKnoteStreamChannel channel) {
        this.channel = channel;
    }

    int write(ChannelOutboundBuffer out, FileRegion region) throws IOException {
        if (region.transferred() >= region.count()) {
            out.remove();
            return 0;
        }
        long sent = transfer(region);
        if (sent > 0) {
            out.progress(sent);
            if (region.transferred() >= region.count()) {
                out.remove();
            }
        } else if (channel.writable) { // not for want of room
            return NOTHING_TO_GIVE;
        }
        return 1;
    }

    private long transfer(FileRegion region) throws IOException {
        long from = region.transferred();
        SocketFile file = region instanceof DefaultFileRegion && region.count() - from >= SENDFILE_MIN
                ? channel.loop().socketFile()
                : null;
        if (file == null) {
            return region.transferTo(this, from);
        }
        try {
            long sent = region.transferTo(file.lend(channel.fdValue()), from);
            if (sent <= 0) {
                channel.awaitRoom();
            }
            return sent;
        } finally {
            file.takeBack();
        }
    }

    /** For a region: as much as there is room for. */
    @Override
    public int write(ByteBuffer source) throws IOException {
        int bytes = source.remaining();
        if (bytes == 0) {
            return 0;
        }
        if (source.isDirect()) {
            int sent = send(source, bytes);
            source.position(source.position() + sent);
            return sent;
        }
        ByteBuf copy = channel.alloc().directBuffer(bytes);
        try {
            copy.writeBytes(source.duplicate());
            int sent = send(copy.internalNioBuffer(0, bytes), bytes);
            source.position(source.position() + sent);
            return sent;
        } finally {
            copy.release();
        }
    }

    private int send(ByteBuffer direct, int bytes) throws IOException {
        int sent = Socket.write(channel.fdValue(), MemorySegment.ofBuffer(direct).address(), bytes);
        if (sent < 0 && sent != -Errno.EAGAIN) {
            throw Failures.of("send", sent);
        }
        if (sent < bytes) {
            channel.awaitRoom();
        }
        return Math.max(sent, 0);
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    /** The channel is closed by its user. */
    @Override
    public void close() {}
}
