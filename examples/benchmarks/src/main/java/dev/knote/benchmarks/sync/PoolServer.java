package dev.knote.benchmarks.sync;

import dev.knote.EventHandler;
import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.filters.Read;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import dev.knote.pool.LeaderFollowers;
import dev.knote.pool.Policy;
import dev.knote.pool.PoolOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Answers messages from FIFOs by a pool of threads: SUBJECT THREADS NANOS LINES DIR, where each message keeps its thread
 * busy for NANOS. {@code report} on stdin is answered by the context switches of these threads, voluntary and not, and
 * by what the pool says.
 */
final class PoolServer {
    private static final int OPENAT = System.getProperty("os.arch").equals("amd64") ? 257 : 56;
    private static final int AT_FDCWD = -100;
    private static final int O_RDWR_NONBLOCK = 0x802;
    private static final String THREADS_NAME = "pooled";

    private final EventQueue queue = EventQueue.open();
    private final long busyNanos;
    private final int back;
    private LeaderFollowers pool;

    private PoolServer(long busyNanos, int back) {
        this.busyNanos = busyNanos;
        this.back = back;
    }

    /** One FIFO: it is read, and answered, by one thread at a time. */
    private final class Line implements EventHandler, Runnable {
        private final int fd;
        private final MemorySegment buffer = Arena.global().allocate(8, 8);
        private Knote knote;

        Line(int fd) {
            this.fd = fd;
        }

        void answer() {
            long end = busyNanos == 0 ? 0 : System.nanoTime() + busyNanos;
            Fds.read(fd, buffer.address(), 4);
            while (busyNanos > 0 && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            Fds.write(back, buffer.address(), 4);
        }

        @Override
        public void handle(dev.knote.Event event) {
            answer();
            knote.enable();
        }

        @Override
        public void run() {
            answer();
            knote.enable();
        }
    }

    static void main(String[] args) throws IOException {
        Path directory = Path.of(args[4]);
        PoolServer server = new PoolServer(Long.parseLong(args[2]), fifo(directory.resolve("back")));
        server.start(args[0], Integer.parseInt(args[1]), Integer.parseInt(args[3]), directory);
        System.out.println("ready");
        var in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            System.out.println(switches() + (server.pool == null ? "" : " " + server.pool.statistics()));
        }
        System.exit(0);
    }

    private void start(String subject, int threads, int lines, Path directory) {
        PoolOptions options = PoolOptions.defaults().name(THREADS_NAME).threads(threads, threads);
        switch (subject) {
            case "thrifty" -> pool = LeaderFollowers.start(queue, options);
            case "lifo" -> pool = LeaderFollowers.start(queue, options.policy(Policy.lifo()));
            case "fifo" -> pool = LeaderFollowers.start(queue, options.policy(Policy.fifo()));
            default -> startPeer(subject, threads);
        }
        for (int i = 0; i < lines; i++) {
            Line line = new Line(fifo(directory.resolve(String.valueOf(i))));
            if (pool != null) {
                line.knote = pool.register(Read.of(line.fd), event -> line.answer());
            } else {
                line.knote = queue.register(Read.of(line.fd).dispatch().disabled(), line);
                line.knote.enable();
            }
        }
    }

    private void startPeer(String subject, int threads) {
        EventHandler handler = event -> ((Line) event.attachment()).handle(event);
        switch (subject) {
            case "mutex" -> {
                ReentrantLock mutex = new ReentrantLock();
                startThreads(threads, () -> underMutex(mutex));
            }
            case "queue" -> startThreads(threads, () -> queue.pollNanos(handler, 1, -1));
            case "executor" -> {
                ExecutorService executor = Executors.newFixedThreadPool(threads,
                        work -> Thread.ofPlatform().daemon().name(THREADS_NAME).unstarted(work));
                EventHandler hand = event -> executor.execute((Line) event.attachment());
                startThreads(1, () -> queue.pollNanos(hand, -1));
            }
            default -> throw new IllegalArgumentException("no such subject: " + subject);
        }
    }

    /** The classical one: who has the mutex is the leader, and waits; it handles when it has given the mutex up. */
    private void underMutex(ReentrantLock mutex) {
        Line[] taken = new Line[1];
        mutex.lock();
        try {
            queue.pollNanos(event -> taken[0] = (Line) event.attachment(), 1, -1);
        } finally {
            mutex.unlock();
        }
        if (taken[0] != null) {
            taken[0].run();
        }
    }

    private static void startThreads(int count, Runnable step) {
        for (int i = 0; i < count; i++) {
            Thread.ofPlatform().daemon().name(THREADS_NAME).start(() -> {
                for (;;) {
                    step.run();
                }
            });
        }
    }

    private static int fifo(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            long fd = Native.syscall(
                    OPENAT, AT_FDCWD, arena.allocateFrom(path.toString()).address(), O_RDWR_NONBLOCK, 0, 0,
                    0);
            if (fd < 0) {
                throw new IllegalStateException("open " + path + ": errno " + -fd);
            }
            return (int) fd;
        }
    }

    private static String switches() throws IOException {
        long voluntary = 0;
        long forced = 0;
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                if (!Files.readString(task.resolve("comm")).startsWith(THREADS_NAME)) {
                    continue;
                }
                for (String line : Files.readAllLines(task.resolve("status"))) {
                    voluntary += line.startsWith("voluntary_ctxt") ? number(line) : 0;
                    forced += line.startsWith("nonvoluntary_ctxt") ? number(line) : 0;
                }
            }
        }
        return voluntary + " " + forced;
    }

    private static long number(String line) {
        return Long.parseLong(line.substring(line.indexOf(':') + 1).strip());
    }
}
