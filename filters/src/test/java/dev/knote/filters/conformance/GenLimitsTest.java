package dev.knote.filters.conformance;

import static dev.knote.Kqueue.EVFILT_READ;
import static dev.knote.Kqueue.EVFILT_USER;
import static dev.knote.Kqueue.EV_ADD;
import static dev.knote.Kqueue.NOTE_TRIGGER;
import static dev.knote.Kqueue.kevent;
import static dev.knote.Kqueue.kqueue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.KeventException;
import dev.knote.KeventList;
import dev.knote.Kqueue;
import dev.knote.linux.Errno;
import java.io.File;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** kqueue() and kevent() where there is no more, or very much. */
@Timeout(120)
class GenLimitsTest {
    private static final int KNOTES = 8192;

    @Test
    @DisplayName("GEN-02 without free fds kqueue() is EMFILE, takes none, and works again later")
    void gen02_fdTableFull() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell to set the limit with");
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"));
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add("-Dknote.poller=" + poller);
        }
        command.add(Limited.class.getName());
        Process child = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(new File("/dev/null")).start();
        try {
            String output = new String(child.getInputStream().readAllBytes());
            assertTrue(child.waitFor(60, TimeUnit.SECONDS), output);
            assertEquals("EMFILE\nseveral: true, left open: 0\nagain: true\n", output);
        } finally {
            child.destroyForcibly();
        }
    }

    /** What the process with few fds does. */
    static final class Limited {
        private Limited() {}

        public static void main(String[] arguments) {
            warmUp();
            int before = openFds();
            List<Integer> queues = new ArrayList<>();
            int errno = fill(queues);
            int several = queues.size();
            queues.forEach(Kqueue::close);
            int after = openFds();
            System.out.println(Errno.name(errno));
            System.out.println("several: " + (several > 3) + ", left open: " + (after - before));
            queues.clear();
            System.out.println("again: " + (fill(queues) == Errno.EMFILE && queues.size() == several));
        }

        private static int fill(List<Integer> queues) {
            try {
                while (queues.size() < 1000) {
                    queues.add(kqueue());
                }
                return 0;
            } catch (KeventException e) {
                return e.errno();
            }
        }

        /** Loads the classes that an error needs while there are fds to load them by: fd 0 is /dev/null. */
        private static void warmUp() {
            openFds();
            int kq = kqueue();
            var change = KeventList.allocate(1).set(0, 0, EVFILT_READ, EV_ADD, 0, 0, null);
            try {
                kevent(kq, change, 1, null, 0, null);
            } catch (KeventException e) {
                Kqueue.close(kq);
            }
        }

        private static int openFds() {
            return new File("/proc/self/fd").list().length;
        }
    }

    @Test
    @DisplayName("GEN-70 8192 USER knotes need no fds; closing the queue frees them all")
    void gen70_manyKnotes() {
        var kq = new Kq();
        int fds = new File("/proc/self/fd").list().length;
        List<WeakReference<Object>> udata = new ArrayList<>();
        var list = KeventList.allocate(1);
        for (int i = 0; i < KNOTES; i++) {
            Object object = new Object();
            udata.add(new WeakReference<>(object));
            list.set(0, i, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, object);
            assertEquals(0, kevent(kq.fd(), list, 1, null, 0, null));
        }
        list.set(0, 0, 0, 0, 0, 0, null);
        assertEquals(fds, new File("/proc/self/fd").list().length, 3);
        var events = KeventList.allocate(KNOTES + 1);
        assertEquals(KNOTES, kevent(kq.fd(), null, 0, events, KNOTES + 1, Kq.NOW));
        assertEquals(KNOTES - 1, events.ident(KNOTES - 1));
        kq.close();
        events = null;
        Kq.await("all udata is freed", () -> {
            System.gc();
            return udata.stream().allMatch(reference -> reference.refersTo(null));
        });
    }
}
