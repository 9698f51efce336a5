package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Socket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ServerChannel;
import java.io.IOException;
import java.net.SocketAddress;

/** A socket that connections come from. */
abstract class AbstractKnoteServerChannel extends AbstractKnoteChannel implements ServerChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);
    private static final int EPROTO = 71;
    private static final int ECONNABORTED = 103;

    AbstractKnoteServerChannel(GivenSocket given) {
        super(null, given);
    }

    /** A channel for a connection. */
    abstract Channel newChild(GivenSocket accepted);

    abstract int backlog();

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    protected KnoteUnsafe newUnsafe() {
        return new ServerUnsafe();
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return null;
    }

    @Override
    protected void doBind(SocketAddress address) throws Exception {
        super.doBind(address);
        int result = Socket.listen(fdValue(), backlog());
        if (result < 0) {
            throw Failures.ofBind("listen", result);
        }
        active = true;
        watch();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected Object filterOutboundMessage(Object message) {
        throw new UnsupportedOperationException();
    }

    /** The next connection; null if there is none. */
    private Channel accept() throws IOException {
        long at = scratchAt();
        long lengthAt = at + Addresses.MAX_SIZE;
        int fd;
        do {
            Memory.putInt(lengthAt, Addresses.MAX_SIZE);
            fd = Socket.accept(fdValue(), at, lengthAt);
        } while (fd == -ECONNABORTED || fd == -EPROTO); // one that was gone before it was accepted
        if (fd == -Errno.EAGAIN) {
            readable = false;
            return null;
        }
        if (fd < 0) {
            throw Failures.of("accept", fd);
        }
        Channel child = null;
        try {
            SocketAddress remote = Addresses.decode(at, Memory.getInt(lengthAt));
            child = newChild(GivenSocket.accepted(fd, family, remote));
        } finally {
            if (child == null) {
                Socket.close(fd);
            }
        }
        return child;
    }

    private final class ServerUnsafe extends KnoteUnsafe {
        @Override
        public void connect(SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
            promise.setFailure(new UnsupportedOperationException("a server's channel does not connect"));
        }

        @Override
        void readLoop() {
            ReceiveHandle handle = recvBufAllocHandle();
            handle.reset(config());
            handle.attemptedBytesRead(1);
            Throwable failure = null;
            try {
                do {
                    Channel child = accept();
                    handle.lastBytesRead(child == null ? 0 : 1);
                    if (child == null) {
                        break;
                    }
                    handle.incMessagesRead(1);
                    readPending = false;
                    pipeline().fireChannelRead(child);
                } while (isOpen() && handle.continueReading());
            } catch (Throwable t) {
                failure = t;
            }
            handle.readComplete();
            pipeline().fireChannelReadComplete();
            if (failure != null) {
                pipeline().fireExceptionCaught(failure);
            }
        }
    }
}
