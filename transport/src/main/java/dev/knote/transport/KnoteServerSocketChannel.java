package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.InetSocketAddress;

/** A server's TCP socket on the loops of {@link KnoteIoHandler}. */
public final class KnoteServerSocketChannel extends AbstractKnoteServerChannel
        implements
            ServerSocketChannel {
    private final KnoteServerSocketChannelConfig config;

    /** One that is to be bound. */
    public KnoteServerSocketChannel() {
        this((SocketProtocolFamily) null);
    }

    /**
     * One that is to be bound, of one family, or of the usual one for null. SO_REUSEADDR is set, as the JDK sets it, so
     * that a server may start again while connections of the last one are not forgotten.
     */
    public KnoteServerSocketChannel(SocketProtocolFamily family) {
        this(GivenSocket.make(GivenSocket.family(family)));
        config.setReuseAddress(true);
    }

    /** One whose socket there is already, listening or not. The channel closes it. */
    public KnoteServerSocketChannel(int fd) {
        this(GivenSocket.server(fd, false));
    }

    private KnoteServerSocketChannel(GivenSocket given) {
        super(given);
        config = new KnoteServerSocketChannelConfig(this, this::openFd, family, this::autoReadCleared);
    }

    @Override
    public KnoteServerSocketChannelConfig config() {
        return config;
    }

    @Override
    public InetSocketAddress localAddress() {
        return (InetSocketAddress) super.localAddress();
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return null;
    }

    @Override
    Channel newChild(GivenSocket accepted) {
        return new KnoteSocketChannel(this, accepted);
    }

    @Override
    int backlog() {
        return config.getBacklog();
    }
}
