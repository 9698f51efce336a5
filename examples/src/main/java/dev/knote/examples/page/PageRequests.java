package dev.knote.examples.page;

import static io.netty.handler.codec.http.HttpHeaderNames.*;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Answers requests for the page, and lets those for a WebSocket pass. Only who asks for this machine's own address is
 * answered, so that pages of other sites, in the same browser, get nothing.
 */
final class PageRequests extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final byte[] PAGE = page();
    private static final String POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src "
            + "'unsafe-inline'; img-src data:; connect-src 'self' ws://";

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        String host = request.headers().get(HOST, "");
        String origin = request.headers().get(ORIGIN);
        boolean local = host.matches("(127\\.0\\.0\\.1|localhost)(:\\d{1,5})?");
        if (!request.decoderResult().isSuccess()) {
            refuse(context, request, HttpResponseStatus.BAD_REQUEST);
        } else if (!local || origin != null && !origin.equals("http://" + host)) {
            refuse(context, request, HttpResponseStatus.FORBIDDEN);
        } else if (request.uri().equals(PageServer.SOCKET_PATH)) {
            context.fireChannelRead(request.retain());
        } else if (!request.uri().equals("/")) {
            refuse(context, request, HttpResponseStatus.NOT_FOUND);
        } else if (request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD)) {
            answer(context, request, host);
        } else {
            refuse(context, request, HttpResponseStatus.METHOD_NOT_ALLOWED);
        }
    }

    /** A page that is isolated from others has a clock of microseconds. */
    private static void answer(ChannelHandlerContext context, FullHttpRequest request, String host) {
        boolean head = request.method().equals(HttpMethod.HEAD);
        FullHttpResponse response = response(HttpResponseStatus.OK, PAGE, "text/html");
        if (head) {
            response.content().clear();
        }
        response.headers().set("cross-origin-opener-policy", "same-origin")
                .set("cross-origin-embedder-policy", "require-corp")
                .set(CONTENT_SECURITY_POLICY, POLICY + host);
        send(context, request, response);
    }

    private static void refuse(ChannelHandlerContext context, FullHttpRequest request,
            HttpResponseStatus status) {
        byte[] text = (status + "\n").getBytes(StandardCharsets.US_ASCII);
        FullHttpResponse response = response(status, text, "text/plain");
        if (status.equals(HttpResponseStatus.METHOD_NOT_ALLOWED)) {
            response.headers().set(ALLOW, "GET, HEAD");
        }
        send(context, request, response);
    }

    private static FullHttpResponse response(HttpResponseStatus status, byte[] content, String type) {
        ByteBuf body = Unpooled.wrappedBuffer(content);
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
        response.headers().set(CONTENT_TYPE, type + "; charset=utf-8").set(CACHE_CONTROL, "no-store")
                .set("x-content-type-options", "nosniff").setInt(CONTENT_LENGTH, content.length);
        return response;
    }

    private static void send(ChannelHandlerContext context, FullHttpRequest request,
            FullHttpResponse response) {
        boolean keep = HttpUtil.isKeepAlive(request) && response.status().equals(HttpResponseStatus.OK);
        HttpUtil.setKeepAlive(response, keep);
        var sent = context.writeAndFlush(response);
        if (!keep) {
            sent.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private static byte[] page() {
        try (var resource = PageRequests.class.getResourceAsStream("page.html")) {
            return resource.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
