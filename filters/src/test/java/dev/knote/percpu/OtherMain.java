package dev.knote.percpu;

import dev.knote.SharedMemory;
import java.nio.file.Path;
import java.util.Random;

/** Does what percpu.c does, as far as it has "for ever". */
final class OtherMain {
    private OtherMain() {}

    public static void main(String[] args) {
        try (SharedMemory memory = SharedMemory.map(Path.of(args[0]))) {
            long[] a = new long[4];
            for (int i = 2; i < args.length; i++) {
                a[i - 2] = Long.parseLong(args[i]);
            }
            System.out.println("begun");
            switch (args[1]) {
                case "add" -> add(CpuWords.of(memory.segment(), a[0], (int) a[1]), (int) a[2], a[3]);
                case "list" -> list(CpuFreeList.of(memory.segment(), a[0], (int) a[1], (int) a[2]), a[3]);
                case "move" -> move(memory, a[0], (int) a[1], a[2]);
                case "await" -> await(CpuEvents.of(memory.segment(), a[0], (int) a[1]));
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
    }

    private static void add(CpuWords words, int word, long n) {
        for (long i = 0; n == 0 || i < n; i++) {
            words.add(word, 1);
        }
    }

    private static void list(CpuFreeList list, long n) {
        for (long i = 0; n == 0 || i < n; i++) {
            int index = list.pop();
            if (index >= 0) {
                list.push(index);
            }
        }
    }

    private static void await(CpuEvents events) {
        for (long seen = events.count();;) {
            seen = events.await(seen, null);
        }
    }

    /** Moves 1 from a word to another, unless it has none, and counts that. */
    static OpsVector mover(SharedMemory memory, long words, int count, int from) {
        return OpsVector.on(memory.segment(), 0).notEqual(words + 8L * from, 0).add(words + 8L * from, -1)
                .add(words + 8L * ((from + 1) % count), 1).words32().add(words + 8L * count, 1)
                .wake(words + 8L * count, 1);
    }

    static void move(SharedMemory memory, long words, int count, long n) {
        OpsVector[] vectors = new OpsVector[count];
        for (int from = 0; from < count; from++) {
            vectors[from] = mover(memory, words, count, from);
        }
        Random random = new Random();
        for (long i = 0; n == 0 || i < n; i++) {
            vectors[random.nextInt(count)].run();
        }
    }
}
