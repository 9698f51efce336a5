package dev.knote.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.Kqueue;
import dev.knote.Options;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of a loop. */
@Timeout(60)
class StreamShutdownTest {
    private static final int NUMBER = -100;

    /** What a channel hears of its end. */
    private static final class Life extends ChannelInboundHandlerAdapter {
        final List<String> events = new ArrayList<>();

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            events.add("inactive");
        }

        @Override
        public void channelUnregistered(ChannelHandlerContext context) {
            events.add("unregistered");
        }
    }

    /** Its knotes are never deleted without a fuss. */
    private static final class Clinging implements Filter {
        @Override
        public int number() {
            return NUMBER;
        }

        @Override
        public String name() {
            return "CLINGING";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {}

        @Override
        public boolean event(FilterKnote knote) {
            return false;
        }

        @Override
        public void detach(FilterKnote knote) {
            throw new IllegalStateException("it clings");
        }
    }

    /** The loop ends without another turn: its channels are told while it still takes tasks. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutAQuietPeriodChannelsAreClosedAndToldOfIt(boolean byTheLoopItself) throws Exception {
        var group = new MultiThreadIoEventLoopGroup(1, KnoteIoHandler.newFactory());
        EventLoop loop = group.next();
        int[] pair = Streams.socketPair();
        var lives = new Life[] {new Life(), new Life()};
        List<Channel> channels = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            var channel = new KnoteDomainSocketChannel(pair[i]);
            channel.pipeline().addLast(lives[i]);
            loop.register(channel).sync();
            channels.add(channel);
        }
        if (byTheLoopItself) {
            loop.execute(() -> group.shutdownGracefully(0, 10, TimeUnit.SECONDS));
        } else {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS);
        }
        assertTrue(group.terminationFuture().await(20, TimeUnit.SECONDS));
        for (int i = 0; i < 2; i++) {
            assertTrue(channels.get(i).closeFuture().isSuccess());
            assertFalse(channels.get(i).isOpen());
            assertFalse(channels.get(i).isRegistered());
            assertEquals(List.of("inactive", "unregistered"), lives[i].events);
        }
    }

    @Test
    void aFilterThatThrowsWhenItIsDetachedKeepsNothingOpen() throws Exception {
        new HandLoop().close();
        int fds = Processes.ofPollers();
        var loop = new HandLoop(KnoteIoHandler.newFactory(() -> Options.defaults().filter(new Clinging())));
        var handles = List.of(new RecordingHandle(), new RecordingHandle(), new RecordingHandle());
        for (RecordingHandle handle : handles) {
            IoRegistration registration = loop.register(handle);
            for (int i = 0; i < 2; i++) {
                int ident = 2 * handles.indexOf(handle) + i;
                registration.submit(KnoteIoOps.of(ident, NUMBER, Kqueue.EV_ADD, 0, 0));
            }
        }
        loop.close();
        for (RecordingHandle handle : handles) {
            assertEquals(List.of("registered", "closed", "unregistered"), List.copyOf(handle.life).stream()
                    .sorted(java.util.Comparator
                            .comparing(List.of("registered", "closed", "unregistered")::indexOf))
                    .toList());
        }
        assertEquals(fds, Processes.ofPollers());
    }
}
