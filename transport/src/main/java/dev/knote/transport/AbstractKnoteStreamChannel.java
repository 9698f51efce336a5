package dev.knote.transport;

import dev.knote.linux.Errno;
import dev.knote.transport.socket.Buffers;
import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.SendRing;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.nio.channels.NotYetConnectedException;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection. */
abstract class AbstractKnoteStreamChannel extends AbstractKnoteChannel implements DuplexChannel {
    private static final Logger LOG = LoggerFactory.getLogger(AbstractKnoteStreamChannel.class);

    private final StreamWriter writer = new StreamWriter(this);
    /** What was received with others and not read yet, or null. */
    private ByteBuf early;
    /** As {@link #receive} would have returned for it. */
    private int earlyResult;

    AbstractKnoteStreamChannel(Channel parent, GivenSocket given) {
        super(parent, given);
    }

    @Override
    public abstract KnoteChannelConfig<?> config();

    @Override
    protected KnoteUnsafe newUnsafe() {
        return new StreamUnsafe();
    }

    /** Whether close(2) waits for what was sent to be received. */
    boolean lingers() {
        return false;
    }

    /**
     * Reads once: how many bytes, 0 for the end, or -errno. Clears {@link #readable} if less came than there was room
     * for, and that means that there is no more.
     */
    int receive(long at, int room) {
        int bytes = Socket.read(fdValue(), at, room);
        if (bytes < room && !hungUp && !urgent) {
            readable = false;
        }
        return bytes;
    }

    // ---- receiving with others

    /** Whether recv(2) is all there is to {@link #receive}. */
    boolean receivesPlainly() {
        return false;
    }

    @Override
    final boolean readWithOthers() {
        return receivesPlainly() && loop().receives().add(this);
    }

    @Override
    final boolean hasReceived() {
        return early != null;
    }

    /** Prepares to receive as {@link #readInto} would; returns the number in the ring, or -1 if that is to be left to it. */
    final int prepareReceive(LoopResources here, SendRing ring) {
        if (early != null || !readsPlainly(here)) {
            return -1;
        }
        ReceiveHandle handle = ((KnoteUnsafe) unsafe()).recvBufAllocHandle();
        ByteBuf buffer = null;
        try {
            handle.reset(config());
            buffer = handle.allocate(config().getAllocator());
            int room = buffer.writableBytes();
            handle.attemptedBytesRead(room);
            int number = ring.receive(fdValue(), Buffers.address(buffer, buffer.writerIndex(), room), room);
            early = buffer;
            return number;
        } catch (Throwable t) { // a user's allocator: reading will tell
            LOG.debug("{} has no buffer to receive into", this, t);
            if (buffer != null) {
                buffer.release();
            }
            return -1;
        }
    }

    final void received(int result) {
        earlyResult = result;
        if (result == SendRing.NOT_DONE) {
            dropReceived();
        }
    }

    private void dropReceived() {
        ByteBuf dropped = early;
        if (dropped != null) {
            early = null;
            dropped.release();
        }
    }

    @Override
    protected void doClose() throws Exception {
        dropReceived();
        super.doClose();
    }

    private ByteBuf takeReceived() {
        ByteBuf buffer = early;
        early = null;
        return buffer;
    }

    // ---- reading

    /** -1 at the end of input. */
    private int readInto(ByteBuf buffer) throws IOException {
        int room = buffer.writableBytes();
        unsafe().recvBufAllocHandle().attemptedBytesRead(room);
        return took(buffer, receive(Buffers.address(buffer, buffer.writerIndex(), room), room));
    }

    private int tookEarly(ByteBuf buffer) throws IOException {
        if (earlyResult < buffer.writableBytes() && !hungUp && !urgent) {
            readable = false;
        }
        return took(buffer, earlyResult);
    }

    private int took(ByteBuf buffer, int bytes) throws IOException {
        if (bytes > 0) {
            buffer.writerIndex(buffer.writerIndex() + bytes);
            return bytes;
        }
        readable = false;
        if (bytes == -Errno.EAGAIN) {
            urgent = false;
            return 0;
        }
        if (bytes == 0) {
            return -1;
        }
        throw Failures.of("recv", bytes);
    }

    // ---- writing

    @Override
    protected Object filterOutboundMessage(Object message) {
        if (message instanceof ByteBuf buffer) {
            boolean asIs = Buffers.isNative(buffer)
                    && (buffer.hasMemoryAddress() || buffer.nioBufferCount() <= Socket.IOVEC_MAX);
            return asIs ? buffer : toDirect(buffer, buffer);
        }
        if (message instanceof FileRegion) {
            return message;
        }
        throw new UnsupportedOperationException("unsupported message type: " + message.getClass().getName()
                + " (expected: ByteBuf, FileRegion)");
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) throws Exception {
        if (writer.postpone(out)) {
            return;
        }
        write(out, config().getWriteSpinCount() - writer.recall());
        if (writable && !out.isEmpty()) {
            flushLater();
        }
    }

    private void write(ChannelOutboundBuffer out, int most) throws Exception {
        int attempts = most;
        while (writable && attempts > 0 && !out.isEmpty()) {
            attempts -= writer.write(out);
        }
    }

    /** For {@link SendBatch}, at the end of a turn: sends what was postponed, or learns how much was sent. */
    final void endTurn() {
        ((KnoteUnsafe) unsafe()).flush0();
        writer.forget(); // taken by that
    }

