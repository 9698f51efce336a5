package dev.knote.transport;

import dev.knote.transport.socket.Failures;
import dev.knote.transport.socket.Socket;
import dev.knote.transport.socket.SocketOption;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * The configuration of a channel of this transport. It knows the socket options of the channel's kind and any
 * {@link IntegerUnixChannelOption} and {@link RawUnixChannelOption}. An option that it does not know is null, and is
 * not set; one that the kernel refuses is a {@link ChannelException}.
 *
 * @param <C> the class itself, which the setters return
 */
public abstract class KnoteChannelConfig<C extends KnoteChannelConfig<C>> extends DefaultChannelConfig {
    private final IntSupplier fd;
    private final int family;
    private final Runnable onAutoReadCleared;
    private final SocketOptions options;
    private volatile long maxBytesPerGatheringWrite = Long.MAX_VALUE;

    /**
     * Of a channel whose socket is {@code fd}, -1 when it is closed.
     *
     * @param family AF_INET, AF_INET6 or AF_UNIX
     * @param onAutoReadCleared called, by any thread, when auto read is switched off; it may be called at once
     */
    KnoteChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared,
            SocketOptions options) {
        this(channel, fd, family, onAutoReadCleared, options, new ReceiveSizes());
    }

    /** As the other, with buffers to receive into as {@code allocator} says. */
    KnoteChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared,
            SocketOptions options, RecvByteBufAllocator allocator) {
        super(channel, allocator);
        this.fd = fd;
        this.family = family;
        this.onAutoReadCleared = onAutoReadCleared;
        this.options = options;
    }

    /** The options that this kind of channel has and the kernel knows; of a closed channel those of Netty alone. */
    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        Map<ChannelOption<?>, Object> all = super.getOptions();
        for (SocketOption option : options.all()) {
            if (option.isKnown(fd.getAsInt(), family)) {
                all.put(option.option(), option.get(fd.getAsInt(), family));
            }
        }
        return all;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        SocketOption known = options.find(option);
        if (known != null) {
            return (T) known.get(fd.getAsInt(), family);
        }
        if (option instanceof IntegerUnixChannelOption integer) {
            return (T) getInteger(integer);
        }
        if (option instanceof RawUnixChannelOption raw) {
            return (T) SocketOption.getRaw(fd.getAsInt(), raw, raw.level(), raw.optname(), raw.length());
        }
        return super.getOption(option);
    }

    private Integer getInteger(IntegerUnixChannelOption option) {
        long result = Socket.getsockopt(fd.getAsInt(), option.level(), option.optname());
        if (result < 0) {
            throw new ChannelException("no value of " + option, Failures.of("getsockopt", (int) result));
        }
        return (int) result;
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        validate(option, value);
        SocketOption known = options.find(option);
        if (known != null) {
            known.set(fd.getAsInt(), family, value);
            changed(known.option());
            return true;
        }
        if (option instanceof IntegerUnixChannelOption integer) {
            setInteger(integer, (Integer) value);
            return true;
        }
        if (option instanceof RawUnixChannelOption raw) {
            SocketOption.setRaw(fd.getAsInt(), raw, raw.level(), raw.optname(), (java.nio.ByteBuffer) value);
            return true;
        }
        return super.setOption(option, value);
    }

    private void setInteger(IntegerUnixChannelOption option, int value) {
        int result = Socket.setsockopt(fd.getAsInt(), option.level(), option.optname(), value);
        if (result < 0) {
            throw new ChannelException(option + " = " + value + " was refused",
                    Failures.of("setsockopt", result));
        }
    }

    /** Called after one of the known socket options was set. */
    void changed(ChannelOption<?> option) {}

    /** For the setters: sets an option that there is. */
    final <T> C with(ChannelOption<T> option, T value) {
        setOption(option, value);
        return self();
    }

    @SuppressWarnings("unchecked")
    final C self() {
        return (C) this;
    }

    /** How many bytes one gathering write may take; the channel tunes it. */
    final long maxBytesPerGatheringWrite() {
        return maxBytesPerGatheringWrite;
    }

    final void maxBytesPerGatheringWrite(long bytes) {
        maxBytesPerGatheringWrite = bytes;
    }

    @Override
    protected final void autoReadCleared() {
        onAutoReadCleared.run();
    }

    @Override
    public C setConnectTimeoutMillis(int connectTimeoutMillis) {
        super.setConnectTimeoutMillis(connectTimeoutMillis);
        return self();
    }

    @Override
    @Deprecated
    public C setMaxMessagesPerRead(int maxMessagesPerRead) {
        super.setMaxMessagesPerRead(maxMessagesPerRead);
        return self();
    }

    @Override
    public C setMaxMessagesPerWrite(int maxMessagesPerWrite) {
        super.setMaxMessagesPerWrite(maxMessagesPerWrite);
        return self();
    }

    @Override
    public C setWriteSpinCount(int writeSpinCount) {
        super.setWriteSpinCount(writeSpinCount);
        return self();
    }

    @Override
    public C setAllocator(ByteBufAllocator allocator) {
        super.setAllocator(allocator);
        return self();
    }

    /** The allocator's handles must be {@link RecvByteBufAllocator.ExtendedHandle}s. */
    @Override
    public C setRecvByteBufAllocator(RecvByteBufAllocator allocator) {
        if (!(allocator.newHandle() instanceof RecvByteBufAllocator.ExtendedHandle)) {
            throw new IllegalArgumentException("allocator.newHandle() returned no "
                    + RecvByteBufAllocator.ExtendedHandle.class.getName());
        }
        super.setRecvByteBufAllocator(allocator);
        return self();
    }

    @Override
    public C setAutoRead(boolean autoRead) {
        super.setAutoRead(autoRead);
        return self();
    }

    @Override
    public C setAutoClose(boolean autoClose) {
        super.setAutoClose(autoClose);
        return self();
    }

    @Override
    @Deprecated
    public C setWriteBufferHighWaterMark(int writeBufferHighWaterMark) {
        super.setWriteBufferHighWaterMark(writeBufferHighWaterMark);
        return self();
    }

    @Override
    @Deprecated
    public C setWriteBufferLowWaterMark(int writeBufferLowWaterMark) {
        super.setWriteBufferLowWaterMark(writeBufferLowWaterMark);
        return self();
    }

    @Override
    public C setWriteBufferWaterMark(WriteBufferWaterMark writeBufferWaterMark) {
        super.setWriteBufferWaterMark(writeBufferWaterMark);
        return self();
    }

    @Override
    public C setMessageSizeEstimator(MessageSizeEstimator estimator) {
        super.setMessageSizeEstimator(estimator);
        return self();
    }
}
