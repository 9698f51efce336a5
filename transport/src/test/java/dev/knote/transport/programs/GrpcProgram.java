package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** A gRPC server and a client of it, on loops and channels of this transport. */
final class GrpcProgram implements AutoCloseable {
    static final MethodDescriptor<String, String> ASK = method("ask", MethodType.UNARY);
    static final MethodDescriptor<String, String> TALK = method("talk", MethodType.BIDI_STREAMING);
    static final MethodDescriptor<String, String> LIST = method("list", MethodType.SERVER_STREAMING);

    private static final int CLOSE_SECONDS = 30;

    private final Channels channels;
    private final EventLoopGroup group = Channels.newGroup();
    private final Server server;
    private final ManagedChannel client;

    GrpcProgram(Channels channels, boolean tls) throws Exception {
        this.channels = channels;
        var serverBuilder = NettyServerBuilder.forAddress(new InetSocketAddress("localhost", 0))
                .bossEventLoopGroup(group).workerEventLoopGroup(group).channelFactory(channels::server)
                .addService(service());
        X509Bundle certificate = tls ? certificate() : null;
        if (tls) {
            serverBuilder.sslContext(
                    alpn(SslContextBuilder.forServer(certificate.toKeyManagerFactory())));
        }
        server = serverBuilder.build().start();
        var clientBuilder = NettyChannelBuilder.forAddress("localhost", server.getPort())
                .eventLoopGroup(group).channelFactory(channels::socket);
        if (tls) {
            clientBuilder.sslContext(
                    alpn(SslContextBuilder.forClient().trustManager(certificate.toTrustManagerFactory())));
        } else {
            clientBuilder.usePlaintext();
        }
        client = clientBuilder.build();
    }

    ManagedChannel client() {
        return client;
    }

    @Override
    public void close() {
        client.shutdown();
        server.shutdown();
        try {
            assertTrue(client.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS), "the client ends");
            assertTrue(server.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS), "the server ends");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        channels.assertUsed(SocketChannel.class, ServerSocketChannel.class);
        Channels.shutDown(group);
    }

    private static X509Bundle certificate() throws Exception {
        return new CertificateBuilder().subject("CN=localhost").addSanDnsName("localhost")
                .setIsCertificateAuthority(true).ecp256().buildSelfSigned();
    }

    private static SslContext alpn(SslContextBuilder builder) throws IOException {
        return GrpcSslContexts.configure(builder, SslProvider.JDK).build();
    }

    private static ServerServiceDefinition service() {
        return ServerServiceDefinition.builder("programs")
                .addMethod(ASK, ServerCalls.asyncUnaryCall((question, answers) -> {
                    answers.onNext(Load.answer(question));
                    answers.onCompleted();
                })).addMethod(TALK, ServerCalls.asyncBidiStreamingCall(Talk::new))
                .addMethod(LIST, ServerCalls.asyncServerStreamingCall(GrpcProgram::list)).build();
    }

    /** So many answers as asked for, as fast as the client takes them. */
    private static void list(String count, StreamObserver<String> answers) {
        var paced = (ServerCallStreamObserver<String>) answers;
        var next = new int[1];
        int end = Integer.parseInt(count);
        paced.setOnReadyHandler(() -> {
            while (paced.isReady() && next[0] < end) {
                paced.onNext(Load.question(next[0]));
                next[0]++;
                if (next[0] == end) {
                    paced.onCompleted();
                }
            }
        });
    }

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        var text = new Text();
        return MethodDescriptor.newBuilder(text, text).setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName("programs", name)).build();
    }

    private record Talk(StreamObserver<String> answers) implements StreamObserver<String> {
        @Override
        public void onNext(String question) {
            answers.onNext(Load.answer(question));
        }

        @Override
        public void onError(Throwable failure) {
            // the client has gone
        }

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
