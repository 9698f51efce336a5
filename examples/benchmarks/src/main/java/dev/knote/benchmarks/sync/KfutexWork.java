package dev.knote.benchmarks.sync;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.benchmarks.Linux;
import dev.knote.filters.Read;
import dev.knote.kfutex.Kfutex;
import dev.knote.kfutex.Rule;
import dev.knote.linux.Fds;
import dev.knote.words.Words;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Scanner;

/**
 * The process between a socket and who waits: {@code kfutex}, by the service; {@code futex, eventfd, pipe}, by a thread of
 * its own in a queue. Then PID SOCKET EVENTFD PIPE WORDS of kfutex.c. {@code bind} and {@code register} take {@code time N}.
 */
final class KfutexWork {
    private static final MemorySegment BUFFER = Arena.global().allocate(8, 8);

    private KfutexWork() {}

    public static void main(String[] args) throws IOException {
        if (args.length == 1) {
            repeat(args[0]);
            return;
        }
        int pid = Integer.parseInt(args[1]);
        MemorySegment word = SharedMemory.map(Path.of("/proc", args[1], "fd", args[5])).word32(0);
        Interest readable = Read.of(Linux.fdOf(pid, Integer.parseInt(args[2])));
        Rule rule = Rule.add(word, 1).wake(1);
        if (args[0].equals("kfutex")) {
            new Kfutex().bind(readable, rule);
            System.out.println("ready");
            System.in.read(); // until the end
            return;
        }
        int fd = Linux.fdOf(pid, Integer.parseInt(args[args[0].equals("pipe") ? 4 : 3]));
        int bytes = args[0].equals("pipe") ? 1 : 8;
        BUFFER.set(java.lang.foreign.ValueLayout.JAVA_LONG, 0, 1);
        EventQueue queue = EventQueue.open(
                args[0].equals("owner") ? Options.defaults().singleOwner() : Options.defaults());
        queue.register(readable.clear(), null);
        System.out.println("ready");
        boolean futex = args[0].equals("futex") || args[0].equals("owner");
        for (;;) {
            queue.poll(event -> {
                if (futex) {
                    Words.add(word, 1);
                    Words.wake(word, 1);
                } else {
                    Fds.write(fd, BUFFER.address(), bytes);
                }
            }, null);
        }
    }

    private static void repeat(String what) {
        int[] pipe = Linux.pipe();
        Interest readable = Read.of(pipe[0]);
        Rule rule = Rule.add(SharedMemory.anonymous(4096).word32(0), 1).wake(1);
        Kfutex kfutex = new Kfutex();
        EventQueue queue = EventQueue.open();
        System.out.println("ready");
        Scanner in = new Scanner(System.in);
        while (in.hasNext() && in.next().equals("time")) {
            int n = in.nextInt();
            long from = System.nanoTime();
            for (int i = 0; i < n; i++) {
                if (what.equals("bind")) {
                    kfutex.bind(readable, rule).unbind();
                } else {
                    queue.register(readable.clear(), null).cancel();
                }
            }
            System.out.println(System.nanoTime() - from);
        }
    }
}
