package dev.knote.benchmarks.netty;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Sends back what comes, as it comes. */
final class Echo extends ChannelInboundHandlerAdapter {
    private static final int BACKLOG = 1024;

    /** Returns its port. */
    static String serve(Transport transport) {
        ServerBootstrap bootstrap = new ServerBootstrap().group(Server.group(transport.factory()))
                .channel(transport.serverChannel)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new Echo());
                    }
                });
        if (transport == Transport.IO_URING_BUFFERS) {
            bootstrap.childOption(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, Transport.BUFFER_GROUP);
        }
        var address = bootstrap.bind(InetAddress.getLoopbackAddress(), 0).syncUninterruptibly().channel()
                .localAddress();
        return String.valueOf(((InetSocketAddress) address).getPort());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ctx.write(message, ctx.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close(); // the client is gone
    }
}
