package dev.knote.benchmarks.percpu;

import dev.knote.SharedMemory;
import dev.knote.percpu.Cpu;
import dev.knote.percpu.CpuFreeList;
import dev.knote.percpu.CpuWords;
import dev.knote.percpu.OpsVector;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/** A process that does one thing in so many threads: {@code threads T}, then {@code time N}, of all threads together. */
final class PercpuWorker {
    private static final int INDICES = 64;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private PercpuWorker() {}

    static void main(String[] args) throws Exception {
        try (SharedMemory memory = SharedMemory.anonymous(1 << 16)) {
            // What a thread does, so many times, made in the thread.
            Supplier<IntConsumer> work = work(args[0], memory);
            int threads = 1;
            System.out.println("ready");
            var in = new BufferedReader(new InputStreamReader(System.in));
            for (String line; (line = in.readLine()) != null;) {
                int number = Integer.parseInt(line.split(" ")[1]);
                if (line.startsWith("threads")) {
                    threads = number;
                    System.out.println("ok");
                } else {
                    System.out.println(time(work, threads, number / threads));
                }
            }
        }
    }

    private static long time(Supplier<IntConsumer> work, int threads, int n) throws InterruptedException {
        Thread[] all = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            all[i] = Thread.ofPlatform().unstarted(() -> work.get().accept(n));
        }
        long from = System.nanoTime();
        for (Thread thread : all) {
            thread.start();
        }
        for (Thread thread : all) {
            thread.join();
        }
        return System.nanoTime() - from;
    }

    private static Supplier<IntConsumer> work(String kind, SharedMemory memory) {
        return switch (kind) {
            case "CpuWords", "LongAdder", "AtomicLong", "word" -> counter(kind, memory);
            case "CpuFreeList" -> list(memory);
            case "ConcurrentLinkedQueue" -> queue(new ConcurrentLinkedQueue<>());
            case "ArrayBlockingQueue" -> queue(new ArrayBlockingQueue<>(INDICES));
            default -> vector(kind, memory.segment());
        };
    }

    private static Supplier<IntConsumer> counter(String kind, SharedMemory memory) {
        CpuWords words = CpuWords.of(memory.segment(), 0, Cpu.count());
        LongAdder adder = new LongAdder();
        AtomicLong atomic = new AtomicLong();
        MemorySegment word = memory.word64(0);
        IntConsumer work = switch (kind) {
            case "CpuWords" -> n -> {
                for (int i = 0; i < n; i++) {
                    words.add(1);
                }
            };
            case "LongAdder" -> n -> {
                for (int i = 0; i < n; i++) {
                    adder.add(1);
                }
            };
            case "AtomicLong" -> n -> {
                for (int i = 0; i < n; i++) {
                    atomic.getAndAdd(1);
                }
            };
            default -> n -> {
                for (int i = 0; i < n; i++) {
                    SharedMemory.add64(word, 1);
                }
            };
        };
        return () -> work;
    }

    private static Supplier<IntConsumer> list(SharedMemory memory) {
        CpuFreeList list = CpuFreeList.of(memory.segment(), 0, Cpu.count(), INDICES);
        for (int i = 0; i < INDICES; i++) {
            list.push(i);
        }
        return () -> n -> {
            for (int i = 0; i < n; i++) {
                list.push(list.pop());
            }
        };
    }

    private static Supplier<IntConsumer> queue(Queue<Integer> queue) {
        for (int i = 0; i < INDICES; i++) {
            queue.offer(i);
        }
        return () -> n -> {
            for (int i = 0; i < n; i++) {
                queue.offer(queue.poll());
            }
        };
    }

    /** Words a, b and a gate: if the gate is 0, one more for a, one less for b. */
    private static Supplier<IntConsumer> vector(String kind, MemorySegment all) {
        long a = 512;
        long b = 520;
        long gate = 528;
        ReentrantLock lock = new ReentrantLock();
        return switch (kind) {
            case "OpsVector" -> () -> vector(OpsVector.on(all, 0).equal(gate, 0).add(a, 1).add(b, -1));
            case "look" -> () -> vector(OpsVector.on(all, 0).equal(gate, 0).get(a).get(b));
            case "ReentrantLock" -> () -> n -> {
                for (int i = 0; i < n; i++) {
                    lock.lock();
                    try {
                        if (all.get(LONG, gate) == 0) {
                            all.set(LONG, a, all.get(LONG, a) + 1);
                            all.set(LONG, b, all.get(LONG, b) - 1);
                        }
                    } finally {
                        lock.unlock();
                    }
                }
            };
            case "CAS" -> () -> n -> cas(all.asSlice(a, Long.BYTES), n);
            default -> throw new IllegalArgumentException("no such work: " + kind);
        };
    }

    private static IntConsumer vector(OpsVector vector) {
        return n -> {
            for (int i = 0; i < n; i++) {
                vector.run();
            }
        };
    }

    private static void cas(MemorySegment word, int n) {
        for (int i = 0; i < n; i++) {
            long old = SharedMemory.load64(word);
            while (!SharedMemory.swap64(word, old, old + 1)) {
                old = SharedMemory.load64(word);
            }
        }
    }
}
