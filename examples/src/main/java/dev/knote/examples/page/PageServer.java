package dev.knote.examples.page;

import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerSocketChannel;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** An HTTP and WebSocket server, of Netty's ordinary handlers, whose loop waits for words of memory too. */
final class PageServer implements AutoCloseable {
    static final int MOST_CONNECTIONS = 64;
    static final int MOST_PAGES = 16;
    static final int MOST_IN_A_FRAME = 256;
    static final String SOCKET_PATH = "/words";

    private static final int MOST_IN_A_REQUEST = 1024;
    private static final int IDLE_SECONDS = 5;
    private static final int MOST_UNREAD = 64 << 10;
    private static final WriteBufferWaterMark UNSENT = new WriteBufferWaterMark(16 << 10, 64 << 10);

    /** What all pages share. */
    record Context(Words words, OpenPages pages, String about) {}

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final OpenPages pages = new OpenPages(MOST_PAGES);
    private final Context context;
    private final Channel server;

    /**
     * Serves on the loopback interface.
     *
     * @param port 0 for any that is free
     */
    PageServer(int port, Words words, String about) throws IOException {
        context = new Context(words, pages, about);
        boolean bound = false;
        try {
            server = new ServerBootstrap().group(group).channel(KnoteServerSocketChannel.class)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(ChannelOption.SO_SNDBUF, MOST_UNREAD)
                    .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT)
                    .childHandler(new Connection())
                    .bind(InetAddress.getByName("127.0.0.1"), port).syncUninterruptibly().channel();
            bound = true;
        } finally {
            if (!bound) {
                close();
            }
        }
    }

    int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    String url() {
        return "http://127.0.0.1:" + port() + "/";
    }

    OpenPages pages() {
        return pages;
    }

    private final class Connection extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel channel) {
            if (connections.size() >= MOST_CONNECTIONS) {
                channel.close();
                return;
            }
            connections.add(channel);
            var webSocket = WebSocketServerProtocolConfig.newBuilder().websocketPath(SOCKET_PATH)
                    .maxFramePayloadLength(MOST_IN_A_FRAME).build();
            channel.pipeline().addLast(new IdleStateHandler(IDLE_SECONDS, 0, 0, TimeUnit.SECONDS),
                    new HttpServerCodec(), new HttpObjectAggregator(MOST_IN_A_REQUEST), new PageRequests(),
                    new WebSocketServerProtocolHandler(webSocket), new PageSocket(context));
        }
    }

    @Override
    public void close() {
        if (server != null) {
            server.close().awaitUninterruptibly();
        }
        connections.close().awaitUninterruptibly(Duration.ofSeconds(5).toMillis());
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
