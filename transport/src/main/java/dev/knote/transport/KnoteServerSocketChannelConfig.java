package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ServerSocketChannelConfig;
import io.netty.util.NetUtil;
import io.netty.util.internal.ObjectUtil;
import java.util.Map;
import java.util.function.IntSupplier;

/** Of a server's TCP socket. The backlog counts when it is bound. */
public final class KnoteServerSocketChannelConfig extends KnoteChannelConfig<KnoteServerSocketChannelConfig>
        implements
            ServerSocketChannelConfig {
    private volatile int backlog = NetUtil.SOMAXCONN;

    KnoteServerSocketChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared) {
        super(channel, fd, family, onAutoReadCleared, SocketOptions.TCP_SERVER);
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.SO_BACKLOG);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        return option == ChannelOption.SO_BACKLOG ? (T) Integer.valueOf(backlog) : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        if (option == ChannelOption.SO_BACKLOG) {
            validate(option, value);
            setBacklog((Integer) value);
            return true;
        }
        return super.setOption(option, value);
    }

    @Override
    public int getBacklog() {
        return backlog;
    }

    @Override
    public KnoteServerSocketChannelConfig setBacklog(int connections) {
        backlog = ObjectUtil.checkPositiveOrZero(connections, "backlog");
        return this;
    }

    @Override
    public boolean isReuseAddress() {
        return getOption(ChannelOption.SO_REUSEADDR);
    }

    @Override
    public KnoteServerSocketChannelConfig setReuseAddress(boolean reuseAddress) {
        return with(ChannelOption.SO_REUSEADDR, reuseAddress);
    }

    @Override
    public int getReceiveBufferSize() {
        return getOption(ChannelOption.SO_RCVBUF);
    }

    @Override
    public KnoteServerSocketChannelConfig setReceiveBufferSize(int receiveBufferSize) {
        return with(ChannelOption.SO_RCVBUF, receiveBufferSize);
    }

    /** Has no effect. */
    @Override
    public KnoteServerSocketChannelConfig setPerformancePreferences(int connectionTime, int latency,
            int bandwidth) {
        return this;
    }
}
