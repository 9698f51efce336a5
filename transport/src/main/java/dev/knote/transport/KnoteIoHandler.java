package dev.knote.transport;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.Options;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.local.LocalIoHandle;
import io.netty.channel.nio.NioIoHandle;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An {@link IoHandler} whose handles are knotes of an {@link EventQueue}, one queue a loop. Made by
 * {@link #newFactory()}, for {@link io.netty.channel.MultiThreadIoEventLoopGroup} or
 * {@link io.netty.channel.ManualIoEventLoop}.
 *
 * <p>It takes {@link KnoteIoHandle}s, which the channels of this package are; {@link NioIoHandle}s, which
 * Netty's NIO channels are, if the JVM was started with
 * {@code --add-exports java.base/sun.nio.ch=ALL-UNNAMED} (on the module path {@code =dev.knote.transport});
 * Netty's {@code KQueueIoHandle}s; and Netty's local channels, which need nothing of a loop but its thread.
 */
public final class KnoteIoHandler implements IoHandler {
    private static final Logger LOG = LoggerFactory.getLogger(KnoteIoHandler.class);
    private static final String RING = "io_uring";
    private static final int AWAKE = 0;
    private static final int ASLEEP = 1;
    private static final long REST_NANOS = 100_000_000;
    private static final long FOR_EVER = Long.MAX_VALUE / 2;
    private static final boolean KQUEUE = isThere("io.netty.channel.kqueue.KQueueIoHandle");

    private final ThreadAwareExecutor executor;
    private final EventQueue queue;
    private final AtomicInteger state = new AtomicInteger(AWAKE);
    private final KeventList changelist = KeventList.allocate(1);
    private final Rearms rearms = new Rearms();
    private final Map<Registration.Key, Registration.Watch> owners = new HashMap<>();
    private final Set<Registration> registrations = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Registration> leaving = new ArrayList<>();
    private final List<Registration> changing = new ArrayList<>();
    private final EventAdapter view = new EventAdapter();
    private final LoopResources resources;
    /** Made for the first NIO channel. */
    private NioKeys nioKeys;
    private int handled;
    private final EventHandler dispatch = new Dispatch();
    /** A loop that shuts down without a quiet period may do so without another turn: its last tasks close channels. */
    private final Runnable beforeShutdown = this::prepareToDestroy;
    private boolean dispatching;
    private boolean reportsActivity;
    private long activeSince;

    /** A factory of handlers with the defaults: the best poller, no spinning. */
    public static IoHandlerFactory newFactory() {
        return newFactory(Options::defaults);
    }

    /**
     * A factory of handlers.
     *
     * @param options called once for each handler: its poller, spinning and further filters, which must be new
     *     objects each time. Its queue has a single owner whether they say so or not
     */
    public static IoHandlerFactory newFactory(Supplier<Options> options) {
        Objects.requireNonNull(options, "options");
        Knote.ensureAvailability();
        boolean changing = canChangeThread(options.get());
        return new IoHandlerFactory() {
            @Override
            public IoHandler newHandler(ThreadAwareExecutor ioExecutor) {
                return new KnoteIoHandler(ioExecutor, options.get());
            }

            @Override
            public boolean isChangingThreadSupported() {
                return changing;
            }
        };
    }

    private static boolean isThere(String optionalClass) {
        try {
            Class.forName(optionalClass, false, KnoteIoHandler.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    private static boolean canChangeThread(Options options) {
        try (EventQueue probe = EventQueue.open(options.singleOwner())) {
            return probe.canChangeOwner();
        }
    }

    private KnoteIoHandler(ThreadAwareExecutor executor, Options options) {
        this.executor = Objects.requireNonNull(executor, "executor");
        this.queue = EventQueue.open(options.singleOwner().filter(new SocketFilter()));
        this.resources = new LoopResources(RING.equals(queue.pollerName())); // last, as nobody would close it
    }

    /** Also called when the loop goes on in another thread. */
    @Override
    public void initialize() {
        queue.takeOver();
        if (executor instanceof SingleThreadEventExecutor loop) {
            loop.addShutdownHook(beforeShutdown);
        }
    }

    @Override
    public int run(IoHandlerContext context) {
        reportsActivity = context.shouldReportActiveIoTime();
        activeSince = 0;
        handled = 0;
        try {
            change();
            poll(context);
        } catch (Throwable t) {
            rest(t);
        } finally {
            state.set(AWAKE);
            dispatching = false;
        }
        leave();
        if (reportsActivity) {
            context.reportActiveIoTime(activeSince == 0 ? 0 : System.nanoTime() - activeSince);
        }
        return handled;
    }

    private void poll(IoHandlerContext context) {
        long nanos = 0;
        boolean hasWork = resources.beginTurn();
        if (!hasWork && context.canBlock()) {
            state.set(ASLEEP);
            if (context.canBlock()) { // again, as a task may have come before it could be seen that we sleep
                nanos = Math.clamp(context.delayNanos(System.nanoTime()), 0, FOR_EVER);
            }
        }
        int events;
        int changes = rearms.prepare();
        try {
            events = queue.pollNanos(rearms.changelist(), changes, dispatch, nanos);
        } finally {
            rearms.forget(changes);
            if (hasWork && reportsActivity && activeSince == 0) {
                activeSince = System.nanoTime();
            }
            resources.endTurn();
        }
        if (events == 0 && Thread.interrupted()) {
            LOG.debug("an interrupt of the loop's thread is ignored");
        }
    }

    /** Changes that wait until the loop does. */
    private void change() {
        if (nioKeys != null) {
            nioKeys.sweep();
        }
        for (int i = 0; i < changing.size(); i++) {
            changing.get(i).beforeWait();
        }
        changing.clear();
    }

    private final class Dispatch implements EventHandler {
        @Override
        public void handle(Event event) {
            beginDispatch();
            dispatch(event);
        }

        @Override
        public void edge(Object target, int events) {
            beginDispatch();
            handled++;
            try {
                ((AbstractKnoteChannel.KnoteUnsafe) target).ready(events);
            } catch (Throwable t) {
                LOG.warn("{} threw on an event", target, t);
            }
            resources.afterEvent();
        }
    }

    private void beginDispatch() {
        if (!dispatching) {
            dispatching = true;
            state.set(AWAKE);
            activeSince = reportsActivity ? System.nanoTime() : 0;
        }
    }

    private void dispatch(Event event) {
        if (!(event.attachment() instanceof Registration.Watch watch)) {
            return;
        }
        Registration registration = watch.registration;
        if (!watch.live || !registration.isValid()) {
            return; // deleted or cancelled earlier in this batch
        }
        if ((event.flags() & Kqueue.EV_ONESHOT) != 0 && !registration.rearms(event)) {
            registration.ended(watch);
        }
        try {
            if (registration.dispatch(watch, event)) {
                handled++;
            }
        } catch (Throwable t) {
            LOG.warn("{} threw on an event", registration.handle, t);
        }
        resources.afterEvent();
    }

    /** The queue is broken, or out of memory: not to burn a processor on it. */
    private void rest(Throwable t) {
        LOG.warn("the loop could not wait; it goes on after {} ms", REST_NANOS / 1_000_000, t);
        LockSupport.parkNanos(REST_NANOS);
    }

    @Override
    public void wakeup() {
        if (state.get() == ASLEEP && !isLoop() && state.compareAndSet(ASLEEP, AWAKE)) {
            queue.wakeup();
        }
    }

    @Override
    public void prepareToDestroy() {
        for (Registration registration : registrations.toArray(Registration[]::new)) {
            try {
                registration.close();
            } catch (Throwable t) { // the others are closed yet
                LOG.warn("closing the registration of {}", registration.handle, t);
            }
        }
        leave();
    }

    @Override
    public void destroy() {
        try {
            prepareToDestroy();
            change();
        } finally {
            try {
                queue.close();
            } finally {
                resources.close();
            }
        }
    }

    @Override
    public IoRegistration register(IoHandle handle) {
        Registration registration = make(handle);
        registrations.add(registration);
        boolean told = false;
        try {
            handle.registered();
            told = true;
        } finally {
            if (!told) {
                registration.cancel(); // and nobody else has it
            }
        }
        return registration;
    }

    private Registration make(IoHandle handle) {
        if (handle instanceof KnoteIoHandle knoteHandle) {
            return new KnoteRegistration(this, knoteHandle);
        }
        if (handle instanceof NioIoHandle nioHandle) {
            return nioBridge(nioHandle);
        }
        if (KQUEUE && KQueueBridge.accepts(handle.getClass())) {
            return KQueueBridge.of(this, handle);
        }
        if (handle instanceof LocalIoHandle) {
            return new LocalRegistration(this, handle);
        }
        throw new IllegalArgumentException("handle is a " + handle.getClass().getName()
                + ": expected a KnoteIoHandle, a NioIoHandle, a KQueueIoHandle or a LocalIoHandle");
    }

    private Registration nioBridge(NioIoHandle handle) {
        if (nioKeys == null) {
            nioKeys = new NioKeys(this);
        }
        nioKeys.sweep(); // or a channel that was closed may have the fd's number yet
        try {
            return new NioBridge(this, nioKeys, handle);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return KnoteIoHandle.class.isAssignableFrom(handleType)
                || NioIoHandle.class.isAssignableFrom(handleType)
                || LocalIoHandle.class.isAssignableFrom(handleType)
                || KQUEUE && KQueueBridge.accepts(handleType);
    }

    // ---- for registrations, on the loop

    boolean isLoop() {
        return executor.isExecutorThread(Thread.currentThread());
    }

    void execute(Runnable task) {
        executor.execute(task);
    }

    EventQueue queue() {
        return queue;
    }

    LoopResources loop() {
        return resources;
    }

    /** Applies a change, with {@code udata} in the place of the user's object. */
    void change(KnoteIoOps ops, Object udata) {
        if (ops.word() == null) {
            changelist.set(0, ops.ident(), ops.filter(), ops.flags(), ops.fflags(), ops.data(), udata);
        } else {
            changelist.set(0, ops.word(), ops.filter(), ops.flags(), ops.fflags(), ops.data(), udata);
        }
        try {
            queue.kevent(changelist, 1, null, 0, Duration.ZERO);
        } finally {
            changelist.set(0, 0, 0, 0, 0, 0, null); // holds neither the object nor the memory
        }
    }

    /** Before the loop waits next, {@link Registration#beforeWait} is called, once. */
    void beforeWait(Registration registration) {
        changing.add(registration);
    }

    /** The knotes that are made again with the wait. */
    Rearms rearms() {
        return rearms;
    }

    /** The knote that there is, or null. */
    Registration.Watch owner(Registration.Key key) {
        return owners.get(key);
    }

    void owner(Registration.Key key, Registration.Watch watch) {
        owners.put(key, watch);
    }

    void disown(Registration.Key key, Registration.Watch watch) {
        owners.remove(key, watch);
    }

    /** The registration has no knotes any more. */
    void cancelled(Registration registration) {
        if (registrations.remove(registration)) {
            leaving.add(registration);
            if (!dispatching) {
                leave();
            }
        }
    }

    /** Tells those who were cancelled, but not among events that may still be theirs. */
    private void leave() {
        while (!leaving.isEmpty()) {
            Registration registration = leaving.removeLast();
            try {
                registration.handle.unregistered();
            } catch (Throwable t) {
                LOG.warn("{} threw when it was unregistered", registration.handle, t);
            }
        }
    }

    KnoteIoEvent view(Registration.Watch watch, Event event) {
        return view.of(event, watch.udata);
    }
}
