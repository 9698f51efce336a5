package dev.knote.benchmarks.sync;

import dev.knote.EventQueue;
import dev.knote.KeventList;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.filters.User;
import dev.knote.kfutex.EventFeed;
import dev.knote.kfutex.EventFeed.Full;
import dev.knote.kfutex.EventRing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.Semaphore;

/** Events from a ring, and from kevent(): answers {@code time N} by nanoseconds of N events. */
final class EventRingWork {
    private static final int SLOTS = 4096;
    private static final int BATCH = 64;

    private final EventRing ring = EventRing.create(
            SharedMemory.anonymous(EventRing.bytes(SLOTS)).segment(), SLOTS);
    private final KeventList in = KeventList.allocate(BATCH);
    private final KeventList out = KeventList.allocate(BATCH);
    private final EventQueue queue = EventQueue.open();
    private final List<Knote> knotes = new ArrayList<>();
    private final Semaphore start = new Semaphore(0);
    private volatile long wanted;

    private EventRingWork() {
        for (int i = 0; i < BATCH; i++) {
            in.set(i, i, -11, 0x20, 0, i, (long) i);
        }
    }

    public static void main(String[] args) {
        EventRingWork work = new EventRingWork();
        work.prepare(args[0]);
        System.out.println("ready");
        Scanner input = new Scanner(System.in);
        while (input.hasNext() && input.next().equals("time")) {
            int n = input.nextInt();
            System.out.println(switch (args[0]) {
                case "read" -> work.read(n, BATCH);
                case "read1" -> work.read(n, 1);
                case "put" -> work.put(n);
                case "kevent" -> work.kevent(n);
                case "trigger" -> work.trigger(n);
                case "feed" -> work.feed(n);
                default -> work.across(n, args[0].startsWith("awake"), args[0].endsWith("1") ? 1 : BATCH);
            });
        }
    }

    private void prepare(String what) {
        if (what.equals("kevent")) {
            for (int i = 0; i < BATCH; i++) {
                queue.register(User.of(i), null).trigger();
            }
        } else if (what.equals("trigger")) {
            for (int i = 0; i < BATCH; i++) {
                knotes.add(queue.register(User.of(i).clear(), null));
            }
        } else if (what.equals("feed")) {
            @SuppressWarnings("resource") // as long as the process
            EventFeed feed = new EventFeed(ring, Full.WAIT);
            for (int i = 0; i < BATCH; i++) {
                knotes.add(feed.register(User.of(i), i));
            }
        } else if (what.startsWith("awake") || what.startsWith("asleep")) {
            int batch = what.endsWith("1") ? 1 : BATCH;
            Thread.ofPlatform().daemon().start(() -> produce(batch));
        }
    }

    /** Reading alone: filled before, untimed. */
    private long read(int n, int batch) {
        long nanos = 0;
        for (int done = 0; done < n; done += SLOTS) {
            for (int i = 0; i < SLOTS; i += BATCH) {
                ring.put(in, 0, BATCH);
            }
            long from = System.nanoTime();
            for (int i = 0; i < SLOTS; i += batch) {
                ring.take(out, batch, Duration.ZERO);
            }
            nanos += System.nanoTime() - from;
        }
        return nanos;
    }

    private long put(int n) {
        long nanos = 0;
        for (int done = 0; done < n; done += SLOTS) {
            long from = System.nanoTime();
            for (int i = 0; i < SLOTS; i += BATCH) {
                ring.put(in, 0, BATCH);
            }
            nanos += System.nanoTime() - from;
            for (int i = 0; i < SLOTS; i += BATCH) {
                ring.take(out, BATCH, Duration.ZERO);
            }
        }
        return nanos;
    }

    /** Events that are there: 64 that are level triggered. */
    private long kevent(int n) {
        long from = System.nanoTime();
        for (int done = 0; done < n;) {
            done += queue.kevent(null, 0, out, BATCH, Duration.ZERO);
        }
        return System.nanoTime() - from;
    }

    private long trigger(int n) {
        long from = System.nanoTime();
        for (int done = 0; done < n;) {
            knotes.forEach(Knote::trigger);
            done += queue.kevent(null, 0, out, BATCH, null);
        }
        return System.nanoTime() - from;
    }

    private long feed(int n) {
        long from = System.nanoTime();
        for (int done = 0; done < n; done += BATCH) {
            knotes.forEach(Knote::trigger);
            for (int got = 0; got < BATCH;) {
                got += ring.take(out, BATCH, null);
            }
        }
        return System.nanoTime() - from;
    }

    private void produce(int batch) {
        for (;;) {
            start.acquireUninterruptibly();
            for (long left = wanted; left > 0;) {
                int done = ring.put(in, 0, (int) Math.min(batch, left));
                left -= done;
                if (done == 0) {
                    ring.awaitRoom(null);
                }
            }
        }
    }

    private long across(int n, boolean awake, int batch) {
        Duration timeout = awake ? Duration.ZERO : null;
        long from = System.nanoTime();
        wanted = n;
        start.release();
        for (int got = 0; got < n;) {
            int taken = ring.take(out, batch, timeout);
            got += taken;
            if (taken == 0) {
                Thread.onSpinWait();
            }
        }
        return System.nanoTime() - from;
    }
}
