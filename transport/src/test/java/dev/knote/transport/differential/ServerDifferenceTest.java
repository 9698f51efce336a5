package dev.knote.transport.differential;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Listening on this transport is as on NIO. */
@Timeout(120)
class ServerDifferenceTest {
    @TempDir
    Path temp;

    private static ServerBootstrap server(Story story, ChannelHandler child) {
        // One loop for all: what two loops say has no order.
        return new ServerBootstrap().group(story.group.next()).channelFactory(story.side.server)
                .handler(new Teller(story, "server")).childHandler(child);
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void itsWholeLife(Side side) throws Exception {
        Story.compare(side, story -> {
            Channel server = server(story, new Teller(story, "child")).bind(Peer.address(null, 0)).sync()
                    .channel();
            story.await("server active");
            story.ended("write", server.writeAndFlush("any"));
            story.ended("connect", server.connect(server.localAddress()));
            story.say(Story.state(server) + server.remoteAddress());
            try (SocketChannel client = SocketChannel.open(server.localAddress())) {
                story.await("child active");
                story.settle(server.eventLoop());
                story.ended("close", server.close());
                story.await("server unregistered");
                client.write(java.nio.ByteBuffer.wrap(new byte[] {'x'}));
                story.await("child read: x");
            }
            story.await("child unregistered");
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void theAddressIsTaken(Side side) throws Exception {
        Story.compare(side, story -> {
            try (ServerSocketChannel other = Peer.listen(null)) {
                story.ended("bind", server(story, new Teller(story, "child")).bind(other.getLocalAddress()));
                story.await("server unregistered");
            }
            story.ended("unresolved",
                    server(story, new Teller(story, "child"))
                            .bind(InetSocketAddress.createUnresolved("no", 1)));
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void thePathIsTaken(Side side) throws Exception {
        Path path = temp.resolve("taken");
        try (ServerSocketChannel other = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));
            Story.compare(side, story -> {
                story.ended("bind", new ServerBootstrap().group(story.group)
                        .channelFactory(story.side.domainServer).handler(new Teller(story, "server"))
                        .childHandler(new Teller(story, "child")).bind(UnixDomainSocketAddress.of(path)));
                story.await("server unregistered");
            });
        }
    }

    /** Of the children, when they come to be registered. */
    @ChannelHandler.Sharable
    private static final class Thrower extends ChannelInboundHandlerAdapter {
        private final Story story;

        Thrower(Story story) {
            this.story = story;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            ctx.channel().closeFuture().addListener(done -> story.say("closed"));
            throw new IllegalStateException("added");
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(Unpooled.wrappedBuffer(new byte[5]));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BRIDGE", "OWN"})
    void aHandlerOfAConnectionThrowsWhenItIsAdded(Side side) throws Exception {
        Story.compare(side, story -> {
            Channel server = server(story, new Thrower(story)).bind(Peer.address(null, 0)).sync().channel();
            story.settle(server.eventLoop());
            try (SocketChannel one = SocketChannel.open(server.localAddress())) {
                story.await("server readComplete");
                story.settle(server.eventLoop());
                story.say("goes on " + one.isOpen());
            }
            story.await("closed");
        });
    }
}
