package dev.knote.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.DatagramChannelConfig;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Map;
import java.util.function.IntSupplier;

/** Of a UDP socket. A datagram that is longer than the receive buffer, 2048 bytes by default, is cut. */
public final class KnoteDatagramChannelConfig extends KnoteChannelConfig<KnoteDatagramChannelConfig>
        implements
            DatagramChannelConfig {
    private static final int DATAGRAM_SIZE = 2048;

    private volatile boolean activeOnRegistration;

    KnoteDatagramChannelConfig(Channel channel, IntSupplier fd, int family, Runnable onAutoReadCleared) {
        super(channel, fd, family, onAutoReadCleared, SocketOptions.DATAGRAM,
                new FixedRecvByteBufAllocator(DATAGRAM_SIZE));
    }

    /** Whether the channel is active once it is registered, not only once it is bound. */
    boolean isActiveOnRegistration() {
        return activeOnRegistration;
    }

    @Override
    @SuppressWarnings("deprecation")
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION);
    }

    @Override
    @SuppressWarnings({"unchecked", "deprecation"})
    public <T> T getOption(ChannelOption<T> option) {
        return option == ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION
                ? (T) Boolean.valueOf(activeOnRegistration)
                : super.getOption(option);
    }

    @Override
    @SuppressWarnings("deprecation")
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        if (option != ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION) {
            return super.setOption(option, value);
        }
        validate(option, value);
        if (channel.isRegistered()) {
            throw new IllegalStateException(option + " can only be set before the channel is registered");
        }
        activeOnRegistration = (Boolean) value;
        return true;
    }

    @Override
    public int getSendBufferSize() {
        return getOption(ChannelOption.SO_SNDBUF);
    }

    @Override
    public KnoteDatagramChannelConfig setSendBufferSize(int sendBufferSize) {
        return with(ChannelOption.SO_SNDBUF, sendBufferSize);
    }

    @Override
    public int getReceiveBufferSize() {
        return getOption(ChannelOption.SO_RCVBUF);
    }

    @Override
    public KnoteDatagramChannelConfig setReceiveBufferSize(int receiveBufferSize) {
        return with(ChannelOption.SO_RCVBUF, receiveBufferSize);
    }

    @Override
    public int getTrafficClass() {
        return getOption(ChannelOption.IP_TOS);
    }

    @Override
    public KnoteDatagramChannelConfig setTrafficClass(int trafficClass) {
        return with(ChannelOption.IP_TOS, trafficClass);
    }

    @Override
    public boolean isReuseAddress() {
        return getOption(ChannelOption.SO_REUSEADDR);
    }

    @Override
    public KnoteDatagramChannelConfig setReuseAddress(boolean reuseAddress) {
        return with(ChannelOption.SO_REUSEADDR, reuseAddress);
    }

    @Override
    public boolean isBroadcast() {
        return getOption(ChannelOption.SO_BROADCAST);
    }

    @Override
    public KnoteDatagramChannelConfig setBroadcast(boolean broadcast) {
        return with(ChannelOption.SO_BROADCAST, broadcast);
    }

    @Override
    public boolean isLoopbackModeDisabled() {
        return getOption(ChannelOption.IP_MULTICAST_LOOP_DISABLED);
    }

    @Override
    public KnoteDatagramChannelConfig setLoopbackModeDisabled(boolean loopbackModeDisabled) {
        return with(ChannelOption.IP_MULTICAST_LOOP_DISABLED, loopbackModeDisabled);
    }

    @Override
    public int getTimeToLive() {
        return getOption(ChannelOption.IP_MULTICAST_TTL);
    }

    @Override
    public KnoteDatagramChannelConfig setTimeToLive(int ttl) {
        return with(ChannelOption.IP_MULTICAST_TTL, ttl);
    }

    @Override
    public InetAddress getInterface() {
        return getOption(ChannelOption.IP_MULTICAST_ADDR);
    }

    @Override
    public KnoteDatagramChannelConfig setInterface(InetAddress interfaceAddress) {
        return with(ChannelOption.IP_MULTICAST_ADDR, interfaceAddress);
    }

    @Override
    public NetworkInterface getNetworkInterface() {
        return getOption(ChannelOption.IP_MULTICAST_IF);
    }

    @Override
    public KnoteDatagramChannelConfig setNetworkInterface(NetworkInterface networkInterface) {
        return with(ChannelOption.IP_MULTICAST_IF, networkInterface);
    }
}
