package dev.knote.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The process of the other ends: when all are connected, each has some messages echoed, one after another; when all
 * answers were right, one more. When the server begins to close them it closes the rest.
 */
final class CrowdClients {
    private static final int SIZE = 64;
    private static final int MESSAGES = 5;
    /** What each of them sends. */
    static final int BYTES = SIZE * (MESSAGES + 1);
    private static final int CONNECTING = 256;

    private final CountDownLatch answered;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicInteger open = new AtomicInteger();
    private final Set<String> wrong = ConcurrentHashMap.newKeySet();

    private CrowdClients(int connections) {
        answered = new CountDownLatch(connections);
    }

    private final class Client extends ChannelInboundHandlerAdapter {
        private final int number;
        private int message;
        private int got;

        Client(int number) {
            this.number = number;
        }

        /** Each byte depends on whose, which message's and where in it it is. */
        private byte expected(int at) {
            return (byte) (number * 31 + message * 7 + at + (number >> 8));
        }

        void send(ChannelHandlerContext ctx) {
            ByteBuf buffer = ctx.alloc().directBuffer(SIZE);
            for (int i = 0; i < SIZE; i++) {
                buffer.writeByte(expected(i));
            }
            ctx.writeAndFlush(buffer);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object in) {
            ByteBuf buffer = (ByteBuf) in;
            while (buffer.isReadable()) {
                if (buffer.readByte() != expected(got++ % SIZE)) {
                    wrong.add(number + ": byte " + got + " of message " + message);
                }
                if (got % SIZE == 0) {
                    message++;
                    next(ctx);
                }
            }
            buffer.release();
        }

        private void next(ChannelHandlerContext ctx) {
            if (message < MESSAGES) {
                send(ctx);
            } else if (message == MESSAGES) {
                answered.countDown();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (got != BYTES) {
                wrong.add(number + ": closed after " + got + " bytes");
            }
            open.decrementAndGet();
            closing.countDown();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            wrong.add(number + ": " + cause);
        }
    }

    private void run(int port, int connections) throws InterruptedException {
        int sockets = Processes.sockets();
        try (Streams streams = new Streams(1)) {
            List<Channel> all = connect(streams, port, connections);
            all.forEach(CrowdClients::begin);
            await(answered, "answers");
            if (wrong.isEmpty()) {
                all.forEach(CrowdClients::begin);
                await(closing, "the first close");
                // what is on its way yet is read before a close ends it: all have got all
                Streams.await("the last answers", () -> all.stream().allMatch(CrowdClients::isDone));
                all.forEach(Channel::close);
                Streams.await("all closed", () -> open.get() == 0);
                Streams.await("no socket left", () -> Processes.sockets() <= sockets + 1);
            }
        }
        if (!wrong.isEmpty()) {
            throw new AssertionError(wrong.size() + " wrong: " + wrong.stream().limit(10).toList());
        }
    }

    private List<Channel> connect(Streams streams, int port, int connections) throws InterruptedException {
        Semaphore slots = new Semaphore(CONNECTING);
        List<Channel> all = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            slots.acquire();
            String host = "127.0.0." + (1 + i % 4); // so that there are ports enough
            all.add(streams.client(new Client(i)).connect(host, port).addListener(connected -> {
                slots.release();
                open.incrementAndGet();
                if (!connected.isSuccess()) {
                    wrong.add("connect: " + connected.cause());
                }
            }).channel());
        }
        slots.acquire(CONNECTING);
        if (!wrong.isEmpty()) {
            throw new AssertionError(wrong.stream().limit(10).toList());
        }
        return all;
    }

    private static void begin(Channel channel) {
        channel.eventLoop().execute(() -> {
            ChannelHandlerContext ctx = channel.pipeline().context(Client.class);
            ((Client) ctx.handler()).send(ctx);
        });
    }

    private static boolean isDone(Channel channel) {
        ChannelHandlerContext ctx = channel.pipeline().context(Client.class);
        return ctx == null || ((Client) ctx.handler()).got == BYTES;
    }

    private static void await(CountDownLatch latch, String what) throws InterruptedException {
        if (!latch.await(150, TimeUnit.SECONDS)) {
            throw new AssertionError("no " + what + ", " + latch.getCount() + " left");
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        int connections = Integer.parseInt(arguments[1]);
        new CrowdClients(connections).run(Integer.parseInt(arguments[0]), connections);
    }
}
