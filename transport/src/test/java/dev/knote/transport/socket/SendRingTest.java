package dev.knote.transport.socket;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Errno;
import dev.knote.linux.Native;
import dev.knote.linux.Sys;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SendRingTest {
    private static final int PAIRS = SendRing.MOST;

    private final Arena arena = Arena.ofConfined();
    private final int[] writers = new int[PAIRS];
    private final int[] readers = new int[PAIRS];
    private SendRing ring;

    @BeforeEach
    void open() {
        ring = SendRing.open();
        assumeTrue(ring != null, "no ring here");
        for (int i = 0; i < PAIRS; i++) {
            long at = arena.allocate(8, 8).address();
            assertEquals(0, Native.syscall(Sys.SOCKETPAIR, Socket.AF_UNIX, Socket.SOCK_STREAM, 0, at, 0, 0));
            writers[i] = Memory.getInt(at);
            readers[i] = Memory.getInt(at + 4);
        }
    }

    @AfterEach
    void close() {
        if (ring != null) {
            for (int i = 0; i < PAIRS; i++) {
                Socket.close(writers[i]);
                Socket.close(readers[i]);
            }
            ring.close();
        }
        arena.close();
    }

    private long bytes(String text) {
        return arena.allocateFrom(text).address();
    }

    private String received(int number) {
        long at = arena.allocate(100).address();
        int n = Socket.read(readers[number], at, 100);
        return new String(Memory.get(at, Math.max(0, n)), StandardCharsets.US_ASCII);
    }

    @Test
    void eachSocketGetsItsBytesAndEachSendItsResultRoundAfterRound() {
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < PAIRS; i++) {
                String text = round + "/" + i;
                assertEquals(i, ring.send(writers[i], bytes(text), text.length()));
            }
            ring.submit();
            for (int i = 0; i < PAIRS; i++) {
                String text = round + "/" + i;
                assertEquals(text.length(), ring.result(i));
                assertEquals(text, received(i));
            }
        }
    }

    @Test
    void piecesAreSentInTheirOrderAndTheVectorsMayBeUsedForTheNext() {
        var vectors = new IoVectors(arena.allocate(64L * Socket.IOVEC_SIZE, 8).address(), 64);
        List<ByteBuf> pieces = new ArrayList<>();
        for (int i = 0; i < PAIRS; i++) {
            vectors.clear(Long.MAX_VALUE);
            for (int piece = 0; piece < SendRing.MOST_PIECES; piece++) {
                ByteBuf direct = Unpooled.directBuffer(2).writeByte('a' + piece).writeByte('0' + i % 10);
                pieces.add(direct);
                assertTrue(vectors.add(direct, 0, 2));
            }
            ring.send(writers[i], vectors);
        }
        ring.submit();
        for (int i = 0; i < PAIRS; i++) {
            StringBuilder all = new StringBuilder();
            for (int piece = 0; piece < SendRing.MOST_PIECES; piece++) {
                all.append((char) ('a' + piece)).append(i % 10);
            }
            assertEquals(all.length(), ring.result(i));
            assertEquals(all.toString(), received(i));
        }
        pieces.forEach(ByteBuf::release);
    }

    @Test
    void aSendWithoutRoomWithoutReaderOrWithoutSocketFailsAloneAndAtOnce() {
        long much = arena.allocate(1 << 20).address();
        while (isRoom(writers[0], much)) {
            continue;
        }
        Socket.close(readers[1]);
        readers[1] = -1;
        int closed = writers[2];
        Socket.close(closed);
        writers[2] = -1;
        ring.send(writers[0], much, 1000);
        ring.send(writers[1], much, 1000);
        ring.send(closed, much, 1000);
        ring.send(writers[3], bytes("fine"), 4);
        ring.submit();
        assertArrayEquals(new int[] {-Errno.EAGAIN, -Errno.EPIPE, -Errno.EBADF, 4},
                new int[] {ring.result(0), ring.result(1), ring.result(2), ring.result(3)});
        assertEquals("fine", received(3));
    }

    /** The sockets of these tests block, this send does not. */
    private boolean isRoom(int fd, long at) {
        ring.send(fd, at, 1 << 20);
        ring.submit();
        return ring.result(0) > 0;
    }

    @Test
    void aSendThatFindsLittleRoomSaysHowMuchItWas() {
        long much = arena.allocate(8 << 20).address();
        ring.send(writers[0], much, 8 << 20);
        ring.submit();
        assertTrue(ring.result(0) > 0 && ring.result(0) < 8 << 20, "sent " + ring.result(0));
    }
}
