package dev.knote.transport;

import dev.knote.KeventException;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnsupportedAddressTypeException;

/**
 * A channel whose address is a word of memory, a {@link MemoryWordAddress}; on the loops of a {@link KnoteIoHandler}.
 * {@code connect} takes a word that is there; {@code bind} also makes the named memory, if it is not there yet, which
 * stays until somebody unlinks it. Either makes the channel active.
 *
 * <p><b>Reads</b> are {@link MemoryWordEvent}s: the word's value when it has been changed and woken. A wake without a
 * change is one too, unless the address says {@link MemoryWordAddress#onlyChanges}. Several changes may be one event,
 * with the last value; no change followed by a wake is missed. The first event is of a value that is not the one
 * {@linkplain #EXPECTED expected}, or not the one that the word had when the channel was connected. The word is waited
 * for while a read is pending, and not otherwise: with auto read off one {@code read()} is one event, wakes in between
 * go to other waiters of the word, and a change in between is an event as soon as {@code read()} is called.
 *
 * <p><b>Writes</b> are {@link MemoryWordOp}s. A flush does them in their order and then wakes as many waiters as they
 * ask for together, in one entry into the kernel; then the promises are told. One fails, and the channel goes on, if a
 * compare-and-set found another value or if a value is too large for the word. This channel, while it reads, is a
 * waiter as any other, and may be the one that a limited number of wakes wakes.
 *
 * <p><b>Errors.</b> What is no word fails the connect. Memory that goes away is told to {@code exceptionCaught}, by a
 * {@link MemoryWordException}, or to the writes that find it gone; the channel closes.
 *
 * <p><b>Lifetime.</b> A segment is the caller's and must outlive the channel; named memory is unmapped on close.
 * The channel may be deregistered, and go on on another loop, without missing a change.
 */
public final class MemoryWordChannel extends AbstractChannel {
    /** The value that the caller has seen: one that is another when the channel is connected is read at once. */
    public static final ChannelOption<Long> EXPECTED = ChannelOption.valueOf(MemoryWordChannel.class,
            "EXPECTED");

    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final MemoryWordChannelConfig config = new MemoryWordChannelConfig(this);
    private volatile MemoryWordAddress address;
    private volatile boolean bound;
    private volatile boolean closed;
    private Word word;
    private Watch watch;
    private MemoryWordWrites writes;
    private LoopWords words;
    private IoRegistration registration;
    private boolean readPending;

    /** A channel that is not connected. */
    public MemoryWordChannel() {
        super(null);
    }

    /** The word in this channel. */
    private final class Watch extends WordWatch {
        private final String name = address.toString();

        Watch(long seen) {
            super(MemoryWordChannel.this.word, address, seen);
        }

        @Override
        void changed(long value) {
            readPending = false;
            pipeline().fireChannelRead(new MemoryWordEvent(name, 0, address, value, 0));
            pipeline().fireChannelReadComplete();
            if (!readPending) {
                disarm();
            }
        }

        @Override
        void failed(KeventException why) {
            readPending = false;
            pipeline().fireExceptionCaught(new MemoryWordException(address, why));
            unsafe().close(voidPromise());
        }

        @Override
        public String toString() {
            return MemoryWordChannel.this.toString();
        }
    }

    private final class WordUnsafe extends AbstractUnsafe implements KnoteIoHandle {
        @Override
        public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
            if (!promise.setUncancellable() || !ensureOpen(promise)) {
                return;
            }
            try {
                if (local != null) {
                    throw new UnsupportedOperationException("local address is " + local
                            + ": a word's channel is connected, or bound, to one address");
                }
                open(remote, false);
            } catch (Throwable t) {
                safeSetFailure(promise, t);
                return;
            }
            boolean alive = promise.trySuccess();
            pipeline().fireChannelActive();
            if (!alive) {
                close(voidPromise());
            }
        }

        /** The loop is shut down. */
        @Override
        public void close() {
            close(voidPromise());
        }

