package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.linux.Fds;
import dev.knote.transport.socket.Addresses;
import dev.knote.transport.socket.Memory;
import dev.knote.transport.socket.Socket;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.ReferenceCountUtil;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Channels that are ready together, and what the handlers of the first do to the others. Of TCP they are received from
 * together, where there is a ring, before the first of them is told.
 */
@Timeout(120)
class StreamEdgesTest {
    private final Streams streams = new Streams(2);
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Channel[] channels = new Channel[2];
    private final int[] peers = new int[2];
    private Consumer<Channel> prepare = first -> {};
    private boolean preparesAll;
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

    /** A channel that is not registered, and its peer's fd. */
    private record Pair(Channel channel, int peer) {
        static Pair of(boolean tcp) throws Exception {
            if (!tcp) {
                int[] fds = Streams.socketPair();
                return new Pair(new KnoteDomainSocketChannel(fds[0]), fds[1]);
            }
            try (Arena arena = Arena.ofConfined()) {
                long at = arena.allocate(Addresses.MAX_SIZE, 8).address();
                int listening = Socket.open(Socket.AF_INET, Socket.SOCK_STREAM);
                assertEquals(0,
                        Socket.bind(listening, at, Addresses.encode(Streams.loopback(), Socket.AF_INET, at)));
                assertEquals(0, Socket.listen(listening, 1));
                int fd = Socket.open(Socket.AF_INET, Socket.SOCK_STREAM);
                int length = Addresses.encode(Addresses.local(listening), Socket.AF_INET, at);
                Socket.connect(fd, at, length);
                long lengthAt = arena.allocate(8, 8).address();
                int[] peer = {-1};
                Streams.await("the connection", () -> {
                    Memory.putInt(lengthAt, Addresses.MAX_SIZE);
                    peer[0] = Socket.accept(listening, at, lengthAt);
                    return peer[0] >= 0;
                });
                Socket.close(listening);
                return new Pair(new KnoteSocketChannel(fd), peer[0]);
            }
        }
    }

    /** Two channels, on one loop, that become ready while that does something else, so that it hears of both at once. */
    private void readyTogether(boolean tcp) throws Exception {
        for (int i = 0; i < 2; i++) {
            Pair pair = Pair.of(tcp);
            channels[i] = pair.channel;
            peers[i] = pair.peer;
            channels[i].pipeline().addLast(new Teller(String.valueOf(i)));
            if (i == 0 || preparesAll) {
                prepare.accept(channels[i]);
            }
            (i == 0 ? streams.group : channels[0].eventLoop()).register(channels[i]).sync();
        }
        var held = new CountDownLatch(1);
        var busy = new CountDownLatch(1);
        channels[0].eventLoop().execute(() -> {
            held.countDown();
            await(busy);
        });
        await(held);
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

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsClosedMeanwhileAndWhatTakesItsNumberHearNothing(boolean tcp) throws Exception {
        Channel[] later = new Channel[1];
        int[] laterPeer = {-1};
        then = other -> {
            int fd = ((UnixChannel) channels[other]).fd().intValue();
            channels[other].close();
            int[] pair = Streams.socketPair();
            int mine = pair[1] == fd ? 1 : 0;
            if (pair[mine] != fd) { // the lowest number that is free need not be this one
                assertEquals(fd, Fds.dup3(pair[mine], fd));
                Socket.close(pair[mine]);
            }
            later[0] = new KnoteDomainSocketChannel(fd);
            laterPeer[0] = pair[1 - mine];
            later[0].pipeline().addLast(new Teller("later"));
            channels[1 - other].eventLoop().register(later[0]);
        };
        readyTogether(tcp);
        String first = next();
        assertEquals(first.replace("read", "complete"), next());
        assertEquals(List.of(), allTold());
        write(laterPeer[0]);
        assertEquals("read later", next());
        Socket.close(laterPeer[0]);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatMovesToAnotherLoopMeanwhileIsReadThereOnce(boolean tcp) throws Exception {
        then = other -> channels[other].deregister()
                .addListener(gone -> otherLoop(channels[1 - other]).register(channels[other]));
        readyTogether(tcp);
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

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatLeavesAndComesBackMeanwhileIsReadOnce(boolean tcp) throws Exception {
        then = other -> channels[other].deregister()
                .addListener(gone -> channels[1 - other].eventLoop().register(channels[other]));
        readyTogether(tcp);
        for (int i = 0; i < 4; i++) {
            next();
        }
        assertEquals(List.of(), allTold());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatDoesNotWantToReadMeanwhileIsReadWhenItDoes(boolean tcp) throws Exception {
        int[] late = {-1};
        then = other -> {
            late[0] = other;
            channels[other].config().setAutoRead(false);
        };
        readyTogether(tcp);
        next();
        next();
        assertEquals(List.of(), allTold());
        channels[late[0]].read();
        assertEquals("read " + late[0], next());
        assertEquals("complete " + late[0], next());
        write(peers[late[0]]);
        channels[late[0]].read();
        assertEquals("read " + late[0], next());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatDidNotWantToReadAndMovedReadsOnTheNextLoop(boolean tcp) throws Exception {
        int[] late = {-1};
        then = other -> {
            late[0] = other;
            channels[other].config().setAutoRead(false);
        };
        readyTogether(tcp);
        next();
        next();
        assertEquals(List.of(), allTold());
        Channel moving = channels[late[0]];
        moving.deregister().sync();
        otherLoop(channels[1 - late[0]]).register(moving).sync();
        moving.read();
        assertEquals("read " + late[0], next());
        assertEquals("complete " + late[0], next());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void thePeersEndIsHeardOfBehindItsLastBytes(boolean tcp) throws Exception {
        then = other -> {
            Socket.close(peers[other]);
            peers[other] = Socket.open(Socket.AF_INET, Socket.SOCK_STREAM); // to be closed in its place
        };
        readyTogether(tcp);
        for (int i = 0; i < 4; i++) {
            next();
        }
        Streams.await("the end", () -> !channels[0].isOpen() || !channels[1].isOpen());
        assertEquals(1, List.of(channels).stream().filter(Channel::isOpen).count());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsClosedMeanwhileKeepsNoBuffer(boolean tcp) throws Exception {
        var buffers = new UnpooledByteBufAllocator(true);
        prepare = channel -> channel.config().setAllocator(buffers);
        preparesAll = true;
        for (int rounds = 0; rounds < 8; rounds++) { // whichever of the two is first
            then = other -> channels[other].close();
            readyTogether(tcp);
            next();
            next();
            assertEquals(List.of(), allTold());
            channels[0].close().sync();
            channels[1].close().sync();
            Socket.close(peers[0]);
            Socket.close(peers[1]);
        }
        assertEquals(0, buffers.metric().usedDirectMemory());
        peers[0] = Socket.open(Socket.AF_INET, Socket.SOCK_STREAM);
        peers[1] = Socket.open(Socket.AF_INET, Socket.SOCK_STREAM);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChannelWhoseReadingThrowsDoesNotKeepTheOthersFromTheirs(boolean tcp) throws Exception {
        prepare = channel -> channel.config().setRecvByteBufAllocator(new Throwing());
        readyTogether(tcp);
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
