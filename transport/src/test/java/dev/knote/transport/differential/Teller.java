package dev.knote.transport.differential;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DatagramPacket;
import java.nio.charset.StandardCharsets;

/** A handler that tells of each event, does what is to be done at it, and passes it on. */
@ChannelHandler.Sharable
final class Teller extends ChannelDuplexHandler {
    private final Story story;
    private final String name;

    /** What a program does. */
    interface Action {
        void act(ChannelHandlerContext ctx) throws Exception;
    }

    Teller(Story story, String name) {
        this.story = story;
        this.name = name;
    }

    private void tell(ChannelHandlerContext ctx, String event) throws Exception {
        tell(ctx, event, "");
    }

    private void tell(ChannelHandlerContext ctx, String event, String more) throws Exception {
        String line = name + " " + event;
        story.say(line + more + " " + Story.state(ctx.channel()));
        Action action = story.actionOn(line);
        if (action != null) {
            action.act(ctx);
        }
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "registered");
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "unregistered");
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "active");
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "inactive");
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        String text = message instanceof Channel ? "a channel" : text(message);
        tell(ctx, "read", ": " + text);
        if (message instanceof Channel) {
            ctx.fireChannelRead(message);
        }
    }

    private static String text(Object message) {
        ByteBuf buffer = message instanceof DatagramPacket packet ? packet.content() : (ByteBuf) message;
        String text = buffer.readableBytes() > 40 ? buffer.readableBytes() + " bytes"
                : buffer.toString(StandardCharsets.US_ASCII);
        buffer.release();
        return text;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "readComplete");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        tell(ctx, "event " + event.getClass().getSimpleName());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "writability");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        tell(ctx, "caught", " " + Story.name(cause));
        if (ctx.channel() instanceof ServerChannel) { // whose acceptor rests
            ctx.fireExceptionCaught(cause);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
        tell(ctx, "removed");
    }
}
