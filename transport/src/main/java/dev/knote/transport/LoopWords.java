package dev.knote.transport;

import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.filters.UserMem;
import dev.knote.linux.Errno;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The words that are watched on one loop, with one knote each, whoever watches them. Registered with the loop as long as
 * somebody uses it. All of it runs on the loop.
 */
final class LoopWords implements KnoteIoHandle {
    private static final Logger LOG = LoggerFactory.getLogger(LoopWords.class);
    private static final ConcurrentMap<IoEventLoop, LoopWords> BY_LOOP = new ConcurrentHashMap<>();

    private final IoEventLoop loop;
    private final Map<Long, LoopWord> words = new HashMap<>();
    private IoRegistration registration;
    private int users;
    private boolean closed;

    private LoopWords(IoEventLoop loop) {
        this.loop = loop;
    }

    /** Whether words can be watched on a loop. */
    static boolean isCompatible(EventLoop loop) {
        return loop instanceof IoEventLoop io && io.isCompatible(KnoteIoHandle.class);
    }

    /**
     * The words of this loop, until {@link #release}.
     *
     * @throws KeventException EINVAL for a loop that is not a KnoteIoHandler's, ECANCELED for one that is shut down
     */
    static LoopWords acquire(EventLoop loop) {
        if (!isCompatible(loop)) {
            throw new KeventException(Errno.EINVAL, "the channel's loop is a " + loop.getClass().getName()
                    + ": expected one of KnoteIoHandler's");
        }
        LoopWords words = BY_LOOP.computeIfAbsent((IoEventLoop) loop, LoopWords::new);
        if (words.registration == null) {
            words.register();
        }
        words.users++;
        return words;
    }

    private void register() {
        var future = loop.register(this);
        if (!future.isSuccess()) {
            BY_LOOP.remove(loop, this);
            var refused = new KeventException(Errno.ECANCELED, "the loop takes no words: " + future.cause());
            refused.initCause(future.cause());
            throw refused;
        }
        registration = future.getNow();
    }

    void release() {
        if (--users == 0 && !closed) {
            BY_LOOP.remove(loop, this);
            registration.cancel();
        }
    }

    EventLoop loop() {
        return loop;
    }

    /**
     * From now on the watch is told of every wake; and soon, if the word is not the one it has seen.
     *
     * @throws KeventException EFAULT for memory that is gone, EBUSY for a word that is watched otherwise, and what
     *     registering throws
     */
    void watch(WordWatch watch) {
        if (closed) {
            throw new KeventException(Errno.ECANCELED, "the loop is shut down");
        }
        long now = watch.word.read();
        Long address = watch.word.address();
        LoopWord at = words.get(address);
        if (at != null && !at.word.isReadable()) { // the address is used again
            gone(at, null);
            at = words.get(address);
        }
        if (at == null) {
            add(address, watch);
        } else {
            check(at, watch);
            if (at.onlyChanges && !watch.onlyChanges) {
                hearEveryWake(at);
            }
            at.add(watch);
            if (now != watch.seen) {
                loop.execute(() -> takeLater(watch));
            }
        }
    }

    private void add(Long address, WordWatch watch) {
        LoopWord made = new LoopWord(watch);
        try {
            submit(made);
        } catch (UncheckedIOException e) {
            throw e.getCause().getCause() instanceof KeventException refused ? refused : e;
        } catch (IllegalStateException e) {
            throw new KeventException(Errno.EBUSY,
                    "the word is watched by a handle of its own: " + e.getMessage());
        }
        words.put(address, made);
        made.add(watch);
    }

    private void submit(LoopWord made) {
        Interest shared = made.word.interest(made.expected);
        Interest interest = made.isPrivate ? UserMem.privately(shared) : shared;
        int flags = made.onlyChanges ? Kqueue.EV_ADD | Kqueue.EV_ONESHOT : Kqueue.EV_ADD;
        registration.submit(KnoteIoOps.of(interest, flags, made));
    }

