package dev.knote.filters;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Watches an eventfd, a deadline and a word; throws where it is told to. */
final class FragileFilter implements Filter {
    static final int NUMBER = -100;
    static final IllegalStateException BROKEN = new IllegalStateException("a broken filter");

    volatile String breaksIn = "";
    volatile RuntimeException with = BROKEN;
    volatile boolean fires = true;
    volatile FilterKnote last;
    private final List<String> calls = new ArrayList<>();

    private void in(String method) {
        synchronized (calls) {
            calls.add(method);
        }
        if (breaksIn.equals(method)) {
            throw with;
        }
    }

    List<String> calls(String method) {
        synchronized (calls) {
            return calls.stream().filter(method::equals).toList();
        }
    }

    @Override
    public int number() {
        return NUMBER;
    }

    @Override
    public String name() {
        return "FRAGILE";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        last = knote;
        if (change.fflags() != 0) {
            knote.watchFd(change.fflags(), FilterKnote.FD_READ);
        }
        if (change.word() != null) {
            knote.arm(Integer.BYTES, knote.readWord(Integer.BYTES), false);
        }
        knote.deadline(System.nanoTime() + Duration.ofHours(1).toNanos());
        in("attach");
    }

    @Override
    public void detach(FilterKnote knote) {
        in("detach");
    }

    @Override
    public boolean event(FilterKnote knote) {
        in("event");
        return fires;
    }

    @Override
    public void touch(FilterKnote knote, Kevent change) {
        in("touch");
    }

    @Override
    public void deliver(FilterKnote knote, Kevent event) {
        in("deliver");
    }

    @Override
    public void close() {
        in("close");
    }
}
