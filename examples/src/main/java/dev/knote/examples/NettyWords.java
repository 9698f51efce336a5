package dev.knote.examples;

import dev.knote.SharedMemory;
import dev.knote.transport.KnoteIoHandler;
import dev.knote.transport.KnoteServerSocketChannel;
import dev.knote.transport.MemoryWordAddress;
import dev.knote.transport.MemoryWordEvent;
import dev.knote.transport.MemoryWordHandler;
import dev.knote.transport.MemoryWords;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.DataInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** The README's example of the transport: connections are told of a word that another process may change. */
final class NettyWords {
    private NettyWords() {}

    static void main() throws Exception {
        String name = "knote-jobs-" + ProcessHandle.current().pid();
        var group = new MultiThreadIoEventLoopGroup(KnoteIoHandler.newFactory());
        try (var memory = SharedMemory.create(name, 4096)) {
            Channel server = new ServerBootstrap().group(group).channel(KnoteServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel connection) {
                            tellOfJobs(connection.pipeline(), name);
                        }
                    }).bind(InetAddress.getLoopbackAddress(), 0).sync().channel();
            int port = ((InetSocketAddress) server.localAddress()).getPort();
            try (var caller = new Socket(InetAddress.getLoopbackAddress(), port)) {
                SharedMemory.store32(memory.word32(0), 42); // as a C program would, and wakes
                MemoryWords.wake(memory.word32(0), Integer.MAX_VALUE);
                System.out.println("jobs: " + new DataInputStream(caller.getInputStream()).readInt());
            }
        } finally {
            SharedMemory.unlink(name);
            group.shutdownGracefully();
        }
    }

    private static void tellOfJobs(ChannelPipeline pipeline, String name) {
        var jobs = MemoryWordAddress.of(name, 0, Integer.BYTES);
        pipeline.addLast(new MemoryWordHandler().watch("jobs", jobs, 0));
        pipeline.addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                if (event instanceof MemoryWordEvent word) {
                    ctx.writeAndFlush(Unpooled.copyInt((int) word.value()));
                }
            }
        });
    }
}
