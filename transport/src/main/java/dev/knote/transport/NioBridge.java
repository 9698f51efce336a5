package dev.knote.transport;

import dev.knote.Event;
import dev.knote.Kqueue;
import dev.knote.linux.Epoll;
import io.netty.channel.IoOps;
import io.netty.channel.nio.NioIoEvent;
import io.netty.channel.nio.NioIoHandle;
import io.netty.channel.nio.NioIoOps;
import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Of a {@link NioIoHandle}: a level triggered {@link SocketFilter} knote. As with a selector, changes of
 * interest come into effect, the last of them, when the loop waits next.
 */
final class NioBridge extends Registration {
    private static final Logger LOG = LoggerFactory.getLogger(NioBridge.class);
    private static final int READING = SelectionKey.OP_READ | SelectionKey.OP_ACCEPT;
    private static final int WRITING = SelectionKey.OP_WRITE | SelectionKey.OP_CONNECT;
    private static final int BROKEN = Epoll.EPOLLERR | Epoll.EPOLLHUP;
    private static final NioIoEvent[] EVENTS = new NioIoEvent[(READING | WRITING) + 1];

    static {
        for (int i = 0; i < EVENTS.length; i++) {
            NioIoOps ops = NioIoOps.valueOf(i);
            EVENTS[i] = () -> ops;
        }
    }

    private final NioIoHandle nioHandle;
    private final NioKeys keys;
    private final NioKeys.Key key;
    private final int fd;
    private int applied;
    private boolean changing;
    private boolean begun;

    NioBridge(KnoteIoHandler handler, NioKeys keys, NioIoHandle handle) throws IOException {
        super(handler, handle);
        this.nioHandle = handle;
        this.keys = keys;
        this.fd = NioSupport.fd(handle.selectableChannel());
        this.key = keys.open(handle.selectableChannel(), this);
    }

    /** The interest as it is from now on; -1 after cancel, and when the channel is closed. */
    @Override
    public long submit(IoOps ops) {
        if (!(ops instanceof NioIoOps nioOps)) {
            throw new IllegalArgumentException(
                    "ops is a " + ops.getClass().getName() + ": expected NioIoOps");
        }
        if (!isValid()) {
            return -1;
        }
        key.interestOps(nioOps.value());
        return nioOps.value();
    }

    @Override
    public boolean isValid() {
        return super.isValid() && key.isValid();
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T attachment() {
        return (T) key;
    }

    /** Any thread. */
    void interestChanged() {
        if (!handler.isLoop()) {
            handler.execute(this::interestChanged);
        } else if (!changing) {
            changing = true;
            handler.beforeWait(this);
        }
    }

    /** Before the loop waits: makes the knote what the interest is. */
    @Override
    void beforeWait() {
        changing = false;
        if (!isValid()) {
            return;
        }
        int bits = bits(key.interest());
        if (bits == applied) {
            return;
        }
        try {
            change(KnoteIoOps.of(fd, SocketFilter.EVFILT_SOCKET, Kqueue.EV_ADD, bits, 0));
            applied = bits;
        } catch (RuntimeException e) {
            LOG.warn("{} is closed, as its interest could not be registered", nioHandle, e);
            close();
        }
    }

    private int bits(int interest) {
        if (interest == 0) {
            return 0;
        }
        int bits = ((interest & READING) != 0 ? Epoll.EPOLLIN : 0)
                | ((interest & WRITING) != 0 ? Epoll.EPOLLOUT : 0);
        return hasBegun() ? bits : bits | Epoll.EPOLLET;
    }

    /**
     * A socket that is neither connected nor listens is hung up, for epoll, all the time: only changes are of
     * interest.
     */
    private boolean hasBegun() {
        if (!begun) {
            begun = hasBegun(nioHandle.selectableChannel());
        }
        return begun;
    }

    private static boolean hasBegun(SelectableChannel channel) {
        try {
            return switch (channel) {
                case SocketChannel socket -> socket.isConnected() || socket.isConnectionPending();
                case ServerSocketChannel server -> server.getLocalAddress() != null;
                default -> true;
            };
        } catch (IOException e) {
            return true; // closed
        }
    }

    @Override
    boolean dispatch(Watch watch, Event event) {
        if (!hasBegun()) {
            return false;
        }
        if ((applied & Epoll.EPOLLET) != 0) {
            interestChanged();
        }
        int ready = ready((int) event.data(), key.interest());
        if (ready == 0) {
            return false;
        }
        key.ready(ready);
        nioHandle.handle(this, EVENTS[ready]);
        return true;
    }

    private static int ready(int bits, int interest) {
        if ((bits & BROKEN) != 0) {
            return interest;
        }
        int ready = (bits & Epoll.EPOLLIN) != 0 ? interest & READING : 0;
        if ((bits & Epoll.EPOLLOUT) != 0) {
            ready |= interest & WRITING;
        }
        return (ready & SelectionKey.OP_CONNECT) != 0 ? SelectionKey.OP_CONNECT : ready;
    }

    @Override
    void released() {
        try {
            keys.release(key);
        } catch (IOException e) {
            LOG.warn("closing {}", nioHandle, e);
        }
    }
}
