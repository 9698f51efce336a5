package dev.knote.kfutex;

import static dev.knote.Kqueue.EVFILT_TIMER;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EVFILT_USERMEM;
import static dev.knote.Kqueue.EV_CLEAR;
import static dev.knote.Kqueue.EV_DISPATCH;
import static dev.knote.Kqueue.EV_ONESHOT;

import dev.knote.Event;
import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.KeventException;
import dev.knote.Options;
import dev.knote.linux.Errno;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * Events that are told through memory: any knote is bound to words, and when it fires, each {@link Rule} changes its word
 * in one atomic step and decides whether, and how many, waiters are woken. Who waits needs the memory alone: futex(2) of
 * a C program, another process, EVFILT_USERMEM of another queue. No thread of the program runs for it: a daemon thread,
 * {@code knote-kfutex}, with a queue of its own is made for the first binding, and ended by {@link #close}.
 *
 * <p><b>One binding an ident and filter</b>, as with knotes, but of any number of rules, applied in their order. Binding
 * again replaces the rules; an event that is on its way then is applied once, by the old rules or by the new. (A USER
 * knote or a timer that is bound again with the same interest goes on; with another one it begins anew, as by EV_ADD.)
 *
 * <p><b>Level triggered</b> interests are taken with EV_CLEAR, since nobody would take the condition away before it is
 * reported again: a change of the word is an arrival (of bytes, room, a connection, the end), and a condition that holds
 * is applied once when it is bound. With {@link Interest#dispatch} the knote is disabled by each event until
 * {@link Binding#enable}, which applies what holds then; with {@link Interest#oneShot} it ends. A process's exit is
 * {@code Read.of(pidfd)}.
 *
 * <p><b>EV_EOF</b> is an event like others, with {@link Rule#onEof} rules added. <b>EV_ERROR</b> touches words only by
 * {@link Rule#onError} rules; the binding has it as {@link Binding#errno}. If <b>a word's memory is gone</b>, its arena
 * closed or its file cut, the binding ends with EFAULT after its other rules have been applied, and the others live on.
 *
 * <p>Words bound to words may not form a cycle, which would never come to rest; only a word bound to itself is refused.
 * Any thread may call anything. The fds and the memory are the caller's: unbind before they are closed.
 */
public final class Kfutex implements AutoCloseable {
    private static final long BREATH_NANOS = 1_000_000;

    private final Options options;
    private final Map<Key, Slot> slots = new HashMap<>();
    private final EventHandler handler = this::handle;
    private EventQueue queue;
    private Thread service;
    private boolean closed;

    private record Key(long ident, int filter) {
        static Key of(Interest interest) {
            return new Key(interest.ident(), interest.filter());
        }
    }

    /** A knote's attachment: an event that is on its way while rules are replaced finds the new ones. */
    private static final class Slot {
        volatile Binding current;
    }

    /** One with the built-in filters. */
    public Kfutex() {
        this(Options.defaults());
    }

    /** One whose queue has these options: third parties' filters, the poller, spinning. */
    public Kfutex(Options options) {
        this.options = Objects.requireNonNull(options, "Kfutex: options is null");
    }

    /**
     * Registers the interest, and has its events applied by the rules from then on, in their order.
     *
     * @throws KeventException EINVAL without a rule, with a word bound to itself, or what the filter refuses; EBADF if
     *     this is closed, or for an fd that is not open; and what else {@link EventQueue#register} says
     */
    public synchronized Binding bind(Interest interest, Rule... rules) {
        if (closed) {
            throw new KeventException(Errno.EBADF, "Kfutex.bind: it is closed");
        }
        check(interest, rules);
        start();
        Slot slot = slots.computeIfAbsent(Key.of(interest), key -> new Slot());
        Binding old = slot.current;
        Binding binding = new Binding(this, edges(interest), rules.clone());
        // held while the knote may fire for the first time, so that its event finds the binding complete
        synchronized (binding) {
            slot.current = binding;
            try {
                binding.knote = keeps(old, binding) ? old.knote : queue.register(binding.interest, slot);
            } catch (RuntimeException | Error refused) {
                slot.current = old;
                binding.end();
                if (old == null) {
                    slots.remove(Key.of(interest));
                }
                throw refused;
            }
        }
        if (old != null) {
            old.end();
        }
        return binding;
    }

    /** Registered again, a USER knote would forget its trigger and a timer its time; an fd may be another file. */
    private static boolean keeps(Binding old, Binding now) {
        return old != null && old.knote.isValid() && old.interest.equals(now.interest)
                && switch (now.interest.filter()) {
                    case EVFILT_USER, EVFILT_TIMER, EVFILT_USERMEM -> true;
                    default -> false;
                };
    }

    /** Ends all bindings and the service. When this returns, no word is changed any more. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            for (Slot slot : slots.values()) {
                if (slot.current != null) {
                    slot.current.end();
                }
            }
            slots.clear();
            if (queue != null) {
                queue.close();
            }
        }
        await();
    }

    synchronized void unbind(Binding binding) {
        if (!binding.hasEnded()) {
            Slot slot = slots.remove(Key.of(binding.interest));
            slot.current = null;
            binding.end();
            binding.knote.cancel();
        }
    }

    private static void check(Interest interest, Rule[] rules) {
        Objects.requireNonNull(interest, "Kfutex.bind: interest is null");
        Objects.requireNonNull(rules, "Kfutex.bind: rules is null: expected one or more");
        if (rules.length == 0) {
            throw new KeventException(Errno.EINVAL, "Kfutex.bind: there is no rule: expected one or more");
        }
        for (Rule rule : rules) {
            if (rule == null) {
                throw new KeventException(Errno.EINVAL, "Kfutex.bind: a rule is null");
            }
            if (interest.filter() == EVFILT_USERMEM && rule.changes(interest.ident())) {
                throw new KeventException(
                        Errno.EINVAL, "Kfutex.bind: the word 0x" + Long.toHexString(interest.ident())
                                + " is bound to itself: expected another word");
            }
        }
    }

    private static Interest edges(Interest interest) {
        return (interest.flags() & (EV_ONESHOT | EV_DISPATCH | EV_CLEAR)) == 0 ? interest.clear() : interest;
    }

    private void start() {
        if (queue == null) {
            queue = EventQueue.open(options);
            service = Thread.ofPlatform().daemon().name("knote-kfutex").start(this::serve);
        }
    }

    private void serve() {
        EventQueue served;
        synchronized (this) {
            served = queue;
        }
        while (served.isOpen()) {
            Thread.interrupted(); // nobody has reason to
            try {
                served.poll(handler, null);
            } catch (RuntimeException | Error broken) { // closed; or a filter of others threw
                if (served.isOpen()) {
                    LockSupport.parkNanos(BREATH_NANOS);
                }
            }
        }
    }

    private void handle(Event event) {
        Slot slot = (Slot) event.attachment();
        for (Binding binding; (binding = slot.current) != null;) {
            switch (binding.apply(event)) {
                case APPLIED -> {
                    return;
                }
                case LAST -> {
                    unbind(binding);
                    return;
                }
                case NOT_APPLIED -> {
                    if (slot.current == binding) {
                        return; // closed
                    }
                }
            }
        }
    }

    /** Until the service has ended, whatever interrupts; it may be what closes. */
    private void await() {
        Thread ending = service;
        boolean interrupted = false;
        while (ending != null && ending != Thread.currentThread() && ending.isAlive()) {
            try {
                ending.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
