package dev.knote.examples;

import dev.knote.SharedMemory;
import dev.knote.sync.SharedMutex;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;

/** Two accounts that two JVMs change; one is killed between taking from the first and giving to the second. */
final class SharedAccounts {
    private static final long SUM = 100;

    private final MemorySegment from;
    private final MemorySegment to;
    private final SharedMutex mutex;

    private SharedAccounts(SharedMemory memory) {
        mutex = SharedMutex.of(memory.segment(), 0);
        from = memory.word64(1);
        to = memory.word64(2);
    }

    static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0) {
            dieInBetween(Path.of(arguments[0]));
            return;
        }
        try (var memory = SharedMemory.anonymous(4096)) {
            var accounts = new SharedAccounts(memory);
            accounts.from.set(ValueLayout.JAVA_LONG, 0, SUM);
            accounts.move(30);
            System.out.println("moved 30: " + accounts);
            new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                    SharedAccounts.class.getName(), memory.path().toString()).inheritIO().start().waitFor();
            accounts.move(10);
            System.out.println("moved 10: " + accounts);
        }
    }

    private void move(long amount) {
        switch (mutex.tryLock(Duration.ofSeconds(30))) {
            case BUSY -> throw new IllegalStateException("somebody has it for too long: " + mutex);
            case OWNER_DIED -> {
                System.out.println("its owner died and left " + this);
                to.set(ValueLayout.JAVA_LONG, 0, SUM - from.get(ValueLayout.JAVA_LONG, 0));
                mutex.consistent();
            }
            case LOCKED -> {}
        }
        from.set(ValueLayout.JAVA_LONG, 0, from.get(ValueLayout.JAVA_LONG, 0) - amount);
        to.set(ValueLayout.JAVA_LONG, 0, to.get(ValueLayout.JAVA_LONG, 0) + amount);
        mutex.unlock();
    }

    private static void dieInBetween(Path path) {
        var accounts = new SharedAccounts(SharedMemory.map(path));
        accounts.mutex.lock();
        accounts.from.set(ValueLayout.JAVA_LONG, 0, accounts.from.get(ValueLayout.JAVA_LONG, 0) - 50);
        Runtime.getRuntime().halt(1);
    }

    @Override
    public String toString() {
        return from.get(ValueLayout.JAVA_LONG, 0) + " and " + to.get(ValueLayout.JAVA_LONG, 0);
    }
}
