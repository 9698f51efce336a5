package dev.knote.examples;

import dev.knote.Event;
import dev.knote.EventQueue;
import dev.knote.Knote;
import dev.knote.SharedMemory;
import dev.knote.examples.page.PageDemo;
import dev.knote.filters.Read;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One queue waits for all at once: words of shared memory that another JVM and a C program change, a socket,
 * a timer and an event of another thread. Whoever wakes it notes the time just before, by the clock that all
 * processes share.
 */
final class Demo implements AutoCloseable {
    private static final int ROUNDS = 5;
    private static final int PAUSE_MILLIS = 200;
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String JVM = "word of memory, by another JVM";
    private static final String C = "word of memory, by a C program";
    private static final String SOCKET = "socket, TCP loopback";
    private static final String TIMER = "timer, after " + PAUSE_MILLIS + " ms";
    private static final String USER = "user event, by another thread";

    /** What is to be done about an event; the attachment of every knote here. */
    private interface Action {
        void on(Event event);
    }

    private final EventQueue queue = EventQueue.open();
    private final DemoPeers peers = new DemoPeers();
    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final Map<String, List<Long>> latencies = new LinkedHashMap<>();
    private final Map<String, Long> rounds = new LinkedHashMap<>();
    private final List<Integer> fds = new ArrayList<>();
    private volatile long userStamp;
    private volatile int userRound;
    private volatile String failure;
    private Knote failed;

    static void main() {
        boolean succeeded = false;
        try {
            succeeded = run();
            if (succeeded) {
                PageDemo.serve();
            }
        } catch (Exception e) {
            succeeded = false;
            System.out.println("The demo failed: " + e);
        }
        System.out.flush();
        System.exit(succeeded ? 0 : 1);
    }

    private static boolean run() throws IOException, InterruptedException {
        try (var demo = new Demo()) {
            return demo.show();
        }
    }

    private boolean show() throws IOException, InterruptedException {
        long start = System.nanoTime();
        printPollers();
        failed = queue.register(User.of(0).clear(), (Action) event -> {});
        String whyNoC = peers.compile(Demo.class, "demo-peer.c");
        watchWord(JVM, 0);
        watch(JVM, peers.startJvm(DemoPeer.class, arguments(0)));
        if (whyNoC == null) {
            watchWord(C, 2);
            watch(C, peers.startC(arguments(2)));
        } else {
            System.out.printf("No C program takes part: %s.%n%n", whyNoC);
        }
        watchSocket();
        watchTimer();
        watchUser();
        System.out.printf("  %-34s %5s %14s%n", "woken by", "round", "latency");
        return collect(start);
    }

    private void printPollers() {
        System.out.printf("Knote demo, on Java %s%n%n", Runtime.version().feature());
        EventQueue.pollers().forEach((name, reason) -> System.out.printf("  poller %-10s %s%n", name,
                name.equals(queue.pollerName()) ? "chosen" : "not taken: " + whyNot(reason)));
        System.out.println();
    }

    private static String whyNot(String reason) {
        String forced = System.getProperty("knote.poller");
        return reason != null ? reason
                : forced != null ? "-Dknote.poller=" + forced : "the first that works is";
    }

    private boolean collect(long start) {
        long end = start + LIMIT.toNanos();
        while (!isComplete() && failure == null) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                failure = "not all events came within " + LIMIT.toSeconds() + " s";
                break;
            }
            queue.poll(event -> ((Action) event.attachment()).on(event), Duration.ofNanos(left));
        }
        if (failure != null) {
            System.out.println("\nThe demo failed: " + failure);
            return false;
        }
        System.out.printf("%nAll events came, in %.1f s. The median latency of each:%n%n",
                (System.nanoTime() - start) / 1e9);
        latencies.forEach((source, all) -> System.out.printf("  %-40s %11.1f us%n", source,
                all.stream().sorted().skip(all.size() / 2).findFirst().orElseThrow() / 1e3));
        return true;
    }

    private boolean isComplete() {
        return rounds.values().stream().allMatch(round -> round >= ROUNDS);
    }

    private void expect(String source) {
        latencies.put(source, new ArrayList<>());
        rounds.put(source, 0L);
    }

    /** Wakes that come before their event is retrieved are one event, that of the last round. */
    private void came(String source, long round, long stamp) {
        long latency = System.nanoTime() - stamp;
        if (round <= ROUNDS && round > rounds.put(source, round)) {
            latencies.get(source).add(latency);
            System.out.printf("  %-34s %5d %11.1f us%n", source, round, latency / 1e3);
        }
    }

    private String[] arguments(int line) {
        return new String[] {memory.path().toString(), "" + line, "" + ROUNDS, "" + PAUSE_MILLIS};
    }

    /** A peer's word is in one line of the memory, its time stamp in the next. */
    private void watchWord(String source, int line) {
        expect(source);
        queue.register(UserMem.int32(memory.word32(line), 0),
                (Action) event -> came(source, event.data(), SharedMemory.load64(memory.word64(line + 1))));
    }

    private void watch(String source, Process process) {
        process.onExit().thenAccept(ended -> {
            if (ended.exitValue() != 0) {
                failure = source + ": it ended with " + ended.exitValue();
                failed.trigger();
            }
        });
    }

    private void watchTimer() {
        expect(TIMER);
        startTimer();
    }

    private void startTimer() {
        Duration delay = Duration.ofMillis(PAUSE_MILLIS);
        long due = System.nanoTime() + delay.toNanos();
        queue.register(Timer.after(1, delay), (Action) event -> {
            came(TIMER, rounds.get(TIMER) + 1, due);
            startTimer();
        });
    }

    private void watchUser() {
        expect(USER);
        Knote user = queue.register(User.of(1).clear(), (Action) event -> came(USER, userRound, userStamp));
        inBackground(USER, () -> {
            userStamp = System.nanoTime();
            userRound = userRound + 1; // by this thread alone
            user.trigger();
        });
    }

    /** The other end is an ordinary socket of Java; each message is the time at which it was sent. */
    private void watchSocket() throws IOException {
        expect(SOCKET);
        int listener = Libc.listener();
        fds.add(listener);
        queue.register(Read.of(listener), (Action) event -> {
            int connection = Libc.accept(listener);
            fds.add(connection);
            queue.register(Read.atLeast(connection, Long.BYTES), (Action) message -> receive(connection));
        });
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), Libc.port(listener));
        socket.setTcpNoDelay(true);
        OutputStream out = socket.getOutputStream();
        inBackground(SOCKET, () -> {
            ByteBuffer stamp = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
            out.write(stamp.putLong(System.nanoTime()).array());
        });
    }

    private void receive(int connection) {
        try (var arena = Arena.ofConfined()) {
            MemorySegment stamp = arena.allocate(ValueLayout.JAVA_LONG);
            Libc.read(connection, stamp);
            came(SOCKET, rounds.get(SOCKET) + 1, stamp.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    private interface Wake {
        void run() throws IOException;
    }

    private void inBackground(String source, Wake wake) {
        Thread.ofPlatform().daemon().name(source).start(() -> {
            try {
                for (int round = 1; round <= ROUNDS; round++) {
                    Thread.sleep(PAUSE_MILLIS);
                    wake.run();
                }
            } catch (Exception e) {
                failure = source + ": " + e;
                failed.trigger();
            }
        });
    }

    @Override
    public void close() {
        peers.close();
        fds.forEach(dev.knote.Kqueue::close);
        queue.close();
        memory.close();
    }
}
