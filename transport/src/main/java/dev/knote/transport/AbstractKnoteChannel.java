package dev.knote.transport;

import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.RecvByteBufAllocator;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;

/**
 * A channel over a socket: one edge-triggered knote, and the memory of what its edges said, which belongs to the loop.
 */
abstract class AbstractKnoteChannel extends AbstractFdChannel {
    private static final int OUT = Epoll.EPOLLOUT | Epoll.EPOLLERR | Epoll.EPOLLHUP;
    private static final int HUNG_UP = Epoll.EPOLLRDHUP | Epoll.EPOLLHUP;
    private static final int IN = Epoll.EPOLLIN | Epoll.EPOLLPRI | Epoll.EPOLLERR | HUNG_UP;

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
    /** Nothing is received any more, as for the loop. */
    boolean inputShutdown;
    /** No read will ever bring anything: the end was seen, or an error, or the channel is closed. */
    boolean inputEnded;

    private final Runnable readAgain = this::readAgain;
    private final Runnable flushAgain = this::flushAgain;
    private boolean wantsRead;
    private boolean reading;
    private boolean readLeft;
    private boolean flushLeft;
    private PendingConnect connecting;

    AbstractKnoteChannel(Channel parent, GivenSocket given) {
        super(parent, given);
    }

    // ---- what the kinds of channel do

    /** What {@link ReceiveBatch} takes part in; false if the channel is to read at once. */
    boolean readWithOthers() {
        return false;
    }

    /** Whether something was received that was not read yet. */
    boolean hasReceived() {
        return false;
    }

    /** Whether the end of input leaves the channel open. */
    boolean isHalfClosureAllowed() {
        return false;
    }

    @Override
    protected abstract KnoteUnsafe newUnsafe();

    // ---- life

    @Override
    boolean isWorthWatching() {
        return active || connecting != null;
    }

    @Override
    final void knoteMade() {
        if (watched() != 0) { // no edge will say that what is left can be written
            flushLater();
        }
        if (hasReceived()) { // and no edge will say that
            readable = true;
            readLater();
        }
    }

    /** The first edge of the next knote tells it anew. */
    @Override
    final void forgetReadiness() {
        readable = false;
        writable = watched() != 0;
        readLeft = false;
        flushLeft = false;
    }

    @Override
    protected void doClose() throws Exception {
        active = false;
        inputShutdown = true;
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

    // ---- connecting

    /** Starts to connect; returns whether that is all. As on NIO, what cannot be connected is closed. */
    boolean doConnect(SocketAddress remoteAddress, SocketAddress localAddress) throws Exception {
        if (remoteAddress0() != null) {
            throw new AlreadyConnectedException();
        }
        if (localAddress != null) {
            bindTo(localAddress);
        }
        int result;
        boolean begun = false;
        try {
            result = connectTo(remoteAddress);
            begun = true;
        } finally {
            if (!begun) {
                doClose();
            }
        }
        local(Addresses.local(fdValue())); // bound by now, connected or not
        if (result == 0) {
            remote(PendingConnect.named(remoteAddress, Addresses.remote(fdValue())));
        }
        return result == 0;
    }

    private int connectTo(SocketAddress remoteAddress) throws IOException {
        long at = scratchAt();
        int result = Socket.connect(fdValue(), at, Addresses.encode(remoteAddress, family, at));
        if (result < 0 && !PendingConnect.isPending(result)) {
            throw Failures.ofConnect(result);
        }
        return result;
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
        if (!readLeft && isOnLoop()) {
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

    /** For {@link ReceiveBatch}: reads, unless the channel has left the loop, or has nothing to read any more. */
    final void readIfHere(LoopResources here) {
        if (isOn(here) && readable && (wantsRead || hungUp)) {
            ((KnoteUnsafe) unsafe()).read();
        }
    }

    /** Whether a read on {@code here} brings what there is, without further ado. */
    final boolean readsPlainly(LoopResources here) {
        return isOn(here) && readable && wantsRead && !hungUp && !urgent && !isReadingOver();
    }

    /** Whether a read loop ends, whatever there is to read. */
    final boolean isReadingOver() {
        return inputShutdown && (inputEnded || !isHalfClosureAllowed());
    }

    // ---- writing

    /** There is no room: an event tells when there is. */
    void awaitRoom() {
        writable = false;
    }

    /** Has the rest flushed in the loop's next turn: this channel had its share. */
    final void flushLater() {
        if (!flushLeft && isOnLoop()) {
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

        /** The one-shot knote of a channel that waits for room. */
        @Override
        public void handle(IoRegistration ignored, IoEvent event) {
            if (((KnoteIoEvent) event).filter() == Kqueue.EVFILT_WRITE) {
                boolean waited = outReady();
            }
        }

        /**
         * An edge. Room to write comes first, as a connection that failed is to be told as that. What there is to read
         * comes before its end.
         */
        final void ready(int ready) {
            boolean open = (ready & OUT) == 0 || !outReady() || isOpen();
            if ((ready & IN) == 0 || !open) {
                return;
            }
            readable = true;
            urgent |= (ready & Epoll.EPOLLPRI) != 0;
            if ((ready & HUNG_UP) != 0) {
                hungUp();
            }
            boolean plainly = wantsRead && !hungUp && !urgent && (ready & Epoll.EPOLLERR) == 0;
            if (plainly && readWithOthers()) {
                return;
            }
            if (wantsRead || hungUp || (ready & Epoll.EPOLLERR) != 0) {
                read();
            }
        }

        /** Returns whether somebody waited for that, who may have done anything then. */
        private boolean outReady() {
            boolean waited = !writable;
            writable = true;
            PendingConnect pending = connecting;
            if (pending != null) {
                finishConnect(pending);
            } else if (waited) {
                flush0();
            }
            return waited || pending != null;
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

        /** Waits for room in the socket, for the connection, and, between two loops, for the next knote. */
        @Override
        protected void flush0() {
            if (isActive() && !isOnLoop()) {
                writable = watched() != 0;
            } else if ((writable || !isActive()) && connecting == null) {
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
                remote(PendingConnect.named(pending.remote, Addresses.remote(fdValue())));
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
            boolean isActive = isActive(); // before a listener of the promise closes it
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
