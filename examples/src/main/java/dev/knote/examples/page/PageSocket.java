package dev.knote.examples.page;

import dev.knote.transport.MemoryWordEvent;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler.HandshakeComplete;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.EnumSet;
import java.util.Set;

/**
 * An open page: sends it each change of a word, and does what it asks for. A page that does not keep up gets the
 * present values when it does again.
 */
final class PageSocket extends SimpleChannelInboundHandler<WebSocketFrame> {
    private final PageServer.Context server;
    private final Set<Word> unsent = EnumSet.noneOf(Word.class);
    private boolean open;

    PageSocket(PageServer.Context server) {
        this.server = server;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        switch (event) {
            case HandshakeComplete _ -> open(context);
            case MemoryWordEvent word -> changed(context, Word.ALL[word.index()], (int) word.value());
            case IdleStateEvent idle -> idle(context, idle.isFirst());
            default -> context.fireUserEventTriggered(event);
        }
    }

    private void open(ChannelHandlerContext context) {
        if (!server.pages().enter()) {
            end(context, WebSocketCloseStatus.TRY_AGAIN_LATER, "too many pages");
            return;
        }
        open = true;
        context.pipeline().addBefore(context.name(), "words", server.words().watched());
        context.write(new TextWebSocketFrame(PageMessages.hello(server.about())));
        for (Word word : Word.ALL) {
            context.write(new TextWebSocketFrame(PageMessages.present(server.words(), word)));
        }
        context.flush();
    }

    private void changed(ChannelHandlerContext context, Word word, int value) {
        if (context.channel().isWritable()) {
            String message = PageMessages.changed(server.words(), word, value, System.nanoTime());
            context.writeAndFlush(new TextWebSocketFrame(message));
        } else {
            unsent.add(word);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable() && !unsent.isEmpty()) {
            unsent.forEach(word -> context
                    .write(new TextWebSocketFrame(PageMessages.present(server.words(), word))));
            unsent.clear();
            context.flush();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        String text = frame instanceof TextWebSocketFrame whole && frame.isFinalFragment() ? whole.text()
                : "";
        if (text.equals("ask")) {
            server.words().add(Word.QUESTION, 1);
        } else if (text.matches("time \\d{1,15}(\\.\\d{1,9})?")) {
            String message = PageMessages.time(text.substring(5), System.nanoTime());
            context.writeAndFlush(new TextWebSocketFrame(message));
        } else {
            end(context, WebSocketCloseStatus.POLICY_VIOLATION, "not a message of this page");
        }
    }

    /** A browser answers a ping even where the page is not to be seen, and sleeps. */
    private void idle(ChannelHandlerContext context, boolean first) {
        if (first && open) {
            context.writeAndFlush(new PingWebSocketFrame());
        } else {
            context.close();
        }
    }

    private static void end(ChannelHandlerContext context, WebSocketCloseStatus status, String why) {
        context.writeAndFlush(new CloseWebSocketFrame(status, why))
                .addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (open) {
            server.pages().leave();
        }
        context.fireChannelInactive();
    }

    /** Of the peer's making: a frame too large, a connection reset. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
