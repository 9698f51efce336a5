package dev.knote.benchmarks.sync;

import dev.knote.SharedMemory;
import dev.knote.sync.SharedMutex;
import dev.knote.words.Words;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.ReentrantLock;

/** What mutexes.c does, in Java: kinds knote, plain and reentrant. */
final class MutexWorker {
    private static final SharedMemory MEMORY = SharedMemory.anonymous(4096);

    private static volatile boolean stop;
    private static volatile long sink;
    private static long counter;
    private static long value = 1;

    private MutexWorker() {}

    /** A mutex. */
    private interface Mutex {
        void lock();

        void unlock();
    }

    private record Knote(SharedMutex mutex) implements Mutex {
        @Override
        public void lock() {
            mutex.lock();
        }

        @Override
        public void unlock() {
            mutex.unlock();
        }
    }

    private record Reentrant(ReentrantLock mutex) implements Mutex {
        @Override
        public void lock() {
            mutex.lock();
        }

        @Override
        public void unlock() {
            mutex.unlock();
        }
    }

    /** 0 free, 1 held, 2 held and perhaps somebody sleeps. */
    private record Plain(MemorySegment word) implements Mutex {
        @Override
        public void lock() {
            if (!Words.swap(word, 0, 1)) {
                while (Words.swap(word, 2) != 0) {
                    Words.sleep(word, 2, Words.NEVER);
                }
            }
        }

        @Override
        public void unlock() {
            if (Words.add(word, -1) != 1) {
                Words.set(word, 0);
                Words.wake(word, 1);
            }
        }
    }

    static void main(String[] args) throws Exception {
        Mutex mutex = switch (args[0]) {
            case "knote" -> new Knote(SharedMutex.of(MEMORY.segment(), 0));
            case "plain" -> new Plain(MEMORY.word32(1));
            default -> new Reentrant(new ReentrantLock());
        };
        System.out.println("ready");
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            System.out.println(
                    measure(
                            mutex, Integer.parseInt(words[2]), Integer.parseInt(words[3]),
                            Integer.parseInt(words[4]), Integer.parseInt(words[5])));
        }
    }

    private static String measure(Mutex mutex, int threads, int inside, int outside, int millis)
            throws Exception {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory
                .getOperatingSystemMXBean();
        long[] sections = new long[threads];
        Thread[] crew = new Thread[threads];
        stop = false;
        counter = 0;
        long from = System.nanoTime();
        long cpu = system.getProcessCpuTime();
        for (int i = 0; i < threads; i++) {
            int index = i;
            crew[i] = Thread.ofPlatform().start(() -> sections[index] = run(mutex, inside, outside));
        }
        Thread.sleep(millis);
        stop = true;
        long sum = 0;
        long most = 0;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < threads; i++) {
            crew[i].join();
            sum += sections[i];
            most = Math.max(most, sections[i]);
            least = Math.min(least, sections[i]);
        }
        long nanos = System.nanoTime() - from;
        if (sum != counter) {
            throw new IllegalStateException("no mutual exclusion: " + counter + ": expected " + sum);
        }
        return sum + " " + nanos + " " + most + " " + least + " " + (system.getProcessCpuTime() - cpu);
    }

    private static long run(Mutex mutex, int inside, int outside) {
        long count = 0;
        long own = 1;
        for (; !stop; count++) {
            mutex.lock();
            counter++;
            value = work(value, inside);
            mutex.unlock();
            own = work(own, outside);
        }
        sink = own;
        return count;
    }

    private static long work(long value, int n) {
        long next = value;
        for (int i = 0; i < n; i++) {
            next ^= next << 13;
            next ^= next >>> 7;
            next ^= next << 17;
        }
        return next;
    }
}
