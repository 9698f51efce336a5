package dev.knote.transport;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.Options;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that wait for words of one size, and the thread that polls the queue for them. It alone has the table of the
 * words; a waiter comes and leaves by two lists, and wakes it with the first entry.
 *
 * <p>A knote is one-shot: while nobody waits none is armed, which would take wakes from others.
 */
final class WordWaiters {
    private static final Logger LOG = LoggerFactory.getLogger(WordWaiters.class);
    private static final long REST_NANOS = 100_000_000;

    private final EventQueue queue = EventQueue.open(Options.defaults().singleOwner());
    private final Map<Long, WaitedWord> words = new HashMap<>();
    private final AtomicReference<WordWaiter> coming = new AtomicReference<>();
    private final AtomicReference<WordWaiter> leaving = new AtomicReference<>();
    private final EventHandler taker = this::takeOrLog;

    WordWaiters(String name) {
        Thread.ofPlatform().daemon().name(name).start(this::poll);
    }

    // ---- the waiter's side

    long await(WordWaiter waiter) throws InterruptedException {
        come(waiter);
        while (waiter.isWaiting()) {
            leaveIfInterrupted(waiter);
            LockSupport.park(this);
        }
        return waiter.value();
    }

    long await(WordWaiter waiter, long deadline) throws InterruptedException, TimeoutException {
        come(waiter);
        while (waiter.isWaiting()) {
            leaveIfInterrupted(waiter);
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                if (leave(waiter)) {
                    throw tooLate(waiter);
                }
                break;
            }
            LockSupport.parkNanos(this, left);
        }
        return waiter.value();
    }

    static TimeoutException tooLate(WordWaiter waiter) {
        return new TimeoutException("await: the word is still " + waiter.expected());
    }

    private void leaveIfInterrupted(WordWaiter waiter) throws InterruptedException {
        if (Thread.currentThread().isInterrupted() && leave(waiter)) {
            Thread.interrupted();
            throw new InterruptedException("await: interrupted");
        }
    }

    private void come(WordWaiter waiter) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("await: interrupted");
        }
        WordWaiter before;
        do {
            before = coming.get();
            waiter.nextComing = before;
        } while (!coming.compareAndSet(before, waiter));
        if (before == null) {
            queue.wakeup();
        }
    }

    /** False if the wait has ended by itself. */
    private boolean leave(WordWaiter waiter) {
        if (!waiter.giveUp()) {
            return false;
        }
        WordWaiter before;
        do {
            before = leaving.get();
            waiter.nextLeaving = before;
        } while (!leaving.compareAndSet(before, waiter));
        if (before == null) {
            queue.wakeup();
        }
        return true;
    }

    // ---- the polling thread's side

    private void poll() {
        for (;;) {
            try {
                takeLeaving(); // first, as who leaves has come before: its place in the other list is not after this
                takeComing();
                queue.pollNanos(taker, -1);
            } catch (Throwable t) {
                LOG.warn("waiting for words failed; it goes on after {} ms", REST_NANOS / 1_000_000, t);
                LockSupport.parkNanos(REST_NANOS);
            }
        }
    }

    private void takeComing() {
        WordWaiter waiter = coming.get() == null ? null : coming.getAndSet(null);
        while (waiter != null) {
            WordWaiter next = waiter.nextComing;
            waiter.nextComing = null;
            add(waiter);
            waiter = next;
        }
    }

    private void takeLeaving() {
        WordWaiter waiter = leaving.get() == null ? null : leaving.getAndSet(null);
        while (waiter != null) {
            WordWaiter next = waiter.nextLeaving;
            waiter.nextLeaving = null;
            WaitedWord at = waiter.at;
            if (at != null) { // otherwise it has not been taken from the list of those who come, and will be left there
                at.remove(waiter);
                if (at.isEmpty()) {
                    drop(at);
                }
            }
            waiter = next;
        }
    }

    private void add(WordWaiter waiter) {
        if (!waiter.isWaiting()) {
            return;
        }
        try {
            if (waiter.isChanged()) {
                waiter.complete(waiter.value());
                return;
            }
            WaitedWord at = words.get(waiter.address());
            if (at != null && !at.word.isReadable()) { // the address is used again
                gone(at, null);
                at = words.get(waiter.address());
            }
            if (at == null) {
                at = new WaitedWord(waiter);
                arm(at, waiter.expected());
            }
            at.add(waiter);
        } catch (KeventException e) {
            waiter.fail(e);
        }
    }

    private void arm(WaitedWord at, long expected) {
        at.knote = queue.register(at.word.interest(expected).oneShot(), at);
        words.put(at.word.address(), at);
    }

    private boolean remove(WaitedWord at) {
        if (!words.remove(at.word.address(), at)) {
            return false;
        }
        queue.forget(at.word.segment);
        return true;
    }

    private void drop(WaitedWord at) {
        if (remove(at)) {
            at.knote.cancel();
        }
    }

    /** Nothing may be thrown, which would lose the events behind this one. */
    private void takeOrLog(Event event) {
        try {
            take(event);
        } catch (Throwable t) {
            LOG.warn("an event of a word was not taken", t);
        }
    }

    private void take(Event event) {
        var at = (WaitedWord) event.attachment();
        if (!remove(at)) {
            return; // dropped since
        }
        if (event.isError()) {
            gone(at, new KeventException((int) event.data(),
                    "await: the word's memory is gone, its arena closed or"
                            + " its file cut"));
            return;
        }
        boolean anybody = tell(at, event.data());
        if (!at.isEmpty()) {
            armAgain(at, event.data());
        } else if (!anybody) {
            passOn(at);
        }
    }

    /** Ends the waits for which the value is a new one; whether there was anybody at all. */
    private static boolean tell(WaitedWord at, long value) {
        boolean anybody = false;
        for (WordWaiter waiter = at.first(), next; waiter != null; waiter = next) {
            next = waiter.next;
            if (!waiter.isWaiting()) {
                at.remove(waiter);
            } else if (value != waiter.expected()) {
                at.remove(waiter);
                anybody |= waiter.complete(value);
            } else {
                anybody = true;
            }
        }
        return anybody;
    }

    private void armAgain(WaitedWord at, long value) {
        try {
            arm(at, value);
        } catch (KeventException e) {
            gone(at, e);
        }
    }

    /** All had given up before the wake came: it is another's. */
    private static void passOn(WaitedWord at) {
        try {
            at.word.wake(1, false);
        } catch (KeventException e) {
            LOG.debug("a wake could not be passed on", e);
        }
    }

    /**
     * The memory that the knote was made with is gone. Who waits with another segment, of the same memory or of what
     * was mapped at its address since, goes on.
     */
    private void gone(WaitedWord at, KeventException why) {
        drop(at);
        boolean refused = why != null && at.word.isReadable();
        for (WordWaiter waiter; (waiter = at.first()) != null;) {
            at.remove(waiter);
            if (refused) {
                waiter.fail(why);
            } else {
                add(waiter);
            }
        }
    }
}
