package dev.knote.examples;

import dev.knote.SharedMemory;
import dev.knote.sync.SharedEvent;
import dev.knote.sync.SharedSemaphore;
import dev.knote.sync.WaitSet;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/** Two JVMs wait for work or the end, whichever comes; a third one gives both and waits until both have ended. */
final class WaitForAny {
    private static final int WORKERS = 2;
    private static final int UNITS = 4;
    /** Offsets in the memory. */
    private static final long WORK = 0;
    private static final long END = 64;
    private static final long ENDED = 128;

    private WaitForAny() {}

    static void main(String[] arguments) throws IOException {
        if (arguments.length > 0) {
            work(Path.of(arguments[0]), Long.parseLong(arguments[1]));
            return;
        }
        try (var memory = SharedMemory.anonymous(4096); var workers = WaitSet.open()) {
            MemorySegment segment = memory.segment();
            for (int i = 0; i < WORKERS; i++) {
                long ended = ENDED + 64 * i;
                workers.add(SharedEvent.auto(segment, ended));
                new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        WaitForAny.class.getName(), memory.path().toString(), "" + ended).inheritIO().start();
            }
            boolean early = workers.waitAny(Duration.ofMillis(1)) != WaitSet.TIMEOUT;
            System.out.println(early ? "a worker ended too soon" : "nobody has ended yet");
            SharedSemaphore.of(segment, WORK).release(UNITS);
            SharedEvent.manual(segment, END).set();
            System.out.println(workers.waitAll(Duration.ofSeconds(30)) ? "all have ended" : "too late");
        }
    }

    private static void work(Path path, long ended) {
        try (var memory = SharedMemory.map(path); var set = WaitSet.open()) {
            MemorySegment segment = memory.segment();
            int work = set.add(SharedSemaphore.of(segment, WORK)); // the lower index: it comes before the end
            set.add(SharedEvent.manual(segment, END));
            while (set.waitAny(null) == work) {
                System.out.println("a unit of work is done");
            }
            SharedEvent.auto(segment, ended).set();
        }
    }
}
