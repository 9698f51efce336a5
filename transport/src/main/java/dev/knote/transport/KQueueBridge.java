package dev.knote.transport;

import dev.knote.Event;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import io.netty.channel.IoHandle;
import io.netty.channel.IoOps;
import io.netty.channel.kqueue.KQueueIoEvent;
import io.netty.channel.kqueue.KQueueIoHandle;
import io.netty.channel.kqueue.KQueueIoOps;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Of a {@link KQueueIoHandle}, of Netty's transport for macOS and BSD: what it submits, with FreeBSD's
 * numbers, is done to the filters of this queue. The only class that needs Netty's, which need not be there.
 */
final class KQueueBridge extends Registration {
    private static final Logger LOG = LoggerFactory.getLogger(KQueueBridge.class);

    private final KQueueIoHandle kqueueHandle;

    private KQueueBridge(KnoteIoHandler handler, KQueueIoHandle handle) {
        super(handler, handle);
        kqueueHandle = handle;
    }

    static boolean accepts(Class<?> handleType) {
        return KQueueIoHandle.class.isAssignableFrom(handleType);
    }

    static Registration of(KnoteIoHandler handler, IoHandle handle) {
        return new KQueueBridge(handler, (KQueueIoHandle) handle);
    }

    /** 0, whether the change is done or was sent to the loop; -1 after cancel. */
    @Override
    public long submit(IoOps ops) {
        if (!(ops instanceof KQueueIoOps kqueueOps)) {
            throw new IllegalArgumentException(
                    "ops is a " + ops.getClass().getName() + ": expected KQueueIoOps");
        }
        if (!isValid()) {
            return -1;
        }
        if (handler.isLoop()) {
            submitHere(kqueueOps);
        } else {
            handler.execute(() -> submitLate(kqueueOps));
        }
        return 0;
    }

    private void submitLate(KQueueIoOps ops) {
        if (isValid()) {
            try {
                submitHere(ops);
            } catch (RuntimeException e) {
                LOG.warn("a change that another thread submitted to {} was refused", handle, e);
            }
        }
    }

    /** That there is nothing to delete any more is no error there. */
    private void submitHere(KQueueIoOps ops) {
        int flags = ops.flags() & 0xffff;
        try {
            change(KnoteIoOps.of(kqueueHandle.ident(), ops.filter(), flags, ops.fflags(), ops.data()));
        } catch (KeventException e) {
            boolean gone = e.errno() == Errno.ENOENT || e.errno() == Errno.EBADF;
            if ((flags & Kqueue.EV_DELETE) == 0 || !gone) {
                throw new UncheckedIOException(new IOException(e.getMessage(), e));
            }
        }
    }

    @Override
    boolean dispatch(Watch watch, Event event) {
        kqueueHandle.handle(this, KQueueIoEvent.newEvent((int) event.ident(), (short) event.filter(),
                (short) event.flags(), event.fflags(), event.data(), 0));
        return true;
    }

    /** Nothing: the arrays that Netty's own handler has here are for its own channels. */
    @Override
    public <T> T attachment() {
        return null;
    }
}
