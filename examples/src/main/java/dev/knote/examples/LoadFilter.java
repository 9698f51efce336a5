package dev.knote.examples;

import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Kevent;
import dev.knote.KeventException;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * EVFILT_LOAD: the machine's load of the last minute, in hundredths, has reached the {@code data} of the
 * change. The ident is any number; {@code data} of an event is the load. With EV_CLEAR an event tells that
 * the load has come there, without, that it is there.
 */
public final class LoadFilter implements Filter {
    /** The filter's number. */
    public static final int EVFILT_LOAD = -100;

    private static final long REPORTED = 1;

    private final Path source;
    private final long period;

    /** A filter for one queue that looks at the load every second. */
    public LoadFilter() {
        this(Path.of("/proc/loadavg"), Duration.ofSeconds(1));
    }

    LoadFilter(Path source, Duration period) {
        this.source = source;
        this.period = period.toNanos();
    }

    @Override
    public int number() {
        return EVFILT_LOAD;
    }

    @Override
    public String name() {
        return "EVFILT_LOAD";
    }

    @Override
    public void attach(FilterKnote knote, Kevent change) {
        check(change);
    }

    @Override
    public void touch(FilterKnote knote, Kevent change) {
        check(change);
        knote.savedData(change.data());
        knote.state(0);
    }

    @Override
    public boolean event(FilterKnote knote) {
        long load = load();
        if (load < knote.savedData()) {
            knote.state(0);
        }
        knote.data(load);
        knote.deadline(System.nanoTime() + period); // to be asked again
        return load >= knote.savedData() && knote.state() != REPORTED;
    }

    @Override
    public void deliver(FilterKnote knote, Kevent event) {
        if ((knote.flags() & Kqueue.EV_CLEAR) != 0) {
            knote.state(REPORTED);
        }
    }

    private void check(Kevent change) {
        if (change.data() < 0 || change.fflags() != 0) {
            throw new KeventException(Errno.EINVAL,
                    "kevent: ident " + change.ident() + ", " + name() + ": data is "
                            + change.data() + ", fflags is " + change.fflags()
                            + ": expected a load in hundredths, and 0");
        }
    }

    private long load() {
        try {
            String text = Files.readString(source);
            return Math.round(100 * Double.parseDouble(text.substring(0, text.indexOf(' '))));
        } catch (IOException | RuntimeException e) {
            return -1; // not to be read now: nothing is reached
        }
    }
}
