package dev.knote.benchmarks.netty;

import com.sun.management.ThreadMXBean;
import dev.knote.benchmarks.Child;
import dev.knote.benchmarks.Cpus;
import dev.knote.benchmarks.Linux;
import dev.knote.linux.Threads;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;

/**
 * A process with one loop, its thread bound to the processor {@code bench.pin}. Says {@code ready}, the loop's thread as
 * the kernel knows it, and where it can be reached; answers each line of its input by the bytes that the loop has
 * allocated.
 */
final class Server {
    private static volatile Thread loopThread;
    private static volatile int loopTid;

    private Server() {}

    /** Starts one; {@link Started#child} is for {@code ready} and questions. */
    static Started start(Cpus cpus, Integer pin, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                Child.jvm(
                        pin, List.of(
                                "--sun-misc-unsafe-memory-access=allow",
                                "-Dio.netty.leakDetection.level=disabled")));
        command.add(Server.class.getName());
        command.addAll(List.of(arguments));
        return Started.of(Child.of(cpus, command));
    }

    /** A server: its process, its loop's thread, where it can be reached. */
    record Started(Child child, int tid, String where) {
        static Started of(Child child) throws IOException {
            String[] told = child.ready().split(" ", 2);
            return new Started(child, Integer.parseInt(told[0]), told[1]);
        }
    }

    static void main(String[] args) throws Exception {
        String where = switch (args[0]) {
            case "echo" -> Echo.serve(Transport.valueOf(args[1]));
            case "wake" -> Wakes.valueOf(args[1]).serve(args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        };
        System.out.println("ready " + loopTid + " " + where);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            System.out.println(threads.getThreadAllocatedBytes(loopThread.threadId()));
        }
        System.exit(0);
    }

    /** A group of one loop. */
    static MultiThreadIoEventLoopGroup group(IoHandlerFactory factory) {
        Integer cpu = Integer.getInteger("bench.pin");
        ThreadFactory threads = task -> loopThread = new Thread(() -> {
            if (cpu != null) {
                Linux.pin(cpu);
            }
            loopTid = Threads.gettid();
            task.run();
        }, "loop");
        return new MultiThreadIoEventLoopGroup(1, threads, factory);
    }
}
