package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Socket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCountUtil;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Channels that are ready together, and what the handlers of the first do to the others. */
@Timeout(120)
class StreamEdgesTest {
    private final Streams streams = new Streams(2);
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Channel[] channels = new Channel[2];
    private final int[] peers = new int[2];
    private Consumer<Channel> prepare = first -> {};
    /** Done by whichever channel reads first, with the other one's number. */
    private volatile Consumer<Integer> then = other -> {};

    /** Tells what it hears of. */
    private final class Teller extends ChannelInboundHandlerAdapter {
        private final String name;

        Teller(String name) {
            this.name = name;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            told.add("read " + name);
            Consumer<Integer> first = then;
            then = other -> {};
            first.accept("0".equals(name) ? 1 : 0);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            told.add("complete " + name);
            ctx.fireChannelReadComplete();
        }
    }

    @AfterEach
    void close() {
        streams.close();
        for (int peer : peers) {
            Socket.close(peer);
        }
    }

    /** Two channels, on one loop, that become ready while that does something else, so that it hears of both at once. */
    private void readyTogether() throws Exception {
        for (int i = 0; i < 2; i++) {
            int[] pair = Streams.socketPair();
            channels[i] = new KnoteDomainSocketChannel(pair[0]);
            peers[i] = pair[1];
            channels[i].pipeline().addLast(new Teller(String.valueOf(i)));
            if (i == 0) {
                prepare.accept(channels[0]);
            }
            (i == 0 ? streams.group : channels[0].eventLoop()).register(channels[i]).sync();
        }
        var busy = new CountDownLatch(1);
        channels[0].eventLoop().execute(() -> await(busy));
        for (int peer : peers) {
            write(peer);
        }
        busy.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(Streams.DEADLINE_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void write(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(1).address();
            Memory.putByte(at, (byte) 1);
            assertEquals(1, Socket.write(fd, at, 1));
        }
    }

    private String next() throws InterruptedException {
        String next = told.poll(Streams.DEADLINE_SECONDS, TimeUnit.SECONDS);
        assertNotNull(next, "nothing more was told");
        return next;
    }

    /** What was told until the loop has taken all that there is. */
    private List<String> allTold() throws Exception {
        for (int turns = 0; turns < 3; turns++) {
            channels[0].eventLoop().submit(() -> {}).sync();
        }
        return List.copyOf(told);
    }

    @Test
    void whatIsClosedMeanwhileAndWhatTakesItsNumberHearNothing() throws Exception {
        Channel[] later = new Channel[1];
        int[] laterPeer = {-1};
        then = other -> {
            int fd = ((KnoteDomainSocketChannel) channels[other]).fd().intValue();
            channels[other].close();
            int[] pair = Streams.socketPair();
            assertEquals(fd, Math.min(pair[0], pair[1]), "the lowest number that is free");
            later[0] = new KnoteDomainSocketChannel(fd);
            laterPeer[0] = Math.max(pair[0], pair[1]);
            later[0].pipeline().addLast(new Teller("later"));
            channels[1 - other].eventLoop().register(later[0]);
        };
        readyTogether();
        String first = next();
        assertEquals(first.replace("read", "complete"), next());
        assertEquals(List.of(), allTold());
        write(laterPeer[0]);
        assertEquals("read later", next());
        Socket.close(laterPeer[0]);
    }

    @Test
    void whatMovesToAnotherLoopMeanwhileIsReadThereOnce() throws Exception {
        then = other -> channels[other].deregister()
                .addListener(gone -> otherLoop(channels[1 - other]).register(channels[other]));
        readyTogether();
        String first = next();
        assertEquals(first.replace("read", "complete"), next());
        assertEquals(first.endsWith("0") ? "read 1" : "read 0", next());
        next();
        assertEquals(List.of(), allTold());
    }

    private EventLoop otherLoop(Channel than) {
        EventLoop loop;
        do {
            loop = streams.group.next();
        } while (loop == than.eventLoop());
        return loop;
    }

    @Test
    void whatLeavesAndComesBackMeanwhileIsReadOnce() throws Exception {
        then = other -> channels[other].deregister()
                .addListener(gone -> channels[1 - other].eventLoop().register(channels[other]));
        readyTogether();
        for (int i = 0; i < 4; i++) {
            next();
        }
        assertEquals(List.of(), allTold());
    }

    @Test
    void aChannelWhoseReadingThrowsDoesNotKeepTheOthersFromTheirs() throws Exception {
        prepare = channel -> channel.config().setRecvByteBufAllocator(new Throwing());
        readyTogether();
        assertEquals("read 1", next());
        assertEquals("complete 1", next());
        assertEquals(List.of(), allTold());
    }

    /** A user's allocator that is broken. */
    @SuppressWarnings("deprecation") // Netty's name for it
    private static final class Throwing extends DefaultMaxMessagesRecvByteBufAllocator {
        @Override
        public Handle newHandle() {
            return new MaxMessageHandle() {
                @Override
                public int guess() {
                    return 64;
                }

                @Override
                public void reset(ChannelConfig config) {
                    throw new IllegalStateException("a user's");
                }
            };
        }
    }
}
