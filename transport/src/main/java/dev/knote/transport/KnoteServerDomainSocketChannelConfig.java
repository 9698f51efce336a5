package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.NetUtil;
import io.netty.util.internal.ObjectUtil;
import java.util.Map;
import java.util.function.IntSupplier;

/** Of a server's Unix domain socket. The backlog counts when it is bound. */
public final class KnoteServerDomainSocketChannelConfig
        extends
            KnoteChannelConfig<KnoteServerDomainSocketChannelConfig> {
    private volatile int backlog = NetUtil.SOMAXCONN;

    KnoteServerDomainSocketChannelConfig(Channel channel, IntSupplier fd, int family,
            Runnable onAutoReadCleared) {
        super(channel, fd, family, onAutoReadCleared, SocketOptions.DOMAIN_SERVER);
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

    /** How many connections may wait to be accepted. */
    public int getBacklog() {
        return backlog;
    }

    /** Sets {@link #getBacklog()}. */
    public KnoteServerDomainSocketChannelConfig setBacklog(int connections) {
        backlog = ObjectUtil.checkPositiveOrZero(connections, "backlog");
        return this;
    }
}
