package dev.knote.filters.conformance;

import static dev.knote.Kqueue.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What other processes see of a queue's descriptors, and a process that may have few. */
class DescriptorProcessTest extends FdFixture {
    private static final int F_GETFD = 1;
    private static final int FD_CLOEXEC = 1;

    @Test
    @DisplayName("FD-12 65 times a queue under a limit of 32 fds, alone and beside another queue: never EMFILE")
    void fd12_fewDescriptors() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell to set the limit with");
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "ulimit -n 32 && exec \"$@\"", "sh"));
        command.addAll(Child.java(Rounds.class));
        assertEquals("alone: 65\nbeside another: 65\n", Child.run(command, Map.of()));
    }

    /** The process with few descriptors. */
    static final class Rounds {
        private Rounds() {}

        public static void main(String[] arguments) {
            System.out.println("alone: " + rounds());
            int other = kqueue();
            try (SharedMemory memory = SharedMemory.anonymous(4096)) {
                useAll(other, memory);
                System.out.println("beside another: " + rounds());
            }
        }

        private static int rounds() {
            int done = 0;
            try (SharedMemory memory = SharedMemory.anonymous(4096)) {
                for (; done < 65; done++) {
                    int queue = kqueue();
                    useAll(queue, memory);
                    Kqueue.close(queue);
                }
            }
            return done;
        }
    }

    @Test
    @DisplayName("FD-16, FD-17 a child process has none of a queue's fds; the queue works after it was started")
    void fd16_childProcess() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/ls")), "no ls to look with");
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            useAll(kq, memory);
            FutureTask<Ev> waiter = inBackground(this::next);
            String fds = Child.run(List.of("/bin/ls", "-l", "/proc/self/fd"), Map.of());
            assertTrue(fds.contains(" 1 -> "), fds);
            assertFalse(fds.contains("anon_inode"), fds);
            change(2, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_TRIGGER, 0, null);
            assertEquals(2, result(waiter).ident());
        }
    }

    @Test
    @DisplayName("FD-19 all fds that a queue opens, the queue and its dup are close-on-exec")
    void fd19_closeOnExec() {
        int file = file(1);
        int[] pair = socketpair(Libc.SOCK_STREAM);
        try (SharedMemory memory = SharedMemory.anonymous(4096)) {
            List<Integer> before = OpenFds.numbers();
            int queue = newQueue();
            useAll(queue, memory);
            changeIn(queue, file, EVFILT_READ, EV_ADD);
            changeIn(queue, pair[0], EVFILT_WRITE, EV_ADD);
            changeIn(queue, kq, EVFILT_READ, EV_ADD);
            int twin = Kqueue.dup(queue);
            List<Integer> opened = new ArrayList<>(OpenFds.numbers());
            opened.removeAll(before);
            assertTrue(opened.size() >= 5, opened.size() + " fds");
            for (int fd : opened) {
                assertEquals(FD_CLOEXEC, Libc.must("fcntl", fd, F_GETFD), OpenFds.target(fd));
            }
            Kqueue.close(twin);
        }
    }

    /** Makes a queue open what it opens, for words and timers too. */
    private static void useAll(int queue, SharedMemory memory) {
        KeventList list = KeventList.allocate(3);
        EV_SET(list, 0, memory.word32(0), EVFILT_USERMEM, EV_ADD, NOTE_USERMEM_INT, 0, null);
        EV_SET(list, 1, 1, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 3600, null);
        EV_SET(list, 2, 1, EVFILT_USER, EV_ADD, 0, 0, null);
        if (kevent(queue, list, 3, null, 0, null) != 0) {
            throw new AssertionError();
        }
    }
}
