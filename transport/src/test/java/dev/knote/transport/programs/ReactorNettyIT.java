package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;
import reactor.netty.ByteBufMono;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;

/** Reactor Netty, told its loops and channels by its LoopResources; its resolver asks a name server by datagrams. */
@Timeout(value = 500, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReactorNettyIT {
    private static final int CONNECTIONS = 16;
    private static final Duration QUIET = Duration.ofMillis(100); // so that loops see their channels end
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @ParameterizedTest
    @EnumSource
    void everyHttpRequestIsAnswered(Channels.Kind kind) throws Exception {
        var channels = new Channels(kind);
        LoopResources loops = new KnoteLoops(channels, Channels.newGroup());
        ConnectionProvider connections = ConnectionProvider.builder("programs").maxConnections(CONNECTIONS)
                .pendingAcquireMaxCount(-1).build();
        try (var names = new NameServer(new Channels(kind))) {
            DisposableServer server = serve(loops);
            HttpClient client = client(loops, connections, names.address()).baseUrl(
                    "http://" + NameServer.NAME + ":" + server.port());
            Load.run("Reactor Netty HTTP, " + kind, (number, question, answer) -> {
                var answered = new AtomicBoolean();
                client.post().uri("/").send(ByteBufMono.fromString(Mono.just(question)))
                        .responseSingle(ReactorNettyIT::textOf).subscribe(text -> {
                            answered.set(true);
                            answer.accept(text, null);
                        }, failure -> answer.accept(null, failure), () -> {
                            if (!answered.get()) {
                                answer.accept("", null);
                            }
                        });
            });
            connections.disposeLater().block(PATIENCE);
            server.disposeNow(PATIENCE);
            loops.disposeLater(QUIET, PATIENCE).block(PATIENCE);
            assertTrue(names.answered() > 0, "the name server was asked");
        }
        channels.assertUsed(SocketChannel.class, ServerSocketChannel.class, DatagramChannel.class);
    }

    private static Mono<String> textOf(HttpClientResponse response, ByteBufMono body) {
        int status = response.status().code();
        return status == HttpURLConnection.HTTP_OK ? body.asString()
                : Mono.error(new IllegalStateException("status " + status));
    }

    private static DisposableServer serve(LoopResources loops) {
        return HttpServer.create().runOn(loops).host("localhost").port(0)
                .handle((request, response) -> response
                        .sendString(request.receive().aggregate().asString().map(Load::answer)))
                .bindNow(PATIENCE);
    }

    private static HttpClient client(LoopResources loops, ConnectionProvider connections,
            InetSocketAddress names) {
        return HttpClient.create(connections).runOn(loops)
                .resolver(resolver -> resolver.dnsAddressResolverGroupProvider(
                        builder -> new DnsAddressResolverGroup(builder
                                .nameServerProvider(new SingletonDnsServerAddressStreamProvider(names)))));
    }
}
