package dev.knote.transport;

import dev.knote.Event;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import io.netty.channel.IoOps;
import java.io.UncheckedIOException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Of a {@link KnoteIoHandle}. */
final class KnoteRegistration extends Registration {
    private static final Logger LOG = LoggerFactory.getLogger(KnoteRegistration.class);

    private final KnoteIoHandle knoteHandle;

    KnoteRegistration(KnoteIoHandler handler, KnoteIoHandle handle) {
        super(handler, handle);
        knoteHandle = handle;
    }

    @Override
    boolean dispatch(Watch watch, Event event) {
        knoteHandle.handle(this, handler.view(watch, event));
        return true;
    }

    @Override
    boolean rearms(Event event) {
        return knoteHandle instanceof LoopWords && (event.flags() & Kqueue.EV_ERROR) == 0;
    }

    /** -1 after cancel; 0 for a change that was sent to the loop; 1 for one that is done. */
    @Override
    public long submit(IoOps ops) {
        if (!(ops instanceof KnoteIoOps knoteOps)) {
            throw new IllegalArgumentException(
                    "ops is a " + ops.getClass().getName() + ": expected KnoteIoOps");
        }
        if (!isValid()) {
            return -1;
        }
        if (handler.isLoop()) {
            submitHere(knoteOps);
            return 1;
        }
        handler.execute(() -> {
            if (isValid()) {
                try {
                    submitHere(knoteOps);
                } catch (RuntimeException e) {
                    LOG.warn("a change that another thread submitted to {} was refused", handle, e);
                }
            }
        });
        return 0;
    }

    private void submitHere(KnoteIoOps ops) {
        try {
            change(ops);
        } catch (KeventException e) {
            throw new UncheckedIOException(new IOException(e.getMessage(), e));
        }
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T attachment() {
        return (T) handler.loop();
    }
}
