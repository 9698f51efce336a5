package dev.knote.transport.testsuite;

import dev.knote.transport.KnoteDatagramChannel;
import dev.knote.transport.KnoteDomainSocketChannel;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerDomainSocketChannel;
import dev.knote.transport.KnoteServerSocketChannel;
import dev.knote.transport.KnoteSocketChannel;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapFactory;
import io.netty.testsuite.transport.socket.SocketTestPermutation;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Our channels with each other, with NIO as the peer, and as the peer of NIO; NIO with itself is left out.
 */
final class KnoteSocketTestPermutation extends SocketTestPermutation {
    private final String kind;
    private final EventLoopGroup group;

    /** As {@link Suite} tells. */
    KnoteSocketTestPermutation(String kind) {
        this.kind = kind;
        group = switch (kind) {
            case "own", "nio" -> new MultiThreadIoEventLoopGroup(NUM_THREADS,
                    new DefaultThreadFactory("testsuite-knote", true), KnoteIoHandler.newFactory());
            case "control" -> NIO_GROUP;
            default -> throw new IllegalArgumentException("knote.suite is " + kind
                    + ": expected own, nio or control");
        };
    }

    /** Whether the channels are those of this transport. */
    boolean isOwn() {
        return kind.equals("own");
    }

    private boolean isControl() {
        return kind.equals("control");
    }

    @Override
    public List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> socket() {
        return withoutNioAlone(combo(serverSocket(), clientSocket()));
    }

    @Override
    public List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> socketWithFastOpen() {
        return socket();
    }

    @Override
    public List<BootstrapFactory<ServerBootstrap>> serverSocket() {
        return withNio(server(ownServer()), super.serverSocket());
    }

    @Override
    public List<BootstrapFactory<Bootstrap>> clientSocket() {
        return withNio(client(ownSocket()), super.clientSocket());
    }

    @Override
    public List<BootstrapFactory<Bootstrap>> clientSocketWithFastOpen() {
        return clientSocket();
    }

    @Override
    public List<BootstrapFactory<Bootstrap>> datagramSocket() {
        return withNio(client(ownDatagram(null)), super.datagramSocket());
    }

    @Override
    public List<BootstrapComboFactory<Bootstrap, Bootstrap>> datagram(SocketProtocolFamily family) {
        BootstrapFactory<Bootstrap> nio = () -> new Bootstrap().group(NIO_GROUP)
                .channelFactory(named(() -> new NioDatagramChannel(family), "NioDatagramChannel"));
        List<BootstrapFactory<Bootstrap>> factories = withNio(client(ownDatagram(family)), List.of(nio));
        return withoutNioAlone(combo(factories, factories));
    }

    Class<? extends ServerChannel> serverClass() {
        return ownServer().newChannel().getClass();
    }

    Channel newSocket() {
        return ownSocket().newChannel();
    }

    /** Unix domain sockets, of one kind. */
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> domainSocket() {
        return combo(serverDomainSocket(), List.of(client(ownDomainSocket())));
    }

    List<BootstrapFactory<ServerBootstrap>> serverDomainSocket() {
        return List.of(server(ownServerDomainSocket()));
    }

    private ChannelFactory<ServerChannel> ownServer() {
        return isOwn() ? named(KnoteServerSocketChannel::new, "KnoteServerSocketChannel")
                : named(NioServerSocketChannel::new, "NioServerSocketChannel");
    }

    private ChannelFactory<Channel> ownSocket() {
        return isOwn() ? named(KnoteSocketChannel::new, "KnoteSocketChannel")
                : named(NioSocketChannel::new, "NioSocketChannel");
    }

    private ChannelFactory<ServerChannel> ownServerDomainSocket() {
        return isOwn() ? named(KnoteServerDomainSocketChannel::new, "KnoteServerDomainSocketChannel")
                : named(NioServerDomainSocketChannel::new, "NioServerDomainSocketChannel");
    }

    private ChannelFactory<Channel> ownDomainSocket() {
        return isOwn() ? named(KnoteDomainSocketChannel::new, "KnoteDomainSocketChannel")
                : named(NioDomainSocketChannel::new, "NioDomainSocketChannel");
    }

    private ChannelFactory<Channel> ownDatagram(SocketProtocolFamily family) {
        if (isOwn()) {
            return named(() -> family == null ? new KnoteDatagramChannel() : new KnoteDatagramChannel(family),
                    "KnoteDatagramChannel");
        }
        return named(() -> family == null ? new NioDatagramChannel() : new NioDatagramChannel(family),
                "NioDatagramChannel");
    }

    private static <C extends Channel> ChannelFactory<C> named(Supplier<C> maker, String name) {
        return new ChannelFactory<>() {
            @Override
            public C newChannel() {
                return maker.get();
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    private BootstrapFactory<ServerBootstrap> server(ChannelFactory<ServerChannel> channels) {
        return () -> new ServerBootstrap().group(group).channelFactory(channels);
    }

    private BootstrapFactory<Bootstrap> client(ChannelFactory<Channel> channels) {
        return () -> new Bootstrap().group(group).channelFactory(channels);
    }

    private <B extends AbstractBootstrap<?, ?>> List<BootstrapFactory<B>> withNio(BootstrapFactory<B> own,
            List<BootstrapFactory<B>> nio) {
        if (isControl()) {
            return nio;
        }
        var list = new ArrayList<BootstrapFactory<B>>();
        list.add(own);
        list.addAll(nio);
        return list;
    }

    private <T> List<T> withoutNioAlone(List<T> combos) {
        return isControl() ? combos : combos.subList(0, combos.size() - 1);
    }
}
