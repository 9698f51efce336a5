package dev.knote.transport.socket;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class IoVectorsTest {
    private final long at = Arena.ofAuto().allocate(2000 * 16, 8).address();

    private static ByteBuf direct(int bytes) {
        return Unpooled.directBuffer(bytes).writeZero(bytes);
    }

    @Test
    void noMoreThanTheKernelTakesGoesIn() {
        var vectors = new IoVectors(at, 2000);
        ByteBuf buffer = direct(1);
        vectors.clear(Long.MAX_VALUE);
        for (int i = 0; i < Socket.IOVEC_MAX; i++) {
            assertTrue(vectors.processMessage(buffer));
        }
        assertFalse(vectors.processMessage(buffer));
        assertEquals(1024, vectors.count());
        vectors.clear(Long.MAX_VALUE);
        assertEquals(0, vectors.count());
        assertEquals(0, vectors.bytes());
        buffer.release();
    }

    @Test
    void theByteLimitHoldsButForAFirstBuffer() {
        var vectors = new IoVectors(at, 10);
        ByteBuf large = direct(100);
        ByteBuf small = direct(40);
        vectors.clear(90);
        assertTrue(vectors.processMessage(large), "or it would never be sent");
        assertFalse(vectors.processMessage(small));
        vectors.clear(90);
        assertTrue(vectors.processMessage(small) && vectors.processMessage(small));
        assertFalse(vectors.processMessage(small));
        assertEquals(80, vectors.bytes());
        large.release();
        small.release();
    }

    @Test
    void emptyBuffersTakeNoRoomAndOtherMessagesEndIt() {
        var vectors = new IoVectors(at, 10);
        vectors.clear(Long.MAX_VALUE);
        assertTrue(vectors.processMessage(Unpooled.EMPTY_BUFFER));
        assertEquals(0, vectors.count());
        assertFalse(vectors.processMessage("text"));
    }

    @Test
    void theAddressIsThatOfTheBytesWithAndWithoutAMemoryAddress() {
        byte[] bytes = {1, 2, 3, 4, 5};
        ByteBuf buffer = Unpooled.directBuffer().writeBytes(bytes);
        ByteBuffer direct = ByteBuffer.allocateDirect(5).put(bytes).flip();
        ByteBuf readOnly = Unpooled.wrappedBuffer(direct.asReadOnlyBuffer());
        ByteBuf slice = buffer.slice(2, 3);
        assertArrayEquals(bytes, Memory.get(Buffers.address(buffer, 0, 5), 5));
        assertArrayEquals(bytes, Memory.get(Buffers.address(readOnly, 0, 5), 5));
        assertEquals(4, Memory.getByte(Buffers.address(readOnly, 3, 2)));
        assertEquals(4, Memory.getByte(Buffers.address(slice, 1, 2)));
        assertEquals(3, Memory.getByte(Buffers.address(buffer.internalNioBuffer(2, 3))));
        buffer.release();
    }

    @Test
    void onlyBuffersOutsideTheHeapAreNative() {
        ByteBuf mixed = Unpooled.compositeBuffer().addComponent(true, direct(1))
                .addComponent(true, Unpooled.buffer(1).writeByte(1));
        ByteBuf pieces = Unpooled.compositeBuffer().addComponent(true, direct(1))
                .addComponent(true, direct(1));
        assertFalse(Buffers.isNative(mixed));
        assertFalse(Buffers.isNative(Unpooled.buffer(1)));
        assertTrue(Buffers.isNative(pieces));
        assertFalse(Buffers.isNativePiece(pieces));
        ByteBuf one = direct(1);
        assertTrue(Buffers.isNativePiece(one));
        mixed.release();
        pieces.release();
        one.release();
    }
}
