package dev.knote.transport.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** gRPC-Java, told its group and channels by its builders. */
@Timeout(value = 500, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GrpcIT {
    private static final int STREAMS = 8;

    @ParameterizedTest
    @CsvSource({"OWN, false", "OWN, true", "NIO, false", "NIO, true"})
    void everyUnaryCallIsAnswered(Channels.Kind kind, boolean tls) throws Exception {
        try (var program = new GrpcProgram(new Channels(kind), tls)) {
            Load.run(name("unary", kind, tls), (number, question, answer) -> ClientCalls.asyncUnaryCall(
                    program.client().newCall(GrpcProgram.ASK, CallOptions.DEFAULT), question,
                    new Single(answer)));
        }
    }

    @ParameterizedTest
    @CsvSource({"OWN, false", "OWN, true", "NIO, false", "NIO, true"})
    void everyMessageOnAStreamIsAnsweredInItsOrder(Channels.Kind kind, boolean tls) throws Exception {
        try (var program = new GrpcProgram(new Channels(kind), tls)) {
            List<Stream> streams = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                streams.add(new Stream(program));
            }
            Load.run(name("bidirectional", kind, tls),
                    (number, question, answer) -> streams.get(number % STREAMS).ask(question, answer));
            for (Stream stream : streams) {
                stream.end();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"OWN, false", "OWN, true", "NIO, false", "NIO, true"})
    void aServersStreamArrivesWholeAndInOrder(Channels.Kind kind, boolean tls) throws Exception {
        try (var program = new GrpcProgram(new Channels(kind), tls)) {
            long start = System.nanoTime();
            var list = new Listing();
            ClientCalls.asyncServerStreamingCall(
                    program.client().newCall(GrpcProgram.LIST, CallOptions.DEFAULT),
                    Integer.toString(Load.REQUESTS), list);
            boolean ended = list.end.await(Load.PATIENCE_SECONDS, TimeUnit.SECONDS);
            Load.report(name("server streaming", kind, tls), System.nanoTime() - start,
                    Load.REQUESTS - list.count.get(), list.wrong.get());
            assertNull(list.failure.get());
            assertTrue(ended, "the stream ends");
            assertEquals(Load.REQUESTS, list.count.get());
            assertEquals(0, list.wrong.get());
        }
    }

    private static String name(String what, Channels.Kind kind, boolean tls) {
        return "gRPC " + what + (tls ? ", TLS, " : ", ") + kind;
    }

    private static final class Single implements StreamObserver<String> {
        private final BiConsumer<String, Throwable> answer;
        private String text;

        Single(BiConsumer<String, Throwable> answer) {
            this.answer = answer;
        }

        @Override
        public void onNext(String value) {
            text = value;
        }

        @Override
        public void onError(Throwable failure) {
            answer.accept(null, failure);
        }

        @Override
        public void onCompleted() {
            answer.accept(text, null);
        }
    }

    private static final class Stream implements StreamObserver<String> {
        private final Load.Conversation conversation = new Load.Conversation();
        private final CountDownLatch end = new CountDownLatch(1);
        private final StreamObserver<String> questions;

        Stream(GrpcProgram program) {
            questions = ClientCalls.asyncBidiStreamingCall(
                    program.client().newCall(GrpcProgram.TALK, CallOptions.DEFAULT), this);
        }

        void ask(String question, BiConsumer<String, Throwable> answer) {
            conversation.asked(answer);
            questions.onNext(question);
        }

        void end() throws InterruptedException {
            questions.onCompleted();
            assertTrue(end.await(Load.PATIENCE_SECONDS, TimeUnit.SECONDS), "the stream ends");
        }

        @Override
        public void onNext(String text) {
            conversation.answered(text);
        }

        @Override
        public void onError(Throwable failure) {
            conversation.failed(failure);
        }

        @Override
        public void onCompleted() {
            end.countDown();
        }
    }

    private static final class Listing implements StreamObserver<String> {
        private final CountDownLatch end = new CountDownLatch(1);
        private final AtomicInteger count = new AtomicInteger();
        private final AtomicInteger wrong = new AtomicInteger();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        @Override
        public void onNext(String text) {
            if (!Load.question(count.getAndIncrement()).equals(text)) {
                wrong.incrementAndGet();
            }
        }

        @Override
        public void onError(Throwable thrown) {
            failure.set(thrown);
            end.countDown();
        }

        @Override
        public void onCompleted() {
            end.countDown();
        }
    }
}
