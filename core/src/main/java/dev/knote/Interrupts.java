package dev.knote;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;

/**
 * Lets {@link Thread#interrupt} end a sleep in a system call. The JDK offers that to selectors alone, so this is one, of
 * which nothing but {@link #begin}, {@link #end} and {@link #wakeup} is ever used.
 */
final class Interrupts extends AbstractSelector {
    private final EventQueue queue;

    Interrupts(EventQueue queue) {
        super(null);
        this.queue = queue;
    }

    void enter() {
        begin();
    }

    void leave() {
        end();
    }

    @Override
    public Selector wakeup() {
        queue.activation.wakePoller();
        return this;
    }

    @Override
    protected void implCloseSelector() {}

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> keys() {
        return Set.of();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        return Set.of();
    }

    @Override
    public int selectNow() throws IOException {
        throw new IOException("not a selector");
    }

    @Override
    public int select(long timeout) throws IOException {
        throw new IOException("not a selector");
    }

    @Override
    public int select() throws IOException {
        throw new IOException("not a selector");
    }
}
