package dev.knote.transport;

import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.InetSocketAddress;

/** A TCP connection on the loops of {@link KnoteIoHandler}. */
public final class KnoteSocketChannel extends AbstractKnoteStreamChannel implements SocketChannel {
    private final KnoteSocketChannelConfig config;

    /** One that is to be connected. */
    public KnoteSocketChannel() {
        this((SocketProtocolFamily) null);
    }

    /** One that is to be connected, of one family, or of the usual one for null. */
    public KnoteSocketChannel(SocketProtocolFamily family) {
        this(null, GivenSocket.make(GivenSocket.family(family)));
    }

    /** One whose socket there is already, connected or not. The channel closes it. */
    public KnoteSocketChannel(int fd) {
        this(null, GivenSocket.connection(fd, false));
    }

    KnoteSocketChannel(KnoteServerSocketChannel parent, GivenSocket given) {
        super(parent, given);
        config = new KnoteSocketChannelConfig(this, this::openFd, family, this::autoReadCleared);
    }

    @Override
    public KnoteSocketChannelConfig config() {
        return config;
    }

    @Override
    public ServerSocketChannel parent() {
        return (ServerSocketChannel) super.parent();
    }

    @Override
    public InetSocketAddress localAddress() {
        return (InetSocketAddress) super.localAddress();
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return (InetSocketAddress) super.remoteAddress();
    }

    @Override
    boolean isHalfClosureAllowed() {
        return config.isAllowHalfClosure();
    }

    @Override
    boolean receivesPlainly() {
        return true;
    }

    @Override
    boolean lingers() {
        try {
            return isOpen() && config.getSoLinger() > 0;
        } catch (RuntimeException e) {
            return false; // the connection is gone
        }
    }
}
