package dev.knote.examples.page;

import dev.knote.Kqueue;
import dev.knote.filters.UserMem;
import dev.knote.transport.KnoteIoHandle;
import dev.knote.transport.KnoteIoOps;
import io.netty.channel.Channel;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoRegistration;
import dev.knote.transport.KnoteIoEvent;
import java.nio.file.Path;

/** Fires the changes of all words in a channel's pipeline. Has a mapping of its own: a queue has one knote a word. */
final class WordWatch implements KnoteIoHandle {
    record Changed(Word word, int value) {}

    private final Words words;
    private final Channel channel;
    private final int[] seen = new int[Word.ALL.length];
    private volatile IoRegistration registration;
    private boolean closed;

    WordWatch(Path memory, Channel channel) {
        this.words = Words.map(memory);
        this.channel = channel;
        for (Word word : Word.ALL) {
            seen[word.ordinal()] = words.value(word);
        }
    }

    void start(IoEventLoopGroup group) {
        IoEventLoop loop = group.next();
        loop.register(this)
                .addListener(future -> loop.execute(() -> watch((IoRegistration) future.getNow())));
    }

    private synchronized void watch(IoRegistration registered) {
        registration = registered;
        if (closed) {
            registered.cancel();
            return;
        }
        for (Word word : Word.ALL) {
            registered.submit(
                    KnoteIoOps.of(UserMem.int32(words.word(word), seen[word.ordinal()]), Kqueue.EV_ADD,
                            word));
        }
    }

    @Override
    public void handle(IoRegistration of, IoEvent event) {
        var change = (KnoteIoEvent) event;
        channel.pipeline().fireUserEventTriggered(new Changed((Word) change.udata(), (int) change.data()));
    }

    @Override
    public void unregistered() {
        words.close();
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (registration != null) {
            registration.cancel();
        }
    }
}
