package dev.knote.transport;

import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Notes its events, and then does what a test wants. */
class RecordingHandle implements KnoteIoHandle {
    record Seen(long ident, int filter, int flags, long data, Object udata) {}

    final BlockingQueue<Seen> events = new LinkedBlockingQueue<>();
    final BlockingQueue<String> life = new LinkedBlockingQueue<>();
    Runnable then = () -> {};

    @Override
    public void registered() {
        life.add("registered");
    }

    @Override
    public void unregistered() {
        life.add("unregistered");
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        var e = (KnoteIoEvent) event;
        events.add(new Seen(e.ident(), e.filter(), e.flags(), e.data(), e.udata()));
        then.run();
    }

    @Override
    public void close() {
        life.add("closed");
    }
}
