package dev.knote.transport;

import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.IllegalSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelectionKey;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.List;
import java.util.Set;

/**
 * A loop as NIO channels see it: a selector that they are registered with. It selects nothing. That a channel
 * has a key keeps its fd open when it is closed, until the key is {@link #release released}: so the loop
 * deletes an fd from its queue before its number can be another's. It is how the JDK's selectors do it.
 */
final class NioKeys extends AbstractSelector {
    private final KnoteIoHandler handler;

    NioKeys(KnoteIoHandler handler) {
        super(SelectorProvider.provider());
        this.handler = handler;
    }

    /** A channel's registration with the loop. Any thread may change its interest. */
    static final class Key extends AbstractSelectionKey {
        private final NioKeys keys;
        private final SelectableChannel channel;
        private final NioBridge bridge;
        private volatile int interest;
        private volatile int ready;

        private Key(NioKeys keys, SelectableChannel channel, NioBridge bridge) {
            this.keys = keys;
            this.channel = channel;
            this.bridge = bridge;
        }

        int interest() {
            return interest;
        }

        void ready(int ops) {
            ready = ops;
        }

        @Override
        public SelectableChannel channel() {
            return channel;
        }

        @Override
        public Selector selector() {
            return keys;
        }

        @Override
        public int interestOps() {
            checkValid();
            return interest;
        }

        @Override
        public SelectionKey interestOps(int ops) {
            checkValid();
            if ((ops & ~channel.validOps()) != 0) {
                throw new IllegalArgumentException("interest is " + ops + ": expected bits of "
                        + channel.validOps() + ", as for every " + channel.getClass().getName());
            }
            if (interest != ops) {
                interest = ops;
                bridge.interestChanged();
            }
            return this;
        }

        @Override
        public int readyOps() {
            checkValid();
            return ready;
        }

        private void checkValid() {
            if (!isValid()) {
                throw new CancelledKeyException();
            }
        }
    }

    /** The key of a channel that has none here. */
    Key open(SelectableChannel channel, NioBridge bridge) throws IOException {
        SelectionKey old = channel.keyFor(this);
        if (old != null) {
            throw new IllegalStateException(channel + ": already registered with this loop");
        }
        return (Key) channel.register(this, 0, bridge);
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
        if (!(attachment instanceof NioBridge bridge)) {
            throw new IllegalSelectorException(); // by somebody who got this selector from a key
        }
        var key = new Key(this, channel, bridge);
        key.attach(attachment);
        return key;
    }

    /** The end of a key, whose knote is deleted. Closes the fd if the channel was closed. */
    void release(Key key) throws IOException {
        key.cancel();
        Set<SelectionKey> cancelled = cancelledKeys();
        synchronized (cancelled) {
            if (!cancelled.remove(key)) {
                return;
            }
        }
        deregister(key);
        SelectableChannel channel = key.channel();
        if (!channel.isOpen() && !channel.isRegistered()) {
            NioSupport.kill(channel);
        }
    }

    /** Channels that were closed, and are not deregistered yet: their fds are let go. */
    void sweep() {
        Set<SelectionKey> cancelled = cancelledKeys();
        List<SelectionKey> keys;
        synchronized (cancelled) {
            if (cancelled.isEmpty()) {
                return;
            }
            keys = List.copyOf(cancelled);
        }
        for (SelectionKey key : keys) {
            ((Key) key).bridge.release();
        }
    }

    @Override
    protected void implCloseSelector() {}

    @Override
    public Set<SelectionKey> keys() {
        throw notSelecting();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        throw notSelecting();
    }

    @Override
    public int selectNow() {
        throw notSelecting();
    }

    @Override
    public int select(long timeout) {
        throw notSelecting();
    }

    @Override
    public int select() {
        throw notSelecting();
    }

    private static UnsupportedOperationException notSelecting() {
        return new UnsupportedOperationException("an event loop selects, not this");
    }

    @Override
    public Selector wakeup() {
        handler.wakeup();
        return this;
    }
}
