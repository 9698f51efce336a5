package dev.knote.transport;

import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Socket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketChannel;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

/**
 * A connection by a Unix domain socket on the loops of {@link KnoteIoHandler}. It takes {@link DomainSocketAddress} and
 * {@link UnixDomainSocketAddress}; a name that begins with NUL is an abstract one.
 */
public final class KnoteDomainSocketChannel extends AbstractKnoteStreamChannel
        implements
            DomainSocketChannel {
    private static final int MSG_CTRUNC = 0x8;
    private static final int FLAGS = 48;

    private final KnoteDomainSocketChannelConfig config;
    private final KnoteIoOps awaitRoom;

    /** One that is to be connected. */
    public KnoteDomainSocketChannel() {
        this(null, GivenSocket.make(Socket.AF_UNIX));
    }

    /** One whose socket there is already, of socketpair(2), say, connected or not. The channel closes it. */
    public KnoteDomainSocketChannel(int fd) {
        this(null, GivenSocket.connection(fd, true));
    }

    KnoteDomainSocketChannel(KnoteServerDomainSocketChannel parent, GivenSocket given) {
        super(parent, given);
        awaitRoom = KnoteIoOps.of(given.fd(), Kqueue.EVFILT_WRITE, Kqueue.EV_ADD | Kqueue.EV_ONESHOT, 0, 0);
        config = new KnoteDomainSocketChannelConfig(this, this::openFd, family, this::autoReadCleared);
    }

    @Override
    public KnoteDomainSocketChannelConfig config() {
        return config;
    }

    @Override
    public DomainSocketAddress localAddress() {
        return (DomainSocketAddress) super.localAddress();
    }

    @Override
    public DomainSocketAddress remoteAddress() {
        return (DomainSocketAddress) super.remoteAddress();
    }

    @Override
    boolean doConnect(SocketAddress remoteAddress, SocketAddress localAddress) throws Exception {
        SocketAddress remote = remoteAddress instanceof UnixDomainSocketAddress unix
                ? new DomainSocketAddress(unix.getPath().toString())
                : remoteAddress;
        return super.doConnect(remote, localAddress);
    }

    @Override
    boolean isHalfClosureAllowed() {
        return config.isAllowHalfClosure();
    }

    @Override
    int watched() {
        return Epoll.EPOLLIN | Epoll.EPOLLPRI;
    }

    @Override
    void awaitRoom() {
        writable = false;
        submit(awaitRoom);
    }

    /**
     * A read ends where file descriptors came along, which nobody takes here, and at urgent data, which is passed over:
     * there may be more behind them.
     */
    @Override
    int receive(long at, int room) {
        long header = scratchAt();
        long vector = header + Socket.MSGHDR_SIZE + 8;
        Memory.putLong(vector, at);
        Memory.putLong(vector + 8, room);
        Socket.msghdr(header, 0, 0, vector, 1);
        int bytes = (int) Socket.recvmsg(fdValue(), header, 0);
        if (bytes < room && !hungUp && !urgent
                && (bytes <= 0 || (Memory.getInt(header + FLAGS) & MSG_CTRUNC) == 0)) {
            readable = false;
        }
        return bytes;
    }
}