    /** Sends what was postponed before the output, or the channel's time on this loop, ends. */
    private void sendPostponed() {
        ChannelOutboundBuffer out = writer.postponed();
        if (out == null) {
            return;
        }
        try {
            write(out, config().getWriteSpinCount() - writer.recall());
        } catch (Exception e) {
            LOG.debug("{} could not send the last of its output", this, e); // which fails with the channel
        }
    }

    /**
     * Sends what was flushed by who was told that a message is sent, and now ends the output: that was in the middle of
     * a flush, which goes on later.
     */
    private void sendFlushedByListener() {
        ChannelOutboundBuffer out = unsafe().outboundBuffer();
        if (!writer.isTelling() || out == null || !isOnLoop()) {
            return;
        }
        try {
            writer.tellOthers(out);
            write(out, config().getWriteSpinCount());
        } catch (Exception e) {
            LOG.debug("{} could not send the last of its output", this, e); // which fails with the channel
        }
    }

    @Override
    protected void doDeregister() {
        if (isOnLoop()) {
            sendPostponed();
        }
        super.doDeregister();
    }

    // ---- half closure

    @Override
    public boolean isInputShutdown() {
        return socket.isInputShutdown();
    }

    @Override
    public boolean isOutputShutdown() {
        return socket.isOutputShutdown();
    }

    @Override
    public boolean isShutdown() {
        return socket.isInputShutdown() && socket.isOutputShutdown();
    }

    @Override
    protected final void doShutdownOutput() throws Exception {
        sendPostponed();
        socket.shutdownOutput();
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        onLoop(() -> {
            sendFlushedByListener();
            ((KnoteUnsafe) unsafe()).shutdownOutput(promise);
        });
        return promise;
    }

    @Override
    public ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        onLoop(() -> {
            try {
                inputShutdown = true;
                socket.shutdownInput();
                promise.setSuccess();
            } catch (IOException | NotYetConnectedException e) {
                promise.setFailure(e);
            }
        });
        return promise;
    }

    @Override
    public ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    /** Both; the first failure is the promise's. */
    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        shutdownOutput().addListener(output -> shutdownInput().addListener(input -> {
            Throwable cause = output.isSuccess() ? input.cause() : output.cause();
            if (cause == null) {
                promise.setSuccess();
            } else {
                promise.setFailure(cause);
            }
        }));
        return promise;
    }

    private void onLoop(Runnable task) {
        if (eventLoop().inEventLoop()) {
            task.run();
        } else {
            eventLoop().execute(task);
        }
    }

    private final class StreamUnsafe extends KnoteUnsafe {
        /** A connection of which the peer has closed one direction is readable until its end. */
        @Override
        void hungUp() {
            hungUp = true;
            if (!isActive()) {
                endInput(false);
            }
        }

        @Override
        void readLoop() {
            SendBatch sends = loop().sends();
            sends.beginReading();
            try {
                readAll();
            } finally {
                sends.endReading();
            }
        }

        private void readAll() {
            ChannelConfig config = config();
            ReceiveHandle handle = recvBufAllocHandle();
            ByteBuf buffer = takeReceived();
            boolean isEarly = buffer != null;
            if (!isEarly) {
                handle.reset(config);
            }
            boolean end = false;
            try {
                do {
                    if (!isEarly) {
                        buffer = handle.allocate(config.getAllocator());
                    }
                    int bytes = isEarly ? tookEarly(buffer) : readInto(buffer);
                    isEarly = false;
                    handle.lastBytesRead(bytes);
                    if (bytes <= 0) {
                        buffer.release();
                        buffer = null;
                        end = bytes < 0;
                        break;
                    }
                    handle.incMessagesRead(1);
                    readPending = false;
                    ByteBuf message = buffer;
                    buffer = null;
                    pipeline().fireChannelRead(message);
                } while (isOnLoop() && !isReadingOver() && handle.continueReading()); // a lingering close is under way
            } catch (Throwable t) {
                failRead(handle, buffer, t);
                return;
            }
            if (end) {
                readPending = false;
            }
            handle.readComplete();
            pipeline().fireChannelReadComplete();
            if (end) {
                endInput(true);
            }
        }

        private void failRead(ReceiveHandle handle, ByteBuf buffer, Throwable cause) {
            ChannelPipeline pipeline = pipeline();
            if (buffer != null) {
                buffer.release();
            }
            handle.readComplete();
            pipeline.fireChannelReadComplete();
            pipeline.fireExceptionCaught(cause);
            if (cause instanceof IOException || cause instanceof OutOfMemoryError) {
                endInput(true);
            }
        }

        /** The peer sends no more; with {@code complete}, and all that it sent is read. */
        private void endInput(boolean complete) {
            if (!socket.isInputShutdown()) {
                if (!isHalfClosureAllowed()) {
                    close(voidPromise());
                    return;
                }
                try {
                    inputShutdown = true;
                    socket.shutdownInput();
                } catch (IOException e) { // there is no connection any more
                    pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                    close(voidPromise());
                    return;
                } catch (NotYetConnectedException e) {
                    // it is shut down by that
                }
                pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            }
            if (complete && !inputEnded) {
                inputEnded = true;
                pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
            }
        }

        @Override
        public void close(ChannelPromise promise) {
            sendFlushedByListener();
            super.close(promise);
        }

        /** Closing may take its time, in which no event must come. */
        @Override
        protected Executor prepareToClose() {
            if (!lingers()) {
                return null;
            }
            doDeregister();
            return GlobalEventExecutor.INSTANCE;
        }
    }
}
