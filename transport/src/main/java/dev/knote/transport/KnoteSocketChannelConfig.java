package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannelConfig;
import io.netty.util.internal.PlatformDependent;
import java.util.Map;
import java.util.function.IntSupplier;

/** Of a TCP connection. TCP_NODELAY is on, as Netty has it by default. */
public final class KnoteSocketChannelConfig extends KnoteChannelConfig<KnoteSocketChannelConfig>
        implements
            SocketChannelConfig {
    private volatile boolean allowHalfClosure;

    KnoteSocketChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared) {
        super(channel, fd, family, onAutoReadCleared, SocketOptions.TCP);
        if (PlatformDependent.canEnableTcpNoDelayByDefault()) {
            try {
                setTcpNoDelay(true);
            } catch (ChannelException e) {
                // a socket that was given to us may be of another protocol than TCP
            }
        }
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.ALLOW_HALF_CLOSURE);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        return option == ChannelOption.ALLOW_HALF_CLOSURE
                ? (T) Boolean.valueOf(allowHalfClosure)
                : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
            validate(option, value);
            allowHalfClosure = (Boolean) value;
            return true;
        }
        return super.setOption(option, value);
    }

    @Override
    public boolean isAllowHalfClosure() {
        return allowHalfClosure;
    }

    @Override
    public KnoteSocketChannelConfig setAllowHalfClosure(boolean allow) {
        allowHalfClosure = allow;
        return this;
    }

    @Override
    public boolean isTcpNoDelay() {
        return getOption(ChannelOption.TCP_NODELAY);
    }

    @Override
    public KnoteSocketChannelConfig setTcpNoDelay(boolean tcpNoDelay) {
        return with(ChannelOption.TCP_NODELAY, tcpNoDelay);
    }

    @Override
    public int getSoLinger() {
        return getOption(ChannelOption.SO_LINGER);
    }

    @Override
    public KnoteSocketChannelConfig setSoLinger(int soLinger) {
        return with(ChannelOption.SO_LINGER, soLinger);
    }

    @Override
    public int getSendBufferSize() {
        return getOption(ChannelOption.SO_SNDBUF);
    }

    @Override
    public KnoteSocketChannelConfig setSendBufferSize(int sendBufferSize) {
        return with(ChannelOption.SO_SNDBUF, sendBufferSize);
    }

    @Override
    public int getReceiveBufferSize() {
        return getOption(ChannelOption.SO_RCVBUF);
    }

    @Override
    public KnoteSocketChannelConfig setReceiveBufferSize(int receiveBufferSize) {
        return with(ChannelOption.SO_RCVBUF, receiveBufferSize);
    }

    @Override
    public boolean isKeepAlive() {
        return getOption(ChannelOption.SO_KEEPALIVE);
    }

    @Override
    public KnoteSocketChannelConfig setKeepAlive(boolean keepAlive) {
        return with(ChannelOption.SO_KEEPALIVE, keepAlive);
    }

    @Override
    public int getTrafficClass() {
        return getOption(ChannelOption.IP_TOS);
    }

    @Override
    public KnoteSocketChannelConfig setTrafficClass(int trafficClass) {
        return with(ChannelOption.IP_TOS, trafficClass);
    }

    @Override
    public boolean isReuseAddress() {
        return getOption(ChannelOption.SO_REUSEADDR);
    }

    @Override
    public KnoteSocketChannelConfig setReuseAddress(boolean reuseAddress) {
        return with(ChannelOption.SO_REUSEADDR, reuseAddress);
    }

    /** Has no effect. */
    @Override
    public KnoteSocketChannelConfig setPerformancePreferences(int connectionTime, int latency,
            int bandwidth) {
        return this;
    }
}
