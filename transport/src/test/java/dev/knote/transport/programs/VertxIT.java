package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.dns.AddressResolverOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import java.net.HttpURLConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Vert.x, told of the transport by its builder; its resolver asks a name server by datagrams. */
@Timeout(value = 500, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VertxIT {
    private static final int CONNECTIONS = 16;
    private static final int WEB_SOCKETS = 8;

    @ParameterizedTest
    @EnumSource
    void everyHttpRequestIsAnswered(Channels.Kind kind) throws Exception {
        try (var program = new Program(kind)) {
            int port = program.serve().actualPort();
            HttpClient client = program.vertx.createHttpClient(new HttpClientOptions(),
                    new PoolOptions().setHttp1MaxSize(CONNECTIONS));
            Load.run("Vert.x HTTP, " + kind, (number, question, answer) -> client
                    .request(HttpMethod.POST, port, NameServer.NAME, "/")
                    .compose(request -> request.send(question).compose(VertxIT::textOf))
                    .onComplete(answer::accept));
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyWebSocketMessageIsAnsweredInItsOrder(Channels.Kind kind) throws Exception {
        try (var program = new Program(kind)) {
            int port = program.serve().actualPort();
            WebSocketClient client = program.vertx.createWebSocketClient();
            List<Talk> talks = new ArrayList<>();
            for (int i = 0; i < WEB_SOCKETS; i++) {
                talks.add(new Talk(get(client.connect(port, NameServer.NAME, "/"))));
            }
            Load.run("Vert.x WebSocket, " + kind,
                    (number, question, answer) -> talks.get(number % WEB_SOCKETS).ask(question, answer));
            for (Talk talk : talks) {
                get(talk.socket.close());
            }
        }
    }

    /** To be asked for in the response's own turn, as a body that nobody waits for is dropped. */
    private static Future<String> textOf(HttpClientResponse response) {
        return response.statusCode() == HttpURLConnection.HTTP_OK ? response.body().map(Buffer::toString)
                : Future.failedFuture("status " + response.statusCode());
    }

    private static <T> T get(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture()
                .orTimeout(Load.PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    }

    /** Vert.x and the name server it is told to ask. */
    private static final class Program implements AutoCloseable {
        private final Channels channels;
        private final NameServer names;
        private final Vertx vertx;

        Program(Channels.Kind kind) {
            channels = new Channels(kind);
            names = new NameServer(new Channels(kind));
            String server = names.address().getAddress().getHostAddress() + ":" + names.address().getPort();
            vertx = Vertx.builder()
                    .with(new VertxOptions().setEventLoopPoolSize(2).setPreferNativeTransport(true)
                            .setAddressResolverOptions(new AddressResolverOptions().addServer(server)))
                    .withTransport(new KnoteVertxTransport(channels)).build();
            assertTrue(vertx.isNativeTransportEnabled(), () -> "" + vertx.unavailableNativeTransportCause());
        }

        HttpServer serve() {
            return get(vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                    .requestHandler(Program::answer).webSocketHandler(Program::talk).listen());
        }

        private static void answer(HttpServerRequest request) {
            request.body().onSuccess(body -> request.response().end(Load.answer(body.toString())));
        }

        private static void talk(ServerWebSocket socket) {
            socket.textMessageHandler(question -> socket.writeTextMessage(Load.answer(question)));
        }

        @Override
        public void close() {
            get(vertx.close());
            names.close();
            assertTrue(names.answered() > 0, "the name server was asked");
            channels.assertUsed(SocketChannel.class, ServerSocketChannel.class, DatagramChannel.class);
        }
    }

    private static final class Talk {
        private final Load.Conversation conversation = new Load.Conversation();
        private final WebSocket socket;

        Talk(WebSocket socket) {
            this.socket = socket;
            socket.textMessageHandler(conversation::answered).exceptionHandler(conversation::failed)
                    .closeHandler(_ -> conversation.failed(new IllegalStateException("closed")));
        }

        void ask(String question, BiConsumer<String, Throwable> answer) {
            conversation.asked(answer);
            socket.writeTextMessage(question);
        }
    }
}
