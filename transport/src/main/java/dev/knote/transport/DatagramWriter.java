package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.IoVectors;
import dev.knote.transport.socket.PeerAddress;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultAddressedEnvelope;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.unix.SegmentedDatagramPacket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnresolvedAddressException;

/** Sends the datagrams of a channel, one call each. What one peer does not get is no matter of the others. */
final class DatagramWriter {
    private final KnoteDatagramChannel channel;
    private final PeerAddress peer = new PeerAddress();

    DatagramWriter(KnoteDatagramChannel channel) {
        this.channel = channel;
    }

    /** The message as it can be sent: outside the heap. */
    Object filter(Object message) {
        if (message instanceof ByteBuf buffer) {
            return isSendable(buffer) ? buffer : channel.toDirect(buffer, buffer);
        }
        boolean known = message instanceof AddressedEnvelope<?, ?>
                && !(message instanceof SegmentedDatagramPacket);
        if (known) {
            AddressedEnvelope<?, ?> envelope = (AddressedEnvelope<?, ?>) message;
            SocketAddress recipient = envelope.recipient();
            if (envelope.content() instanceof ByteBuf content
                    && (recipient == null || recipient instanceof InetSocketAddress)) {
                return filter(envelope, content, (InetSocketAddress) recipient);
            }
        }
        throw new UnsupportedOperationException("unsupported message type: " + message.getClass().getName()
                + " (expected: DatagramPacket, ByteBuf, AddressedEnvelope<ByteBuf, InetSocketAddress>)");
    }

    private Object filter(AddressedEnvelope<?, ?> envelope, ByteBuf content, InetSocketAddress recipient) {
        if (recipient != null && recipient.isUnresolved()) {
            throw new UnresolvedAddressException();
        }
        if (isSendable(content)) {
            return envelope;
        }
        ByteBuf direct = channel.toDirect(envelope, content);
        return recipient == null
                ? direct
                : envelope instanceof DatagramPacket
                        ? new DatagramPacket(direct, recipient)
                        : new DefaultAddressedEnvelope<>(direct, recipient);
    }

    private static boolean isSendable(ByteBuf buffer) {
        return Buffers.isNative(buffer)
                && (buffer.hasMemoryAddress() || buffer.nioBufferCount() <= Socket.IOVEC_MAX);
    }

    /** Sends what is flushed, at most {@code limit} messages; {@link KnoteDatagramChannel#writable} tells how it ended. */
    void write(ChannelOutboundBuffer out, int limit) {
        for (int left = limit; left > 0 && channel.writable; left--) {
            Object message = out.current();
            if (message == null) {
                return;
            }
            try {
                if (send(message)) {
                    out.remove();
                }
            } catch (IOException | RuntimeException e) {
                out.remove(e);
            }
        }
    }

    /** Returns false, and notes it, if there is no room. */
    private boolean send(Object message) throws IOException {
        ByteBuf content;
        InetSocketAddress recipient = null;
        if (message instanceof AddressedEnvelope<?, ?> envelope) {
            content = (ByteBuf) envelope.content();
            recipient = (InetSocketAddress) envelope.recipient();
        } else {
            content = (ByteBuf) message;
            if (!content.isReadable()) {
                return true; // a flush by another name, to Netty's programs
            }
        }
        if (recipient == null && !channel.isConnected()) {
            throw new NotYetConnectedException();
        }
        long result = send(content, recipient);
        if (result == -Errno.EAGAIN) {
            channel.awaitRoom();
            return false;
        }
        if (result < 0) {
            throw Failures.ofDatagram("sendto", (int) result);
        }
        channel.sent();
        return true;
    }

    private long send(ByteBuf content, InetSocketAddress recipient) {
        int fd = channel.fdValue();
        long to = channel.scratchAt();
        int length = recipient == null ? 0 : peer.encode(recipient, channel.family, to);
        int bytes = content.readableBytes();
        int index = content.readerIndex();
        if (bytes == 0 || Buffers.isNativePiece(content)) {
            long at = bytes == 0 ? to : Buffers.address(content, index, bytes);
            return Socket.sendto(fd, at, bytes, length == 0 ? 0 : to, length);
        }
        IoVectors vectors = channel.loop().vectors();
        vectors.clear(Long.MAX_VALUE);
        vectors.add(content, index, bytes);
        long message = to + Addresses.MAX_SIZE;
        Socket.msghdr(message, length == 0 ? 0 : to, length, vectors.address(), vectors.count());
        return Socket.sendmsg(fd, message);
    }
}
