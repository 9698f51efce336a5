package dev.knote.transport;

import dev.knote.Event;
import dev.knote.KeventException;
import dev.knote.Kqueue;
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
 * What a handle has with a handler: its knotes. All of it belongs to the loop but {@link #isValid} and {@link #cancel}.
 */
abstract class Registration implements IoRegistration {
    private static final Logger LOG = LoggerFactory.getLogger(Registration.class);

    final KnoteIoHandler handler;
    final IoHandle handle;
    private final Map<Key, Watch> watches = new HashMap<>(4);
    private final AtomicBoolean cancelled = new AtomicBoolean();

    /** How a queue knows a knote. */
    record Key(long ident, int filter) {}

    /** One knote of a registration, and the attachment of its events. */
    static final class Watch {
        final Registration registration;
        final MemorySegment word;
        Object udata;

        Watch(Registration registration, MemorySegment word, Object udata) {
            this.registration = registration;
            this.word = word;
            this.udata = udata;
        }
    }

    Registration(KnoteIoHandler handler, IoHandle handle) {
        this.handler = handler;
        this.handle = handle;
    }

    /** Gives an event of one of the knotes to the handle. */
    abstract void dispatch(Watch watch, Event event);

    /** On the loop: makes, changes or deletes a knote of this registration. */
    final void change(KnoteIoOps ops) {
        Key key = new Key(ops.ident(), ops.filter());
        Watch watch = watches.get(key);
        if ((ops.flags() & Kqueue.EV_ADD) != 0 && watch == null) {
            add(key, ops);
            return;
        }
        Watch sent = watch;
        if (watch != null && (ops.flags() & Kqueue.EV_KEEPUDATA) == 0) {
            watch.udata = ops.udata();
        }
        try {
            handler.change(ops, sent);
        } finally {
            if ((ops.flags() & Kqueue.EV_DELETE) != 0) { // ENOENT says that it is gone as well
                forget(key);
            }
        }
    }

    private void add(Key key, KnoteIoOps ops) {
        Registration other = handler.claim(key, this);
        if (other != this) {
            throw new IllegalStateException("ident " + key.ident + ", filter " + key.filter
                    + ": already registered with this loop, by " + other.handle);
        }
        Watch watch = new Watch(this, ops.word(), ops.udata());
        watches.put(key, watch);
        boolean added = false;
        try {
            handler.change(ops, watch);
            added = true;
        } finally {
            if (!added) {
                forget(key);
            }
        }
    }

    /** An event is the last one of its knote. */
    final void ended(long ident, int filter) {
        forget(new Key(ident, filter));
    }

    private void forget(Key key) {
        Watch watch = watches.remove(key);
        if (watch != null) {
            release(key, watch);
        }
    }

    private void release(Key key, Watch watch) {
        handler.release(key, this);
        if (watch.word != null) {
            handler.queue().forget(watch.word);
        }
    }

    @Override
    public final boolean isValid() {
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
        for (var entry : watches.entrySet()) {
            Key key = entry.getKey();
            release(key, entry.getValue());
            try {
                handler.change(KnoteIoOps.of(key.ident, key.filter, Kqueue.EV_DELETE, 0, 0), null);
            } catch (KeventException e) {
                LOG.debug("deleting a knote of {}", handle, e); // its fd may be closed, its one shot fired
            }
        }
        watches.clear();
        handler.cancelled(this);
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
