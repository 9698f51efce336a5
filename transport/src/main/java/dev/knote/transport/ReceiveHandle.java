package dev.knote.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.DelegatingHandle;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;

/** The user's handle, whose buffers are outside the heap, and which goes on for as long as there may be more. */
@SuppressWarnings("deprecation") // Netty's name for it
final class ReceiveHandle extends DelegatingHandle implements ExtendedHandle, UncheckedBooleanSupplier {
    private final AbstractKnoteChannel channel;

    ReceiveHandle(AbstractKnoteChannel channel, ExtendedHandle handle) {
        super(handle);
        this.channel = channel;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
        return delegate().allocate(channel.loop().direct(allocator));
    }

    @Override
    public boolean continueReading() {
        return continueReading(this);
    }

    /** Once the peer is gone what is left is read to its end, whatever the limits. */
    @Override
    public boolean continueReading(UncheckedBooleanSupplier supplier) {
        return channel.hungUp ? channel.readable : ((ExtendedHandle) delegate()).continueReading(supplier);
    }

    /** Whether there may be more to read. */
    @Override
    public boolean get() {
        return channel.readable;
    }
}
