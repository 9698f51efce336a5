package dev.knote.transport;

import dev.knote.transport.socket.Socket;
import io.netty.channel.Channel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.ServerDomainSocketChannel;
import java.io.File;
import java.net.SocketAddress;

/**
 * A server's Unix domain socket on the loops of {@link KnoteIoHandler}. It takes {@link DomainSocketAddress} and
 * {@link java.net.UnixDomainSocketAddress}; a name that begins with NUL is an abstract one. The file that was bound is
 * deleted when the channel is closed.
 */
public final class KnoteServerDomainSocketChannel extends AbstractKnoteServerChannel
        implements
            ServerDomainSocketChannel {
    private final KnoteServerDomainSocketChannelConfig config;
    private volatile String file;

    /** One that is to be bound. */
    public KnoteServerDomainSocketChannel() {
        this(GivenSocket.make(Socket.AF_UNIX));
    }

    /** One whose socket there is already, listening or not. The channel closes it, and leaves its file. */
    public KnoteServerDomainSocketChannel(int fd) {
        this(GivenSocket.server(fd, true));
    }

    private KnoteServerDomainSocketChannel(GivenSocket given) {
        super(given);
        config = new KnoteServerDomainSocketChannelConfig(this, this::openFd, family, this::autoReadCleared);
    }

    @Override
    public KnoteServerDomainSocketChannelConfig config() {
        return config;
    }

    @Override
    public DomainSocketAddress localAddress() {
        return (DomainSocketAddress) super.localAddress();
    }

    @Override
    public DomainSocketAddress remoteAddress() {
        return null;
    }

    @Override
    protected void doBind(SocketAddress address) throws Exception {
        super.doBind(address);
        if (localAddress0() instanceof DomainSocketAddress bound && !bound.path().startsWith("\0")) {
            file = bound.path();
        }
    }

    @Override
    protected void doClose() throws Exception {
        try {
            super.doClose();
        } finally {
            String bound = file;
            if (bound != null && !bound.isEmpty()) {
                file = null;
                new File(bound).delete();
            }
        }
    }

    @Override
    Channel newChild(GivenSocket accepted) {
        return new KnoteDomainSocketChannel(this, accepted);
    }

    @Override
    int backlog() {
        return config.getBacklog();
    }
}