    /** Somebody joins those who want only changes. */
    private void hearEveryWake(LoopWord at) {
        delete(at);
        at.onlyChanges = false;
        at.knote = null;
        submit(at);
    }

    private static void check(LoopWord at, WordWatch watch) {
        if (at.word.bytes != watch.word.bytes || at.isPrivate != watch.isPrivate) {
            throw new KeventException(Errno.EBUSY,
                    "the word is watched on this loop as one of " + at.word.bytes
                            + " bytes, " + (at.isPrivate ? "privately" : "shared"));
        }
    }

    /** Somebody else has the knote, which may have been armed with the new value. */
    private void takeLater(WordWatch watch) {
        LoopWord at = watch.at;
        if (at == null) {
            return;
        }
        long now;
        try {
            now = watch.word.read();
        } catch (KeventException e) {
            return; // the knote hears of it
        }
        if (now != watch.seen) { // otherwise an event has come first
            tell(watch, now);
        }
    }

    /** It is told no more. */
    void unwatch(WordWatch watch) {
        LoopWord at = watch.at;
        if (at == null) {
            return;
        }
        at.remove(watch);
        if (at.isEmpty()) {
            drop(at);
        }
    }

    private void drop(LoopWord at) {
        words.remove(at.word.address(), at);
        delete(at);
    }

    private void delete(LoopWord at) {
        try {
            registration
                    .submit(KnoteIoOps.of(at.word.address(), Kqueue.EVFILT_USERMEM, Kqueue.EV_DELETE, 0, 0));
        } catch (UncheckedIOException e) {
            LOG.debug("the knote of {} was gone", at.word.address(), e);
        }
    }

    @Override
    public void handle(IoRegistration raw, IoEvent ioEvent) {
        var event = (KnoteIoEvent) ioEvent;
        var at = (LoopWord) event.udata();
        if (at.isEmpty()) {
            return; // dropped since the event was taken from the queue, and perhaps made again
        }
        if ((event.flags() & Kqueue.EV_ERROR) != 0) {
            gone(at, new KeventException((int) event.data(),
                    "the word's memory is gone, its arena closed or its file cut"));
            return;
        }
        long value = event.data();
        for (WordWatch watch : at.watches()) {
            if (watch.at == at) {
                tell(watch, value);
            }
        }
        if (at.onlyChanges && !at.isEmpty()) {
            rearm((KnoteRegistration) raw, at, value);
        }
    }

    private static void rearm(KnoteRegistration registration, LoopWord at, long value) {
        if (at.knote == null) {
            at.knote = registration.watch(at.word.address(), Kqueue.EVFILT_USERMEM);
        }
        at.expected = value;
        registration.handler.rearms().add(at.knote, value);
    }

    private static void tell(WordWatch watch, long value) {
        try {
            watch.take(value);
        } catch (Throwable t) {
            LOG.warn("{} threw on an event", watch, t);
        }
    }

    /**
     * The memory that the knote was made with is gone. Those whose own segment lives, of the same memory or of what was
     * mapped at its address since, go on with another knote.
     */
    private void gone(LoopWord at, KeventException why) {
        WordWatch[] watches = at.removeAll();
        drop(at);
        boolean refused = why != null && at.word.isReadable();
        for (WordWatch watch : watches) {
            try {
                if (refused) {
                    throw why;
                }
                watch(watch);
            } catch (KeventException e) {
                fail(watch, e);
            }
        }
    }

    private static void fail(WordWatch watch, KeventException why) {
        try {
            watch.failed(why);
        } catch (Throwable t) {
            LOG.warn("{} threw on {}", watch, why, t);
        }
    }

    /** The loop is shut down: the knotes are gone. */
    @Override
    public void close() {
        closed = true;
        BY_LOOP.remove(loop, this);
        for (LoopWord at : words.values()) {
            at.removeAll();
        }
        words.clear();
    }

    @Override
    public String toString() {
        return "the watched words of " + loop;
    }
}
