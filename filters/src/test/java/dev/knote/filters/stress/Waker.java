package dev.knote.filters.stress;

import dev.knote.SharedMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * One side of an exchange through memory that other processes may have, too: says a number, wakes, and waits for the
 * answer, so that a single wake lost stops it. Line {@code i} is the word, {@code i + 16} the number said,
 * {@code i + 32} the one answered.
 */
final class Waker {
    static final int SAID = 16;
    static final int ANSWERED = 32;
    /** A word that is not 0 when it is time to end. */
    static final int END = 60;
    static final int BYTES = 64 * SharedMemory.LINE;

    private final SharedMemory memory;
    private final int index;
    private final boolean changes;

    Waker(SharedMemory memory, int index, boolean changes) {
        this.memory = memory;
        this.index = index;
        this.changes = changes;
    }

    /** @param stop asked now and then while an answer is missing; may throw */
    void exchange(long n, BooleanSupplier stop) {
        SharedMemory.store64(memory.word64(index + SAID), n);
        if (changes) {
            SharedMemory.add32(memory.word32(index), 1);
        }
        Words.wake(memory.word32(index), 1);
        for (int looks = 1; SharedMemory.load64(memory.word64(index + ANSWERED)) < n; looks++) {
            if (looks < 50) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
            if (looks % 256 == 0 && stop.getAsBoolean()) {
                return;
            }
        }
    }

    /** What the receiver does on an event. */
    static void answer(SharedMemory memory, int index) {
        SharedMemory.store64(memory.word64(index + ANSWERED),
                SharedMemory.load64(memory.word64(index + SAID)));
    }

    /** Another JVM that exchanges on word {@code index}, {@code count} times. */
    static Process start(SharedMemory memory, int index, long count, boolean changes) throws Exception {
        return jvm(Waker.class, memory.path().toString(), "" + index, "" + count, "" + changes);
    }

    static Process jvm(Class<?> main, String... args) throws Exception {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new java.util.ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED", "-cp", path));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add(1, "-Dknote.poller=" + poller);
        }
        command.add(main.getName());
        command.addAll(List.of(args));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    public static void main(String[] args) {
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]))) {
            Waker waker = new Waker(memory, Integer.parseInt(args[1]), Boolean.parseBoolean(args[3]));
            long count = Long.parseLong(args[2]);
            BooleanSupplier end = () -> SharedMemory.load32(memory.word32(END)) != 0;
            for (long n = 1; n <= count && !end.getAsBoolean(); n++) {
                waker.exchange(n, end);
            }
        }
    }
}
