package dev.knote.transport;

import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Multicast;
import dev.knote.transport.socket.PeerAddress;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.util.Objects;

/**
 * A UDP socket on the loops of {@link KnoteIoHandler}. It reads {@link DatagramPacket}s. It sends them, also empty ones,
 * any other envelope of a ByteBuf for an InetSocketAddress, and, connected, ByteBufs. An error that the network reports
 * of a datagram sent by a connected channel is {@code exceptionCaught} of the next read, or fails the next write, and is
 * a {@link java.net.PortUnreachableException} if nobody was there; the channel stays open.
 */
public final class KnoteDatagramChannel extends AbstractKnoteChannel implements DatagramChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(true, 16);
    private static final int AF_UNSPEC = 0;
    private static final int SOCKADDR_SIZE = 28;

    private final KnoteDatagramChannelConfig config;
    private final DatagramWriter writer = new DatagramWriter(this);
    private final PeerAddress sender = new PeerAddress();
    private final KnoteIoOps awaitRoom;

    /** Of the usual family: IPv6, which speaks IPv4 too, if there is IPv6. */
    public KnoteDatagramChannel() {
        this((SocketProtocolFamily) null);
    }

    /** Of one family, or of the usual one for null. */
    public KnoteDatagramChannel(SocketProtocolFamily family) {
        this(GivenSocket.make(GivenSocket.family(family), Socket.SOCK_DGRAM));
    }

    /** As {@link #KnoteDatagramChannel(SocketProtocolFamily)}. */
    @Deprecated
    public KnoteDatagramChannel(io.netty.channel.socket.InternetProtocolFamily family) {
        this(family == null ? null : family.toSocketProtocolFamily());
    }

    /** One whose socket there is already, bound, connected or neither. The channel closes it. */
    public KnoteDatagramChannel(int fd) {
        this(GivenSocket.datagrams(fd));
    }

    private KnoteDatagramChannel(GivenSocket given) {
        super(null, given);
        awaitRoom = KnoteIoOps.of(given.fd(), Kqueue.EVFILT_WRITE, Kqueue.EV_ADD | Kqueue.EV_ONESHOT, 0, 0);
        Multicast.hearOnlyJoined(fdValue(), family);
        config = new KnoteDatagramChannelConfig(this, this::openFd, family, this::autoReadCleared);
    }

    @Override
    public KnoteDatagramChannelConfig config() {
        return config;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    @SuppressWarnings("exports") // the class is final
    protected KnoteUnsafe newUnsafe() {
        return new DatagramUnsafe();
    }

    // ---- states and addresses, which change

    @Override
    public boolean isActive() {
        return isOpen() && (active || config.isActiveOnRegistration() && isRegistered());
    }

    @Override
    public boolean isConnected() {
        return isOpen() && remoteAddress0() != null;
    }

    @Override
    public InetSocketAddress localAddress() {
        return (InetSocketAddress) localAddress0();
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return (InetSocketAddress) remoteAddress0();
    }

    /** Who sends is bound. */
    void sent() {
        if (localAddress0() == null) {
            local(Addresses.local(fdValue()));
        }
    }

    /** Anybody may send to it, bound or not. */
    @Override
    boolean isWorthWatching() {
        return true;
    }

    /** Reading: there is an edge for each datagram that has left, as there is more room again. */
    @Override
    int watched() {
        return Epoll.EPOLLIN;
    }

    /** There is no room: the next edge is told. */
    void awaitRoom() {
        writable = false;
        submit(awaitRoom);
    }

    @Override
    protected void doBind(SocketAddress address) throws Exception {
        super.doBind(address);
        active = true;
    }

    /** The kernel takes a port back that it chose itself: it is bound again. */
    @Override
    protected void doDisconnect() throws Exception {
        InetSocketAddress before = localAddress();
        long at = scratchAt();
        Memory.clear(at, SOCKADDR_SIZE);
        Memory.putShort(at, AF_UNSPEC);
        int result = Socket.connect(fdValue(), at, SOCKADDR_SIZE);
        if (result < 0 && result != -Errno.EAFNOSUPPORT) { // which is how some kernels say that it is done
            throw Failures.of("connect", result);
        }
        remote(null);
        InetSocketAddress after = (InetSocketAddress) Addresses.local(fdValue());
        local(after);
        if (before != null && after != null && after.getPort() == 0) {
            active = false; // unless that works
            doBind(new InetSocketAddress(after.getAddress(), before.getPort()));
        }
    }

    // ---- writing

    @Override
    protected Object filterOutboundMessage(Object message) {
        return writer.filter(message);
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
        writer.write(out, maxMessagesPerWrite());
        if (writable && !out.isEmpty()) {
            flushLater();
        }
    }

    // ---- multicast

    @Override
    public ChannelFuture joinGroup(InetAddress group) {
        return joinGroup(group, newPromise());
    }

    @Override
    public ChannelFuture joinGroup(InetAddress group, ChannelPromise promise) {
        return change("join", promise, () -> Multicast.join(openFd(), group, usual(), null));
    }

    @Override
    public ChannelFuture joinGroup(InetSocketAddress group, NetworkInterface by) {
        return joinGroup(group, by, newPromise());
    }

    @Override
    public ChannelFuture joinGroup(InetSocketAddress group, NetworkInterface by, ChannelPromise promise) {
        return joinGroup(group.getAddress(), by, null, promise);
    }

    @Override
    public ChannelFuture joinGroup(InetAddress group, NetworkInterface by, InetAddress source) {
        return joinGroup(group, by, source, newPromise());
    }

    @Override
    public ChannelFuture joinGroup(InetAddress group, NetworkInterface by, InetAddress source,
            ChannelPromise promise) {
        Objects.requireNonNull(group, "multicastAddress");
        Objects.requireNonNull(by, "networkInterface");
        return change("join", promise, () -> Multicast.join(openFd(), group, by, source));
    }

    @Override
    public ChannelFuture leaveGroup(InetAddress group) {
        return leaveGroup(group, newPromise());
    }

    @Override
    public ChannelFuture leaveGroup(InetAddress group, ChannelPromise promise) {
        return change("leave", promise, () -> Multicast.leave(openFd(), group, usual(), null));
    }

    @Override
    public ChannelFuture leaveGroup(InetSocketAddress group, NetworkInterface by) {
        return leaveGroup(group, by, newPromise());
    }

    @Override
    public ChannelFuture leaveGroup(InetSocketAddress group, NetworkInterface by, ChannelPromise promise) {
        return leaveGroup(group.getAddress(), by, null, promise);
    }

    @Override
    public ChannelFuture leaveGroup(InetAddress group, NetworkInterface by, InetAddress source) {
        return leaveGroup(group, by, source, newPromise());
    }

    @Override
    public ChannelFuture leaveGroup(InetAddress group, NetworkInterface by, InetAddress source,
            ChannelPromise promise) {
        Objects.requireNonNull(group, "multicastAddress");
        Objects.requireNonNull(by, "networkInterface");
        return change("leave", promise, () -> Multicast.leave(openFd(), group, by, source));
    }

    @Override
    public ChannelFuture block(InetAddress group, NetworkInterface by, InetAddress source) {
        return block(group, by, source, newPromise());
    }

    @Override
    public ChannelFuture block(InetAddress group, NetworkInterface by, InetAddress source,
            ChannelPromise promise) {
        Objects.requireNonNull(group, "multicastAddress");
        Objects.requireNonNull(by, "networkInterface");
        Objects.requireNonNull(source, "sourceToBlock");
        return change("block", promise, () -> Multicast.block(openFd(), group, by, source));
    }

    @Override
    public ChannelFuture block(InetAddress group, InetAddress source) {
        return block(group, source, newPromise());
    }

    @Override
    public ChannelFuture block(InetAddress group, InetAddress source, ChannelPromise promise) {
        return change("block", promise, () -> Multicast.block(openFd(), group, usual(), source));
    }

    /** The interface of the configuration, or that of the local address; null leaves it to the kernel. */
    private NetworkInterface usual() throws IOException {
        NetworkInterface by = config.getNetworkInterface();
        InetSocketAddress local = localAddress();
        return by == null && local != null ? NetworkInterface.getByInetAddress(local.getAddress()) : by;
    }

    /** A call that changes what the socket hears. */
    private interface Change {
        int make() throws IOException;
    }

    private ChannelFuture change(String what, ChannelPromise promise, Change change) {
        if (isRegistered() && !eventLoop().inEventLoop()) {
            eventLoop().execute(() -> changeHere(what, promise, change));
        } else {
            changeHere(what, promise, change);
        }
        return promise;
    }

    private void changeHere(String what, ChannelPromise promise, Change change) {
        try {
            int result = change.make();
            if (result < 0) {
                throw Failures.of("setsockopt of the group to " + what, result);
            }
            promise.setSuccess();
        } catch (IOException | RuntimeException e) {
            promise.setFailure(e);
        }
    }

    private final class DatagramUnsafe extends KnoteUnsafe {
        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            if (((KnoteIoEvent) event).filter() != Kqueue.EVFILT_WRITE) {
                super.handle(registration, event);
            } else if (isOpen()) {
                writable = true;
                flush0();
            }
        }

        @Override
        void readLoop() {
            if (!readPending && !config.isAutoRead()) {
                return; // an error that nobody has asked for: the next write or read meets it
            }
            ReceiveHandle handle = recvBufAllocHandle();
            handle.reset(config);
            Throwable failure = null;
            try {
                do {
                    if (!readOne(handle)) {
                        break;
                    }
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

        private boolean readOne(ReceiveHandle handle) throws IOException {
            ByteBuf buffer = handle.allocate(config.getAllocator());
            DatagramPacket packet = null;
            try {
                packet = receive(handle, buffer);
            } finally {
                if (packet == null) {
                    buffer.release();
                }
            }
            if (packet == null) {
                return false;
            }
            handle.lastBytesRead(Math.max(1, buffer.readableBytes())); // 0 would be the end
            handle.incMessagesRead(1);
            readPending = false;
            pipeline().fireChannelRead(packet);
            return true;
        }

        /** The next datagram, in {@code buffer}; null if there is none. */
        private DatagramPacket receive(ReceiveHandle handle, ByteBuf buffer) throws IOException {
            int index = buffer.writerIndex();
            int room = buffer.writableBytes();
            handle.attemptedBytesRead(room);
            long to = Buffers.address(buffer, index, room);
            InetSocketAddress from = KnoteDatagramChannel.this.remoteAddress();
            int bytes;
            if (from != null) {
                bytes = Socket.read(fdValue(), to, room);
            } else {
                long at = scratchAt();
                long lengthAt = at + Addresses.MAX_SIZE;
                Memory.putInt(lengthAt, Addresses.MAX_SIZE);
                bytes = Socket.recvfrom(fdValue(), to, room, 0, at, lengthAt);
                from = bytes < 0 ? null : sender.decode(at, Memory.getInt(lengthAt));
            }
            if (bytes < 0) {
                handle.lastBytesRead(-1);
                failed(bytes);
                return null;
            }
            buffer.writerIndex(index + bytes);
            return new DatagramPacket(buffer, KnoteDatagramChannel.this.localAddress(), from);
        }

        /** An error of the network was taken by that, and there may be datagrams behind it. */
        private void failed(int result) throws IOException {
            readable = switch (-result) {
                case Errno.EAGAIN, Errno.EBADF, Errno.EFAULT, Errno.EINVAL, Errno.ENOMEM, Errno.ENOTSOCK,
                        Errno.ENOTCONN ->
                    false;
                default -> true;
            };
            if (result != -Errno.EAGAIN) {
                throw Failures.ofDatagram("recvfrom", result);
            }
        }
    }
}
