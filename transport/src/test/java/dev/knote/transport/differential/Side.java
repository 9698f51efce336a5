package dev.knote.transport.differential;

import dev.knote.transport.KnoteDatagramChannel;
import dev.knote.transport.KnoteDomainSocketChannel;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerDomainSocketChannel;
import dev.knote.transport.KnoteServerSocketChannel;
import dev.knote.transport.KnoteSocketChannel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.function.Supplier;

/** Loops and channels that are to behave alike. */
enum Side {
    /** What a program knows. */
    NIO(NioIoHandler::newFactory, NioSocketChannel::new, NioServerSocketChannel::new, NioDatagramChannel::new,
            NioDomainSocketChannel::new, NioServerDomainSocketChannel::new),
    /** Netty's NIO channels on loops of this transport. */
    BRIDGE(KnoteIoHandler::newFactory, NioSocketChannel::new, NioServerSocketChannel::new,
            NioDatagramChannel::new, NioDomainSocketChannel::new, NioServerDomainSocketChannel::new),
    /** All of it of this transport. */
    OWN(KnoteIoHandler::newFactory, KnoteSocketChannel::new, KnoteServerSocketChannel::new,
            KnoteDatagramChannel::new, KnoteDomainSocketChannel::new, KnoteServerDomainSocketChannel::new);

    final Supplier<IoHandlerFactory> loops;
    final ChannelFactory<? extends DuplexChannel> socket;
    final ChannelFactory<? extends ServerChannel> server;
    final ChannelFactory<? extends DatagramChannel> datagram;
    final ChannelFactory<? extends DuplexChannel> domain;
    final ChannelFactory<? extends ServerChannel> domainServer;

    Side(Supplier<IoHandlerFactory> loops, ChannelFactory<? extends DuplexChannel> socket,
            ChannelFactory<? extends ServerChannel> server,
            ChannelFactory<? extends DatagramChannel> datagram,
            ChannelFactory<? extends DuplexChannel> domain,
            ChannelFactory<? extends ServerChannel> domainServer) {
        this.loops = loops;
        this.socket = socket;
        this.server = server;
        this.datagram = datagram;
        this.domain = domain;
        this.domainServer = domainServer;
    }
}
