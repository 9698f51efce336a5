package dev.knote.transport;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Watches words of memory for as long as it is in the pipeline of a registered channel, any channel on the loops of a
 * {@link KnoteIoHandler}, and fires a {@link MemoryWordEvent} as a user event when one has been changed and woken.
 *
 * <p><b>Which events.</b> One for every wake that the loop gets to see, also if the value is the same; wakes that come
 * together are one, with the last value. Of a word given by {@link MemoryWordAddress#onlyChanges} only those count that
 * find another value than the last event's. The word is compared when the watch begins, and each time that it is armed
 * again: no change that is followed by a wake is missed. The first event is of a value that is not the one expected, or
 * not the one that the word had when the watch began, if none was given. A channel that changes its loop goes on where
 * it was.
 *
 * <p><b>Threads.</b> Words are watched on the channel's loop and events are fired on this handler's executor, usually
 * the same thread. With an executor of its own, events of one word that it has not fired yet are merged. When
 * {@code handlerRemoved} returns, nothing is fired any more.
 *
 * <p><b>Sharing.</b> All handlers and channels of a loop that watch one word share one wait of the kernel's: a wake
 * counts once for all of them, and is told to each. A word is watched on one loop with one size, and either
 * {@linkplain MemoryWordAddress#privately() privately} or not.
 *
 * <p><b>Errors</b> go to {@code exceptionCaught} of the handlers behind this one, as {@link MemoryWordException}s: a
 * loop that is not a KnoteIoHandler's, what is no word, memory that is gone. That word is watched no more, the others
 * are.
 *
 * <p><b>Lifetime.</b> Segments are the caller's; named memory is mapped while it is watched. A handler belongs to one
 * pipeline.
 */
public class MemoryWordHandler extends ChannelInboundHandlerAdapter {
    private final List<WatchedWord> words = new ArrayList<>();
    private ChannelHandlerContext context;
    private WatchSession session;

    /** Watches nothing until words are given by {@link #watch}. */
    public MemoryWordHandler() {}

    /** As {@link #watch(String, MemoryWordAddress, long)}, from the value on that the word has when the watch begins. */
    public final MemoryWordHandler watch(String name, MemoryWordAddress word) {
        return add(new WatchedWord(words.size(), name, word));
    }

    /**
     * One more word, before the handler is added to a pipeline.
     *
     * @param name comes with its events
     * @param expected the value that the caller has seen: if the word is another when the watch begins, that is an
     *     event
     * @throws IllegalStateException in a pipeline
     */
    public final MemoryWordHandler watch(String name, MemoryWordAddress word, long expected) {
        return add(new WatchedWord(words.size(), name, word).saw(expected));
    }

    private MemoryWordHandler add(WatchedWord word) {
        if (context != null) {
            throw new IllegalStateException("the handler is in a pipeline: its words are given before");
        }
        words.add(word);
        return this;
    }

    /**
     * A word has been woken. Fires the event; for who wants neither the event nor the object.
     *
     * @param index which word, in the order of {@link #watch}
     * @param value as {@link MemoryWordEvent#value}
     * @param merged as {@link MemoryWordEvent#merged}
     */
    protected void wordChanged(ChannelHandlerContext ctx, int index, long value, int merged) {
        WatchedWord word = words.get(index);
        ctx.fireUserEventTriggered(new MemoryWordEvent(word.name, index, word.address, value, merged));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = Objects.requireNonNull(ctx);
        if (ctx.channel().isRegistered()) {
            begin();
        }
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) throws Exception {
        begin();
        super.channelRegistered(ctx);
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        end();
        super.channelUnregistered(ctx);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
        end();
        context = null;
    }

    private void begin() {
        if (session == null && !words.isEmpty()) {
            session = new WatchSession(this, context, words);
            session.begin();
        }
    }

    private void end() {
        if (session != null) {
            session.end();
            session = null;
        }
    }
}
