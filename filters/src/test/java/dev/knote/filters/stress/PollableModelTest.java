package dev.knote.filters.stress;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.linux.Epoll;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** After every one of many random steps, the fd of a queue is readable if, and only if, a call finds something. */
@Timeout(600)
class PollableModelTest {
    private static final int USERS = 6;
    private static final int TIMERS = 4;
    private static final int[] MODES = {0, EV_CLEAR, EV_ONESHOT, EV_DISPATCH, EV_DISPATCH | EV_CLEAR};
    private static final int LINES = 30;

    private final long seed = StressSize.seed();
    private final Random random = new Random(seed);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment room = arena.allocate(64, 8);
    private final KeventList change = KeventList.allocate(1);
    private final KeventList events = KeventList.allocate(32);
    private final ArrayDeque<String> trace = new ArrayDeque<>();
    private final int eventfd = Fds.eventfd();
    private SharedMemory memory;
    private EventQueue queue;
    /** A knote that is on the list may have no event any more, as nobody knows before it is asked. */
    private boolean ceased;
    private int wakes;

    @BeforeEach
    void open() {
        memory = SharedMemory.anonymous(4096);
    }

    @AfterEach
    void close() {
        queue.close();
        memory.close();
        Fds.close(eventfd);
        arena.close();
    }

    @ParameterizedTest(name = "single owner {0}")
    @CsvSource({"false", "true"})
    void readable_if_and_only_if_something_is_due(boolean owner) {
        Options options = Options.defaults().pollable();
        queue = EventQueue.open(owner ? options.singleOwner() : options);
        queue.memory(memory.segment());
        change(eventfd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
        long begin = System.nanoTime();
        int steps = StressSize.of(1_000_000, 40_000);
        int found = 0;
        try {
            for (int i = 0; StressSize.goesOn(i, steps, begin); i++) {
                step();
                if (random.nextInt(3) == 0) {
                    found += look() ? 1 : 0;
                }
            }
        } catch (AssertionError | KeventException e) {
            throw new AssertionError("-Dknote.seed=" + seed + "\n" + String.join("\n", trace) + "\n" + e, e);
        }
        assertTrue(found > 100, "too little happened: " + found);
    }

    /** Asks the kernel, then the queue, and compares. */
    private boolean look() {
        boolean told = isReadable();
        int n = queue.kevent(null, 0, events, 32, Duration.ZERO);
        note("readable " + told + ", events " + n);
        boolean mayBeLate = n > 0;
        for (int i = 0; i < n; i++) { // it may have come in between
            mayBeLate &= events.filter(i) == EVFILT_TIMER || events.ident(i) == memory.word32(1).address();
        }
        boolean mayBeGone = (ceased || wakes > 0) && n == 0;
        wakes = Math.max(0, wakes - 1);
        ceased = false;
        if (told != n > 0 && !mayBeLate && !mayBeGone) {
            throw new AssertionError("readable: " + told + ", and there are " + n + " events");
        }
        return n > 0;
    }

    private boolean isReadable() {
        room.asSlice(16, 16).fill((byte) 0);
        return (Fds.poll(queue.fd(), Epoll.EPOLLIN, room, room.asSlice(16)) & Epoll.EPOLLIN) != 0;
    }

    private void step() {
        switch (random.nextInt(8)) {
            case 0 ->
                user(EV_ADD | MODES[random.nextInt(MODES.length)] | maybe(EV_DISABLE), maybe(NOTE_TRIGGER));
            case 1 -> user(0, NOTE_TRIGGER);
            case 2 -> user(random.nextBoolean() ? EV_ENABLE : EV_DISABLE, maybe(NOTE_TRIGGER));
            case 3 -> user(EV_DELETE, 0);
            case 4 -> timer();
            case 5 -> word(random.nextInt(2));
            default -> descriptor();
        }
    }

    private int maybe(int bits) {
        return random.nextBoolean() ? bits : 0;
    }

    private void user(int flags, int fflags) {
        ceased |= (flags & EV_CLEAR) != 0; // takes a trigger back
        change(random.nextInt(USERS), EVFILT_USER, flags, fflags, 0);
    }

    private void timer() {
        int id = random.nextInt(TIMERS);
        if (random.nextInt(3) == 0) {
            change(id, EVFILT_TIMER, random.nextBoolean() ? EV_DELETE : EV_ENABLE, 0, 0);
        } else {
            int micros = random.nextInt(4) == 0 ? 2_000_000_000 : random.nextInt(300);
            ceased = true; // one that had expired
            change(id, EVFILT_TIMER, EV_ADD | maybe(EV_ONESHOT) | maybe(EV_DISABLE), NOTE_USECONDS, micros);
        }
    }

    private void word(int which) {
        MemorySegment word = memory.word32(which);
        int isPrivate = which == 0 ? NOTE_USERMEM_PRIVATE : 0;
        if (random.nextInt(3) == 0) {
            int value = random.nextInt(2);
            change(word.address(), EVFILT_USERMEM, random.nextInt(4) == 0 ? EV_DELETE : EV_ADD,
                    NOTE_USERMEM_INT | isPrivate, value);
        } else if (which == 0) {
            note("wake");
            queue.wakePrivately(word, 1);
        } else {
            note("wake");
            queue.wake(word, 1);
            wakes = 3; // heard of after its event, perhaps
        }
    }

    private void descriptor() {
        switch (random.nextInt(4)) {
            case 0 -> {
                note("read");
                ceased = true;
                Fds.read(eventfd, room.address(), 8);
            }
            case 1 -> change(eventfd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
            default -> {
                note("write");
                room.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, 1);
                Fds.write(eventfd, room.address(), 8);
            }
        }
    }

    private void change(long ident, int filter, int flags, int fflags, long data) {
        EV_SET(change, 0, ident, filter, flags, fflags, data, null);
        String answer = "";
        try {
            queue.kevent(change, 1, null, 0, null);
        } catch (KeventException e) {
            answer = " " + Errno.name(e.errno());
        }
        note("ident %x, filter %d, flags %x, fflags %x, data %d%s"
                .formatted(ident, filter, flags, fflags, data, answer));
    }

    private void note(String what) {
        trace.addLast(what);
        if (trace.size() > LINES) {
            trace.removeFirst();
        }
    }
}
