package dev.knote.transport;

import dev.knote.Kqueue;
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
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;

/** A channel as far as it is a socket with addresses and a knote on a loop. */
abstract class AbstractFdChannel extends AbstractChannel implements UnixChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);
    private static final int OWN_SCRATCH_SIZE = 512;

    final SocketDescriptor socket;
    final int family;
    /** Connected, listening, or whatever else the kind of channel calls active. */
    volatile boolean active;

    private final KnoteIoOps watch;
    private volatile SocketAddress local;
    private volatile SocketAddress remote;
    private final int fd;
    private IoRegistration registration;
    /** Of the registration. */
    private LoopResources loop;
    private boolean isWatched;
    private MemorySegment ownScratch;

    /** The channel closes the socket. */
    AbstractFdChannel(Channel parent, GivenSocket given) {
        super(parent);
        fd = given.fd();
        socket = new SocketDescriptor(fd);
        family = given.family();
        active = given.active();
        local = given.local();
        remote = given.remote();
        watch = KnoteIoOps.of(given.fd(), SocketFilter.EVFILT_SOCKET, Kqueue.EV_ADD | Kqueue.EV_CLEAR,
                watched(), 0);
    }

    // ---- fd and addresses

    /** For a configuration: -1 when it is closed. */
    final int openFd() {
        return isOpen() ? socket.intValue() : -1;
    }

    final int fdValue() {
        return fd;
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

    /**
     * The fflags of the knote: EPOLLIN where each message that the peer takes would be an edge. Of a constant, as the
     * constructor asks.
     */
    int watched() {
        return 0;
    }

    /** Whether the socket's events mean anything: epoll calls one that is not connected hung up. */
    abstract boolean isWorthWatching();

    /** There is a knote, of a first or another loop. */
    abstract void knoteMade();

    /** The knote is gone, and with it the right to go by what its edges said. */
    abstract void forgetReadiness();

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return loop instanceof IoEventLoop ioLoop && ioLoop.isCompatible(KnoteIoHandle.class);
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        ((IoEventLoop) eventLoop()).register((KnoteIoHandle) unsafe()).addListener(future -> {
            if (!future.isSuccess()) {
                promise.setFailure(future.cause());
                return;
            }
            registration = (IoRegistration) future.getNow();
            loop = registration.attachment();
            if (!isOpen()) { // closed meanwhile, where the loop took its time
                doDeregister();
                promise.setFailure(new ClosedChannelException());
                return;
            }
            try {
                if (isWorthWatching()) {
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
        if (!isWatched && registration != null) {
            registration.submit(watch);
            isWatched = true;
            knoteMade();
        }
    }

    /** Makes or changes another knote of the channel; on the loop. */
    final void submit(KnoteIoOps ops) {
        registration.submit(ops);
    }

    /** Deletes the knotes: before the fd is closed, or the channel goes to another loop. */
    @Override
    protected void doDeregister() {
        IoRegistration last = registration;
        if (last != null) {
            registration = null;
            loop = null;
            isWatched = false;
            forgetReadiness();
            last.cancel();
        }
    }

    /** Whether {@link #loop} can be asked: from registration to the beginning of the end. */
    final boolean isOnLoop() {
        return loop != null;
    }

    /** Whether it is on this loop; asked on that. */
    final boolean isOn(LoopResources one) {
        return loop == one;
    }

    /** What the channels of the loop share; only while registered, and on the loop. */
    final LoopResources loop() {
        return loop;
    }

    // ---- memory and bind

    @Override
    protected void doBind(SocketAddress address) throws Exception {
        bindTo(address);
        local = Addresses.local(fdValue());
    }

    final void bindTo(SocketAddress address) throws IOException {
        long at = scratchAt();
        int result = Socket.bind(fdValue(), at, Addresses.encode(address, family, at));
        if (result < 0) {
            throw Failures.ofBind("bind", result);
        }
    }

    /** Room for an address, or for anything else that is small: the loop's, or, between two loops, its own. */
    final long scratchAt() {
        if (isOnLoop()) {
            return loop().scratch().address();
        }
        if (ownScratch == null) {
            ownScratch = Arena.ofAuto().allocate(OWN_SCRATCH_SIZE, 8);
        }
        return ownScratch.address();
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
}
