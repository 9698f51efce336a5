package dev.knote.transport;

import dev.knote.Event;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a handle has with a handler: its knotes. All of it belongs to the loop but {@link #isValid} and {@link
 * #cancel}.
 */
abstract class Registration implements IoRegistration {
    private static final Logger LOG = LoggerFactory.getLogger(Registration.class);

    final KnoteIoHandler handler;
    final IoHandle handle;
    private final Map<Key, Watch> watches = new HashMap<>(4);
    private final AtomicBoolean cancelled = new AtomicBoolean();

    /** How a queue knows a knote. */
    record Key(long ident, int filter) {
        boolean isFd() {
            return filter == Kqueue.EVFILT_READ || filter == Kqueue.EVFILT_WRITE
                    || filter == SocketFilter.EVFILT_SOCKET;
        }
    }

    /** One knote of a registration, and the attachment of its events. */
    static final class Watch {
        final Registration registration;
        final Key key;
        /** The word that it was made with, or null. */
        MemorySegment word;
        Object udata;
        /** The change that was made last. */
        KnoteIoOps last;
        /** What it is to be made again for. */
        long rearmedFor;
        /** False when the knote is deleted: an event of it may stand in the batch yet. */
        boolean live = true;

        Watch(Registration registration, Key key) {
            this.registration = registration;
            this.key = key;
        }
    }

    Registration(KnoteIoHandler handler, IoHandle handle) {
        this.handler = handler;
        this.handle = handle;
    }

    /** Gives an event of one of the knotes to the handle; whether the handle was concerned. */
    abstract boolean dispatch(Watch watch, Event event);

    /** Whether the knote that has fired its one shot is made again, by {@link Rearms}. */
    boolean rearms(Event event) {
        return false;
    }

    /** As {@link KnoteIoHandler#beforeWait} has promised. */
    void beforeWait() {}

    /** There are no knotes any more. Once or more. */
    void released() {}

    /** On the loop: makes, changes or deletes a knote of this registration. */
    final void change(KnoteIoOps ops) {
        Key key = new Key(ops.ident(), ops.filter());
        Watch watch = watches.get(key);
        if (watch == null) {
            changeOther(key, ops);
            return;
        }
        boolean deletes = (ops.flags() & Kqueue.EV_DELETE) != 0;
        try {
            handler.change(ops, watch);
        } finally {
            if (deletes) { // ENOENT says that it is gone as well
                forget(watch);
            }
        }
        if (!deletes) {
            watch.last = ops;
        }
        if ((ops.flags() & Kqueue.EV_KEEPUDATA) == 0) {
            watch.udata = ops.udata();
        }
    }

    /**
     * There is no such knote of this handle: it is to be one, or is triggered only, or is none, as for a
     * wake.
     */
    private void changeOther(Key key, KnoteIoOps ops) {
        if ((ops.flags() & Kqueue.EV_ADD) != 0) {
            add(key, ops);
        } else if ((ops.flags() & (Kqueue.EV_ANON | Kqueue.EV_KEEPUDATA)) != 0
                && (ops.flags() & Kqueue.EV_DELETE) == 0) {
            handler.change(ops, null);
        } else {
            throw new KeventException(Errno.ENOENT,
                    "ident " + key.ident + ", filter " + key.filter + ": there is no such knote of "
                            + handle);
        }
    }

    /** The knote that there is, or null. */
    final Watch watch(long ident, int filter) {
        return watches.get(new Key(ident, filter));
    }

    private void add(Key key, KnoteIoOps ops) {
        Watch other = handler.owner(key);
        if (other != null && !other.registration.yields(other)) {
            throw new IllegalStateException("ident " + key.ident + ", filter " + key.filter
                    + ": already registered with this loop, by " + other.registration.handle);
        }
        Watch watch = new Watch(this, key);
        watch.last = ops;
        watch.word = ops.word();
        watch.udata = ops.udata();
        handler.change(ops, watch);
        watches.put(key, watch);
        handler.owner(key, watch);
    }

    /** Whether a knote is one no more: cancelled, though not deleted yet, or of an fd that was closed. */
    private boolean yields(Watch watch) {
        if (!isValid()) {
            delete(watch);
            return true;
        }
        if (!watch.key.isFd()) {
            return false;
        }
        try {
            KnoteIoOps last = watch.last;
            handler.change(
                    KnoteIoOps.of(last.ident(), last.filter(), Kqueue.EV_KEEPUDATA, last.fflags(),
                            last.data()),
                    null); // changes nothing, but that the queue looks whether the fd is the same
            return false;
        } catch (KeventException e) {
            LOG.warn("{} has closed fd {} that it has registered", handle, watch.key.ident);
            forget(watch);
            return true;
        }
    }

    /** An event is the last one of its knote. */
    final void ended(Watch watch) {
        forget(watch);
    }

    private void forget(Watch watch) {
        watch.live = false;
        watches.remove(watch.key, watch);
        handler.disown(watch.key, watch);
        if (watch.word != null) { // the loop lives on, and is not to keep the memory
            handler.queue().forget(watch.word);
        }
    }

    private void delete(Watch watch) {
        forget(watch);
        try {
            handler.change(KnoteIoOps.of(watch.key.ident, watch.key.filter, Kqueue.EV_DELETE, 0, 0), null);
        } catch (KeventException e) {
            LOG.debug("deleting a knote of {}", handle, e); // its fd may be closed, its one shot fired
        } catch (RuntimeException e) { // a filter's; the knote is gone all the same
            LOG.warn("deleting a knote of {}", handle, e);
        }
    }

    @Override
    public boolean isValid() {
        return !cancelled.get();
    }

    @Override
    public final boolean cancel() {
        if (!cancelled.compareAndSet(false, true)) {
            return false;
        }
        if (handler.isLoop()) {
            cancelHere();
        } else {
            handler.execute(this::cancelHere);
        }
        return true;
    }

    private void cancelHere() {
        release();
        handler.cancelled(this);
    }

    /** Deletes the knotes. */
    final void release() {
        try {
            for (Watch watch : watches.values().toArray(Watch[]::new)) {
                delete(watch);
            }
        } finally {
            released();
        }
    }

    /** Cancels, and closes the handle. */
    final void close() {
        try {
            cancel();
        } finally {
            try {
                handle.close();
            } catch (Exception e) {
                LOG.warn("closing {}", handle, e);
            }
        }
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + Objects.toIdentityString(handle);
    }
}
