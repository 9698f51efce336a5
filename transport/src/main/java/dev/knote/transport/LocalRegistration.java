package dev.knote.transport;

import dev.knote.Event;
import io.netty.channel.IoHandle;
import io.netty.channel.IoOps;

/** Of a handle that waits for nothing, as Netty's local channels are: it is told when it comes and goes. */
final class LocalRegistration extends Registration {
    LocalRegistration(KnoteIoHandler handler, IoHandle handle) {
        super(handler, handle);
    }

    @Override
    boolean dispatch(Watch watch, Event event) {
        throw new IllegalStateException(handle + " has no knotes");
    }

    @Override
    public long submit(IoOps ops) {
        throw new UnsupportedOperationException("a local channel waits for nothing");
    }

    @Override
    public <T> T attachment() {
        return null;
    }
}
