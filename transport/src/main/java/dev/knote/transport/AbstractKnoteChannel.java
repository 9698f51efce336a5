package dev.knote.transport;

import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;

/**
 * A channel over a socket: one edge-triggered knote, and the memory of what its edges said. Everything but the fd, the
 * addresses and {@link #active} belongs to the loop.
 */
abstract class AbstractKnoteChannel extends AbstractChannel implements UnixChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);
    private static final int OUT = Epoll.EPOLLOUT | Epoll.EPOLLERR | Epoll.EPOLLHUP;
    private static final int HUNG_UP = Epoll.EPOLLRDHUP | Epoll.EPOLLHUP;
    private static final int IN = Epoll.EPOLLIN | Epoll.EPOLLPRI | Epoll.EPOLLERR | HUNG_UP;

    final SocketDescriptor socket;
    final int family;
    /** Connected, listening, or whatever else the kind of channel calls active. */
    volatile boolean active;
    /** There may be something to read. */
    boolean readable;
    /** No write has fallen short since the last edge that said there is room. */
    boolean writable = true;
    /** The peer will send no more; until the end of what it did send, {@link #readable} stays. */
    boolean hungUp;
    /** There may be more where a read fell short: it stops at urgent data. */
    boolean urgent;
    /** {@link Channel#read()} was called, and nothing was read since. */
    boolean readPending;
    /** No read will ever bring anything: the end was seen, or an error, or the channel is closed. */
    boolean inputEnded;

    private final KnoteIoOps watch;
    private final Runnable readAgain = this::readAgain;
    private final Runnable flushAgain = this::flushAgain;
    private volatile SocketAddress local;
    private volatile SocketAddress remote;
    private IoRegistration registration;
    private boolean watched;
    private boolean wantsRead;
    private boolean reading;
    private boolean readLeft;
    private boolean flushLeft;
    private PendingConnect connecting;

    /** Of an open socket, which the channel closes; {@code remote} is null if it has no peer. */
    AbstractKnoteChannel(Channel parent, int fd, int family, boolean active, SocketAddress remote) {
        super(parent);
        this.socket = new SocketDescriptor(fd);
        this.family = family;
        this.active = active;
        this.remote = remote;
        if (active) {
            local = Addresses.local(fd);
        }
        watch = KnoteIoOps.of(fd, SocketFilter.EVFILT_SOCKET, Kqueue.EV_ADD | Kqueue.EV_CLEAR, 0, 0);
    }

    AbstractKnoteChannel(Channel parent, GivenSocket given) {
        this(parent, given.fd(), given.family(), given.active(), given.remote());
    }

    // ---- what the kinds of channel do

    /** Whether the end of input leaves the channel open. */
    boolean isHalfClosureAllowed() {
        return false;
    }

    @Override
    protected abstract KnoteUnsafe newUnsafe();

    // ---- fd and addresses

    /** For a configuration: -1 when it is closed. */
    final int openFd() {
        return isOpen() ? socket.intValue() : -1;
    }

    final int fdValue() {
        return socket.intValue();
    }

    @Override
    public final FileDescriptor fd() {
        return socket;
    }

    @Override
    public final boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    protected SocketAddress localAddress0() {
        return local;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return remote;
    }

    final void local(SocketAddress address) {
        local = address;
    }

    final void remote(SocketAddress address) {
        remote = address;
    }

    // ---- registration

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return loop instanceof IoEventLoop ioLoop && ioLoop.isCompatible(KnoteUnsafe.class);
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        ((IoEventLoop) eventLoop()).register((KnoteUnsafe) unsafe()).addListener(future -> {
            if (!future.isSuccess()) {
                promise.setFailure(future.cause());
                return;
            }
            registration = (IoRegistration) future.getNow();
            try {
                if (active || connecting != null) {
                    watch();
                }
            } catch (RuntimeException e) {
                doDeregister();
                promise.setFailure(e);
                return;
            }
            promise.setSuccess();
        });
    }

    /** Makes the knote, if there is none: its first edge tells what is ready already. */
    final void watch() {
        if (!watched && registration != null) {
            registration.submit(watch);
            watched = true;
        }
    }

    /** Deletes the knote: before the fd is closed, or the channel goes to another loop. */
    @Override
    protected void doDeregister() {
        IoRegistration last = registration;
        if (last != null) {
            registration = null;
            watched = false;
            readable = false;
            readLeft = false;
            flushLeft = false;
            last.cancel();
        }
    }

    @Override
    protected void doClose() throws Exception {
        active = false;
        inputEnded = true;
        PendingConnect pending = connecting;
        if (pending != null) {
            connecting = null;
            pending.closed();
        }
        if (isRegistered() && eventLoop().inEventLoop()) { // elsewhere it was done before
            doDeregister();
        }
        socket.close();
    }

    @Override
    protected void doDisconnect() throws Exception {
        doClose();
    }

    /** What the channels of the loop share; only while registered, and on the loop. */
    final LoopResources loop() {
        return registration.attachment();
    }

    // ---- bind and connect

    @Override
    protected void doBind(SocketAddress address) throws Exception {
        bindTo(address);
        local = Addresses.local(fdValue());
    }

    private void bindTo(SocketAddress address) throws IOException {
        long at = scratchAt();
        int result = Socket.bind(fdValue(), at, Addresses.encode(address, family, at));
        if (result < 0) {
            throw Failures.ofBind("bind", result);
        }
    }

    /** Room for an address, or for anything else that is small. */
    final long scratchAt() {
        MemorySegment scratch = loop().scratch();
        return scratch.address();
    }

    /** Starts to connect; returns whether that is all. */
    boolean doConnect(SocketAddress remoteAddress, SocketAddress localAddress) throws Exception {
        if (remote != null) {
            throw new AlreadyConnectedException();
        }
        long at = scratchAt();
        Addresses.encode(remoteAddress, family, at); // refuses it before anything is bound
        if (localAddress != null) {
            bindTo(localAddress);
        }
        int result = Socket.connect(fdValue(), at, Addresses.encode(remoteAddress, family, at));
        if (result < 0 && !PendingConnect.isPending(result)) {
            doClose();
            throw Failures.ofConnect(result);
        }
        local = Addresses.local(fdValue()); // bound by now, connected or not
        if (result == 0) {
            remote = PendingConnect.named(remoteAddress, Addresses.remote(fdValue()));
        }
        return result == 0;
    }

    /** The promise was cancelled, or the time is over. */
    final void giveUpConnect(PendingConnect pending) {
        if (connecting == pending) {
            connecting = null;
            unsafe().close(unsafe().voidPromise());
        }
    }

    // ---- reading

    @Override
    protected void doBeginRead() {
        readPending = true;
        wantsRead = true;
        if (readable && !reading) {
            readLater();
        }
    }

    /** For the configuration: auto read was switched off. */
    final void autoReadCleared() {
        if (!isRegistered()) {
            wantsRead = false;
        } else if (eventLoop().inEventLoop()) {
            readPending = false;
            wantsRead = false;
        } else {
            eventLoop().execute(() -> {
                if (!readPending && !config().isAutoRead()) {
                    wantsRead = false;
                }
            });
        }
    }

    private void readLater() {
        if (!readLeft && registration != null) {
            readLeft = true;
            loop().nextTurn(readAgain);
        }
    }

    private void readAgain() {
        if (eventLoop().inEventLoop() && readLeft) { // still here
            readLeft = false;
            if (readable && (wantsRead || hungUp)) {
                ((KnoteUnsafe) unsafe()).read();
            }
        }
    }

    /** Whether a read loop ends, whatever there is to read. */
    final boolean isReadingOver() {
        return socket.isInputShutdown() && (inputEnded || !isHalfClosureAllowed());
    }

    // ---- writing

    /** Has the rest flushed in the loop's next turn: this channel had its share. */
    final void flushLater() {
        if (!flushLeft && registration != null) {
            flushLeft = true;
            loop().nextTurn(flushAgain);
        }
    }

    private void flushAgain() {
        if (eventLoop().inEventLoop() && flushLeft) {
            flushLeft = false;
            ((KnoteUnsafe) unsafe()).flush0();
        }
    }

    /** A copy outside the heap, for {@code holder} and the buffer in it, which are released. */
    final ByteBuf toDirect(Object holder, ByteBuf buffer) {
        int bytes = buffer.readableBytes();
        if (bytes == 0) {
            ReferenceCountUtil.release(holder);
            return Unpooled.EMPTY_BUFFER;
        }
        ByteBuf direct = alloc().isDirectBufferPooled() ? null : ByteBufUtil.threadLocalDirectBuffer();
        if (direct == null) {
            direct = alloc().directBuffer(bytes);
        }
        direct.writeBytes(buffer, buffer.readerIndex(), bytes);
        ReferenceCountUtil.safeRelease(holder);
        return direct;
    }

    abstract class KnoteUnsafe extends AbstractUnsafe implements KnoteIoHandle {
        private ReceiveHandle receiveHandle;

        /** Reads until there is no more, or a limit; sets {@link #readable} and {@link #readPending}. */
        abstract void readLoop();

        /** On the first event that says so, before it is read. */
        void hungUp() {}

        @Override
        public void close() {
            close(voidPromise());
        }

        /**
         * Room to write comes first, as a connection that failed is to be told as that. What there is to read comes
         * before its end.
         */
        @Override
        public void handle(IoRegistration ignored, IoEvent event) {
            int ready = (int) ((KnoteIoEvent) event).data();
            if ((ready & OUT) != 0) {
                outReady();
            }
            if ((ready & IN) == 0 || !isOpen()) {
                return;
            }
            readable = true;
            urgent |= (ready & Epoll.EPOLLPRI) != 0;
            if ((ready & HUNG_UP) != 0) {
                hungUp();
            }
            if (wantsRead || hungUp || (ready & Epoll.EPOLLERR) != 0) {
                read();
            }
        }

        private void outReady() {
            PendingConnect pending = connecting;
            if (pending != null) {
                finishConnect(pending);
            } else if (!writable) {
                writable = true;
                flush0();
            }
        }

        final void read() {
            if (isReadingOver()) {
                readable = false;
                wantsRead = false;
                return;
            }
            reading = true;
            try {
                readLoop();
            } finally {
                reading = false;
                if (!readPending && !config().isAutoRead()) {
                    wantsRead = false;
                }
                if (readable && (wantsRead || hungUp)) {
                    readLater();
                }
            }
        }

        @Override
        public ReceiveHandle recvBufAllocHandle() {
            if (receiveHandle == null) {
                receiveHandle = new ReceiveHandle(AbstractKnoteChannel.this,
                        (RecvByteBufAllocator.ExtendedHandle) super.recvBufAllocHandle());
            }
            return receiveHandle;
        }

        /** Waits for room in the socket, and for the connection. */
        @Override
        protected void flush0() {
            if (writable && connecting == null) {
                super.flush0();
            }
        }

        @Override
        public void connect(SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
            if (promise.isDone() || !ensureOpen(promise)) {
                return;
            }
            if (connecting != null) {
                promise.tryFailure(new ConnectionPendingException());
                return;
            }
            try {
                boolean wasActive = isActive();
                if (doConnect(remoteAddress, localAddress)) {
                    connected(promise, wasActive);
                } else {
                    connecting = new PendingConnect(AbstractKnoteChannel.this, remoteAddress, promise);
                    watch();
                    connecting.begin();
                }
            } catch (Throwable t) {
                failConnect(promise, annotateConnectException(t, remoteAddress));
            }
        }

        private void failConnect(ChannelPromise promise, Throwable cause) {
            boolean begun = connecting != null;
            connecting = null;
            promise.tryFailure(cause);
            if (begun) {
                close(voidPromise());
            } else {
                closeIfClosed();
            }
        }

        private void finishConnect(PendingConnect pending) {
            try {
                int error = Socket.error(fdValue());
                if (error != 0) {
                    throw Failures.ofConnect(error);
                }
                remote = PendingConnect.named(pending.remote, Addresses.remote(fdValue()));
                connecting = null;
                connected(pending.promise, isActive());
                flush0(); // what was flushed meanwhile
            } catch (Throwable t) {
                failConnect(pending.promise, annotateConnectException(t, pending.remote));
            }
        }

        private void connected(ChannelPromise promise, boolean wasActive) {
            active = true;
            watch();
            boolean isActive = isActive(); // a listener of the promise may close the channel, which was active all the same
            boolean wanted = promise.trySuccess();
            if (!wasActive && isActive) {
                pipeline().fireChannelActive();
            }
            if (!wanted) { // cancelled
                close(voidPromise());
            }
        }

    }
}
