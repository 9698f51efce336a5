package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Options;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The first of everything in a process that has no descriptor left, and its classes in directories: a file each, that
 * has to be opened to load it.
 */
@Timeout(120)
class NoDescriptorTest {
    private static final String EXPECTED = """
            word: 0, again: 0, deleted: 0
            other word: 0, again: 0, deleted: 0
            private word: 0, again: 0, deleted: 0
            timer: 0, again: 0, deleted: 0
            user: 0, again: 0, deleted: 0
            pipe: 0, again: 0, deleted: 0
            pipe to write to: EMFILE, again: EMFILE, deleted: ENOENT
            file: EMFILE, again: EMFILE, deleted: ENOENT
            closed: EBADF, again: EBADF, deleted: ENOENT
            queue: 0, again: 0, deleted: 0
            anonymous: 0, again: 0, deleted: ENOENT
            kqueue: EMFILE
            word: 0
            pipe to write to: 0
            file: 0
            events: 3
            """;

    @ParameterizedTest
    @ValueSource(strings = {"shared", "owned"})
    void calls_answer_as_with_classes_that_are_loaded(String kind) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell to set the limit with");
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"));
        command.addAll(Child.java(Limited.class, kind));
        String output = Child.run(command, Map.of());
        assertEquals(EXPECTED, output.lines().filter(line -> line.startsWith("> "))
                .map(line -> line.substring(2) + "\n").collect(Collectors.joining()), output);
    }

    /** What the process does. */
    static final class Limited {
        private final EventQueue queue;
        private final MemorySegment words = Arena.global().allocate(64, 64);
        private final KeventList change = KeventList.allocate(1);
        private final KeventList events = KeventList.allocate(8);
        private final Deque<Integer> spare = new ArrayDeque<>();
        private final StringBuilder said = new StringBuilder(1 << 12);

        private Limited(boolean owned) {
            queue = EventQueue.open(owned ? Options.defaults().singleOwner() : Options.defaults());
            queue.memory(words);
        }

        public static void main(String[] arguments) {
            new Limited(arguments[0].equals("owned")).run();
        }

        private void run() {
            int[] pipe = Libc.two("pipe2", Libc.O_NONBLOCK);
            int file = Libc.open("/proc/self/exe", 0);
            Libc.call("close", -1);
            int inner = kqueue();
            while (spare.size() < 100 && addSpare()) {
                // until there is none left
            }
            long word = words.address();
            change("word", word, EVFILT_USERMEM, NOTE_USERMEM_INT, 0);
            change("other word", word + 8, EVFILT_USERMEM, NOTE_USERMEM_LONG, 1);
            change("private word", word + 16, EVFILT_USERMEM, NOTE_USERMEM_INT | NOTE_USERMEM_PRIVATE, 0);
            change("timer", 1, EVFILT_TIMER, NOTE_NSECONDS, 1);
            change("user", 1, EVFILT_USER, 0, 0);
            change("pipe", pipe[0], EVFILT_READ, 0, 0);
            change("pipe to write to", pipe[1], EVFILT_WRITE, 0, 0);
            change("file", file, EVFILT_READ, 0, 0);
            change("closed", 60_000, EVFILT_READ, 0, 0);
            change("queue", inner, EVFILT_READ, 0, 0);
            change("anonymous", word, EVFILT_USERMEM, NOTE_TRIGGER, 1);
            said.append("> kqueue: ").append(answer(() -> kqueue())).append('\n');
            spare.forEach(Fds::close);
            add("word", word, EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0);
            add("pipe to write to", pipe[1], EVFILT_WRITE, EV_ADD, 0, 0);
            add("file", file, EVFILT_READ, EV_ADD, 0, 0);
            queue.wake(words.asSlice(0, 4), 1);
            int n = 0;
            while (n < 3) {
                n += queue.kevent(null, 0, events, 8, Duration.ofSeconds(20));
            }
            said.append("> events: ").append(n).append('\n');
            System.out.print(said);
        }

        private boolean addSpare() {
            int fd = Fds.dup(0);
            return fd >= 0 && spare.add(fd);
        }

        private void change(String what, long ident, int filter, int fflags, long data) {
            int flags = what.equals("anonymous") ? EV_ANON : EV_ADD;
            String first = answer(() -> change(ident, filter, flags, fflags, data));
            String again = answer(() -> change(ident, filter, flags, fflags, data));
            String deleted = answer(() -> change(ident, filter, EV_DELETE, 0, 0));
            said.append("> ").append(what).append(": ").append(first).append(", again: ").append(again)
                    .append(", deleted: ").append(deleted).append('\n');
        }

        private void add(String what, long ident, int filter, int flags, int fflags, long data) {
            String answer = answer(() -> change(ident, filter, flags | EV_ONESHOT, fflags, data));
            said.append("> ").append(what).append(": ").append(answer).append('\n');
        }

        private void change(long ident, int filter, int flags, int fflags, long data) {
            EV_SET(change, 0, ident, filter, flags, fflags, data, null);
            queue.kevent(change, 1, null, 0, null);
        }

        private static String answer(Runnable call) {
            try {
                call.run();
                return "0";
            } catch (KeventException e) {
                return Errno.name(e.errno());
            } catch (Error e) {
                return e.toString();
            }
        }
    }
}
