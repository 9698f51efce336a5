package dev.knote.transport;

import dev.knote.KeventException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;

/**
 * A {@link MemoryWordHandler} on one loop. Its watches belong to the loop; what they have to say is said on the handler's
 * executor, where the session was begun and is ended.
 */
final class WatchSession {
    private final MemoryWordHandler handler;
    private final ChannelHandlerContext context;
    private final List<WatchedWord> given;
    private final EventLoop loop;
    private final List<Watch> watches = new ArrayList<>();
    private LoopWords words;
    private volatile boolean ended;

    /** One word of it. */
    private final class Watch extends WordWatch {
        final WatchedWord watched;
        private boolean posted;
        private long postedValue;
        private int merged;

        Watch(WatchedWord watched, Word word, long seen) {
            super(word, watched.address, seen);
            this.watched = watched;
        }

        @Override
        void changed(long value) {
            watched.seen = value;
            EventExecutor executor = context.executor();
            if (executor.inEventLoop()) {
                fire(value, 0);
            } else {
                post(executor, value);
            }
        }

        private synchronized void post(EventExecutor executor, long value) {
            postedValue = value;
            if (posted) {
                merged++;
            } else {
                posted = true;
                executor.execute(this::firePosted);
            }
        }

        private void firePosted() {
            long value;
            int others;
            synchronized (this) {
                value = postedValue;
                others = merged;
                merged = 0;
                posted = false;
            }
            fire(value, others);
        }

        private void fire(long value, int others) {
            if (ended) {
                return;
            }
            try {
                handler.wordChanged(context, watched.index, value, others);
            } catch (Throwable t) {
                context.fireExceptionCaught(t);
            }
        }

        @Override
        void failed(KeventException why) {
            refuse(watched, why);
        }

        @Override
        public String toString() {
            return "the watch of " + watched.address + " in " + context.channel();
        }
    }

    WatchSession(MemoryWordHandler handler, ChannelHandlerContext context, List<WatchedWord> given) {
        this.handler = handler;
        this.context = context;
        this.given = given;
        this.loop = context.channel().eventLoop();
    }

    void begin() {
        onLoop(this::beginOnLoop);
    }

    void end() {
        ended = true;
        onLoop(this::endOnLoop);
    }

    private void onLoop(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
            return;
        }
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            ended = true; // the loop has ended, and its knotes with it
        }
    }

    private void beginOnLoop() {
        if (ended) {
            return;
        }
        try {
            words = LoopWords.acquire(loop);
        } catch (KeventException e) {
            refuse(given.getFirst(), e);
            return;
        }
        for (WatchedWord word : given) {
            beginWord(word);
        }
    }

    private void beginWord(WatchedWord watched) {
        Word word = null;
        try {
            word = watched.address.open(false);
            watched.saw(watched.known ? watched.seen : word.read());
            Watch watch = new Watch(watched, word, watched.seen);
            words.watch(watch);
            watches.add(watch);
        } catch (KeventException e) {
            if (word != null) {
                word.close();
            }
            refuse(watched, e);
        }
    }

    private void endOnLoop() {
        for (Watch watch : watches.reversed()) { // the kernel looks for a wait from the latest to the first
            words.unwatch(watch);
            watch.word.close();
        }
        watches.clear();
        if (words != null) {
            words.release();
            words = null;
        }
    }

    private void refuse(WatchedWord word, KeventException why) {
        var exception = new MemoryWordException(word.address, why);
        try { // later: while handlers are being added, those behind this one hear nothing
            context.executor().execute(() -> fire(exception));
        } catch (RejectedExecutionException e) {
            ended = true; // the executor has ended
        }
    }

    private void fire(MemoryWordException exception) {
        if (!ended) {
            context.fireExceptionCaught(exception);
        }
    }
}
