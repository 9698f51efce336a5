package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.ObjIntConsumer;

/** Connections to channels of one loop, all of which have something to read in the same turn of it. */
final class Crowd implements AutoCloseable {
    private static final int DEADLINE_MILLIS = 60_000;

    final Streams streams = new Streams(2);
    final Socket[] clients;
    /** Of the server, by number. */
    final AtomicReferenceArray<ChannelHandlerContext> contexts;
    final EventLoop loop = streams.group.next();
    private final CountDownLatch arrived;
    /** What a channel does with each byte that comes. */
    volatile ObjIntConsumer<ChannelHandlerContext> action = (ctx, number) -> {};

    Crowd(int size) throws IOException, InterruptedException {
        clients = new Socket[size];
        contexts = new AtomicReferenceArray<>(size);
        arrived = new CountDownLatch(size);
        var server = new KnoteServerSocketChannel();
        server.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object child) {
                Channel channel = (Channel) child;
                channel.pipeline().addLast(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel of) {
                        of.pipeline().addLast(new Member());
                    }
                });
                loop.register(channel);
            }
        });
        streams.group.register(server).syncUninterruptibly();
        server.bind(Streams.loopback()).syncUninterruptibly();
        for (int i = 0; i < size; i++) {
            clients[i] = new Socket();
            clients[i].connect(server.localAddress());
            clients[i].setSoTimeout(DEADLINE_MILLIS);
            new DataOutputStream(clients[i].getOutputStream()).writeInt(i);
        }
        assertTrue(arrived.await(DEADLINE_MILLIS, TimeUnit.MILLISECONDS), "all came");
    }

    private final class Member extends ChannelInboundHandlerAdapter {
        private int number = -1;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (number < 0) {
                number = buffer.readInt();
                contexts.set(number, ctx);
                arrived.countDown();
            }
            while (buffer.isReadable()) {
                buffer.readByte();
                action.accept(ctx, number);
            }
            buffer.release();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    /** A byte comes for all of the channels from {@code first} on, whose loop is busy until {@code meanwhile} is done. */
    void together(int first, Runnable meanwhile) throws IOException, InterruptedException {
        var stopped = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        loop.execute(() -> {
            stopped.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            assertTrue(stopped.await(DEADLINE_MILLIS, TimeUnit.MILLISECONDS), "the loop runs tasks");
            for (int i = first; i < clients.length; i++) {
                clients[i].getOutputStream().write('!');
            }
            meanwhile.run();
        } finally {
            go.countDown();
        }
    }

    /** As {@link #together()}, for those whose peers take it. */
    void togetherIfOpen() throws IOException, InterruptedException {
        together(clients.length, () -> {
            for (Socket client : clients) {
                try {
                    client.getOutputStream().write('!');
                } catch (IOException e) {
                    continue; // the server has closed it
                }
            }
        });
    }

    void together() throws IOException, InterruptedException {
        together(0, () -> {});
    }

    /** The loop has done what it had to do by now. */
    void settle() throws InterruptedException {
        loop.submit(() -> {}).sync();
        loop.submit(() -> {}).sync();
    }

    EventLoop otherLoop() {
        EventLoop other = streams.group.next();
        return other == loop ? streams.group.next() : other;
    }

    DataInputStream input(int number) throws IOException {
        return new DataInputStream(clients[number].getInputStream());
    }

    @Override
    public void close() throws IOException {
        for (Socket client : clients) {
            client.close();
        }
        streams.close();
    }
}