        @Override
        public void handle(IoRegistration ignored, IoEvent event) {
            throw new IllegalStateException("the knotes are those of " + words);
        }
    }

    private void open(SocketAddress to, boolean create) throws MemoryWordException {
        if (word != null) {
            throw new AlreadyConnectedException();
        }
        if (!(to instanceof MemoryWordAddress where)) {
            throw new UnsupportedAddressTypeException();
        }
        Word opened = null;
        try {
            opened = where.open(create);
            Long expected = config.expected();
            long seen = expected != null ? expected : opened.read();
            opened.read();
            word = opened;
            address = where;
            watch = new Watch(seen);
            writes = new MemoryWordWrites(where, opened);
            bound = create;
            if (readPending) {
                arm();
            }
        } catch (KeventException e) {
            forget();
            if (opened != null) {
                opened.close();
            }
            throw new MemoryWordException(where, e);
        }
    }

    private void forget() {
        disarm();
        word = null;
        watch = null;
        address = null;
    }

    private void arm() {
        if (!closed && watch != null && watch.at == null && words != null) {
            words.watch(watch);
        }
    }

    private void disarm() {
        if (watch != null && watch.at != null) {
            words.unwatch(watch);
        }
    }

    /** By the config, on any thread: a read that is pending is taken back. */
    void autoReadCleared() {
        if (!isRegistered()) {
            return;
        }
        EventLoop loop = eventLoop();
        if (loop.inEventLoop()) {
            clearRead();
        } else {
            loop.execute(this::clearReadLater);
        }
    }

    private void clearReadLater() {
        if (!config.isAutoRead()) {
            clearRead();
        }
    }

    private void clearRead() {
        readPending = false;
        disarm();
    }

    /**
     * Reads the word now. Only on the channel's loop.
     *
     * @throws NotYetConnectedException before the channel is active, and after
     * @throws MemoryWordException if the memory is gone
     */
    public long value() throws MemoryWordException {
        if (!isActive()) {
            throw new NotYetConnectedException();
        }
        try {
            return word.read();
        } catch (KeventException e) {
            throw new MemoryWordException(address, e);
        }
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        var loop = (IoEventLoop) eventLoop();
        loop.register((WordUnsafe) unsafe()).addListener(future -> {
            if (!future.isSuccess()) {
                promise.setFailure(future.cause());
                return;
            }
            registration = (IoRegistration) future.getNow();
            if (closed) { // meanwhile, where the loop took its time
                doDeregister();
                promise.setFailure(new ClosedChannelException());
                return;
            }
            try {
                words = LoopWords.acquire(loop);
            } catch (KeventException e) {
                registration.cancel();
                registration = null;
                promise.setFailure(e);
                return;
            }
            promise.setSuccess();
            armAgain();
        });
    }

    /** A read that was pending when the channel left its last loop, or was asked for since. */
    private void armAgain() {
        if (!readPending) {
            return;
        }
        try {
            arm();
        } catch (KeventException e) {
            watch.failed(e);
        }
    }

    @Override
    protected void doDeregister() {
        disarm();
        if (words != null) {
            words.release();
            words = null;
        }
        if (registration != null) {
            registration.cancel();
            registration = null;
        }
    }

    @Override
    protected void doBind(SocketAddress localAddress) throws MemoryWordException {
        open(localAddress, true);
    }

    @Override
    protected void doBeginRead() throws MemoryWordException {
        readPending = true;
        try {
            arm();
        } catch (KeventException e) {
            throw new MemoryWordException(address, e);
        }
    }

    @Override
    protected Object filterOutboundMessage(Object message) {
        if (message instanceof MemoryWordOp) {
            return message;
        }
        throw new UnsupportedOperationException("the message is a " + message.getClass().getName()
                + ": expected a MemoryWordOp");
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer buffer) throws MemoryWordException {
        writes.write(buffer);
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected void doClose() {
        closed = true;
        readPending = false;
        disarm();
        if (word != null) {
            word.close();
        }
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new WordUnsafe();
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return LoopWords.isCompatible(loop);
    }

    /** The word that the channel is bound to, or null. */
    @Override
    protected SocketAddress localAddress0() {
        return bound ? address : null;
    }

    /** The word that the channel is connected to, or null. */
    @Override
    protected SocketAddress remoteAddress0() {
        return bound ? null : address;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public boolean isActive() {
        return !closed && address != null;
    }
}
