package dev.knote.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.DelegatingHandle;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.PreferredDirectByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/** The user's handle, whose buffers are outside the heap, and which goes on for as long as there may be more. */
@SuppressWarnings("deprecation") // Netty's name for it
final class ReceiveHandle extends DelegatingHandle implements ExtendedHandle {
    private final PreferredDirectByteBufAllocator direct = new PreferredDirectByteBufAllocator();
    private final AbstractKnoteChannel channel;
    private final UncheckedBooleanSupplier mayBeMore;

    ReceiveHandle(AbstractKnoteChannel channel, ExtendedHandle handle) {
        super(handle);
        this.channel = channel;
        mayBeMore = () -> channel.readable;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
        direct.updateAllocator(allocator);
        return delegate().allocate(direct);
    }

    @Override
    public boolean continueReading() {
        return continueReading(mayBeMore);
    }

    /** Once the peer is gone what is left is read to its end, whatever the limits. */
    @Override
    public boolean continueReading(UncheckedBooleanSupplier supplier) {
        return channel.hungUp ? channel.readable : ((ExtendedHandle) delegate()).continueReading(supplier);
    }
}
