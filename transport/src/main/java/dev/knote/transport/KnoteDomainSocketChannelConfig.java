package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannelConfig;
import io.netty.channel.unix.DomainSocketChannelConfig;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.UnixChannelOption;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntSupplier;

/** Of a connection by a Unix domain socket. It reads bytes: file descriptors are not there yet. */
public final class KnoteDomainSocketChannelConfig extends KnoteChannelConfig<KnoteDomainSocketChannelConfig>
        implements
            DomainSocketChannelConfig,
            DuplexChannelConfig {
    private volatile boolean allowHalfClosure;

    KnoteDomainSocketChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared) {
        super(channel, fd, family, onAutoReadCleared, SocketOptions.DOMAIN);
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.ALLOW_HALF_CLOSURE,
                UnixChannelOption.DOMAIN_SOCKET_READ_MODE);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
            return (T) Boolean.valueOf(allowHalfClosure);
        }
        return option == UnixChannelOption.DOMAIN_SOCKET_READ_MODE
                ? (T) getReadMode()
                : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        validate(option, value);
        if (option == ChannelOption.ALLOW_HALF_CLOSURE) {
            allowHalfClosure = (Boolean) value;
        } else if (option == UnixChannelOption.DOMAIN_SOCKET_READ_MODE) {
            setReadMode((DomainSocketReadMode) value);
        } else {
            return super.setOption(option, value);
        }
        return true;
    }

    @Override
    public boolean isAllowHalfClosure() {
        return allowHalfClosure;
    }

    @Override
    public KnoteDomainSocketChannelConfig setAllowHalfClosure(boolean allow) {
        allowHalfClosure = allow;
        return this;
    }

    @Override
    public DomainSocketReadMode getReadMode() {
        return DomainSocketReadMode.BYTES;
    }

    /**
     * Takes {@link DomainSocketReadMode#BYTES}.
     *
     * @throws UnsupportedOperationException for any other
     */
    @Override
    public KnoteDomainSocketChannelConfig setReadMode(DomainSocketReadMode mode) {
        if (Objects.requireNonNull(mode, "mode") != DomainSocketReadMode.BYTES) {
            throw new UnsupportedOperationException(
                    "this transport reads BYTES from a Unix domain socket, no " + mode);
        }
        return this;
    }
}
