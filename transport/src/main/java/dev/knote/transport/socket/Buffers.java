package dev.knote.transport.socket;

import io.netty.buffer.ByteBuf;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Where the bytes of a ByteBuf are. */
public final class Buffers {
    private Buffers() {}

    /** Whether all of it is outside the heap, so that the kernel can be given it; in one piece or in several. */
    public static boolean isNative(ByteBuf buffer) {
        return buffer.hasMemoryAddress() || buffer.isDirect() && buffer.nioBufferCount() > 0;
    }

    /** As {@link #isNative}, and in one piece. */
    public static boolean isNativePiece(ByteBuf buffer) {
        return buffer.hasMemoryAddress() || buffer.isDirect() && buffer.nioBufferCount() == 1;
    }

    /**
     * The address of {@code length} bytes from {@code index} of a buffer that {@link #isNativePiece}. Only the thread
     * that may write to the buffer calls this. It is good until the buffer grows or is released.
     */
    public static long address(ByteBuf buffer, int index, int length) {
        return buffer.hasMemoryAddress()
                ? buffer.memoryAddress() + index
                : address(buffer.internalNioBuffer(index, length));
    }

    /** The address of a direct buffer's position. */
    static long address(ByteBuffer buffer) {
        return MemorySegment.ofBuffer(buffer).address();
    }
}
