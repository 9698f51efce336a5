package dev.knote.transport.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A channel of the story's side and a plain socket that it is connected to. */
final class Peer implements AutoCloseable {
    final Channel channel;
    final SocketChannel socket;
    private final Channel server;
    private final Path directory;

    private Peer(Channel channel, SocketChannel socket, Channel server, Path directory) {
        this.channel = channel;
        this.socket = socket;
        this.server = server;
        this.directory = directory;
    }

    /** The channel is one that the side's server has accepted; it tells as "child". */
    static Peer accepted(Story story, boolean domain, Consumer<ServerBootstrap> more) throws Exception {
        Path directory = domain ? Files.createTempDirectory("peer") : null;
        var child = new CompletableFuture<Channel>();
        ServerBootstrap bootstrap = new ServerBootstrap().group(story.group)
                .channelFactory(domain ? story.side.domainServer : story.side.server)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel of) {
                        of.pipeline().addLast(new Teller(story, "child"));
                        child.complete(of);
                    }
                });
        more.accept(bootstrap);
        Channel server = bootstrap.bind(address(directory, 0)).sync().channel();
        SocketChannel socket = domain ? SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("s")))
                : SocketChannel.open(server.localAddress());
        Channel channel = child.get(5, TimeUnit.SECONDS);
        story.await("child active");
        return new Peer(channel, socket, server, directory);
    }

    /** The channel has connected; it tells as "client". */
    static Peer connected(Story story, boolean domain, Consumer<Bootstrap> more) throws Exception {
        Path directory = domain ? Files.createTempDirectory("peer") : null;
        try (ServerSocketChannel listening = listen(directory)) {
            Bootstrap bootstrap = client(story, domain);
            more.accept(bootstrap);
            int port = domain ? 0 : ((InetSocketAddress) listening.getLocalAddress()).getPort();
            Channel channel = bootstrap.connect(address(directory, port)).sync().channel();
            SocketChannel socket = listening.accept();
            story.await("client active");
            return new Peer(channel, socket, null, directory);
        }
    }

    static Bootstrap client(Story story, boolean domain) {
        return new Bootstrap().group(story.group)
                .channelFactory(
                        domain ? story.side.domain : story.side.socket)
                .handler(new Teller(story, "client"));
    }

    static ServerSocketChannel listen(Path directory) throws IOException {
        return directory == null
                ? ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                : ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                        .bind(UnixDomainSocketAddress.of(directory.resolve("s")));
    }

    static SocketAddress address(Path directory, int port) {
        if (directory == null) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }
        return UnixDomainSocketAddress.of(directory.resolve("s"));
    }

    void send(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
    }

    void expect(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(text.length());
        while (bytes.hasRemaining()) {
            if (socket.read(bytes) < 0) {
                break;
            }
        }
        assertEquals(text, new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII));
    }

    /** Reads to the end; how many bytes, or why not. */
    String drain() {
        ByteBuffer bytes = ByteBuffer.allocate(65_536);
        long count = 0;
        try {
            for (int n; (n = socket.read(bytes)) >= 0; bytes.clear()) {
                count += n;
            }
            return count + " bytes";
        } catch (IOException e) {
            return "reset";
        }
    }

    void reset() throws IOException {
        socket.setOption(StandardSocketOptions.SO_LINGER, 0);
        socket.close();
    }

    /** The channel first, which is not to see the end of its peer. */
    @Override
    public void close() throws IOException {
        if (channel.isOpen()) {
            channel.close().syncUninterruptibly();
        }
        socket.close();
        if (server != null && server.isOpen()) {
            server.close().syncUninterruptibly();
        }
        if (directory != null) {
            Files.deleteIfExists(directory.resolve("s"));
            Files.deleteIfExists(directory);
        }
    }
}
