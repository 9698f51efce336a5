package dev.knote.transport.programs;

import dev.knote.transport.Knote;
import dev.knote.transport.KnoteIoHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DatagramChannel;
import io.vertx.core.spi.transport.Transport;

/** This transport as Vert.x wants to be told of one: the name, and what it is made of. */
record KnoteVertxTransport(Channels channels) implements io.vertx.core.transport.Transport, Transport {
    @Override
    public String name() {
        return "knote";
    }

    @Override
    public boolean available() {
        return Knote.isAvailable();
    }

    @Override
    public Throwable unavailabilityCause() {
        return Knote.unavailabilityCause();
    }

    @Override
    public Transport implementation() {
        return this;
    }

    @Override
    public IoHandlerFactory ioHandlerFactory() {
        return KnoteIoHandler.newFactory();
    }

    @Override
    public ChannelFactory<? extends Channel> channelFactory(boolean domain) {
        return channels::socket;
    }

    @Override
    public ChannelFactory<? extends ServerChannel> serverChannelFactory(boolean domain) {
        return channels::server;
    }

    @Override
    public ChannelFactory<? extends DatagramChannel> datagramChannelFactory() {
        return channels::datagram;
    }

    @Override
    @SuppressWarnings("deprecation") // the interface's
    public DatagramChannel datagramChannel(io.netty.channel.socket.InternetProtocolFamily family) {
        return channels.datagram();
    }
}
