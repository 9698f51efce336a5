package dev.knote.benchmarks;

import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;

/**
 * A process that does one operation: answers {@code time N} by nanoseconds, {@code bytes N} by bytes allocated by the
 * thread, {@code mark N} after a run between two marks for strace(1), {@code report} by the operation's report. The
 * properties {@code bench.pin} (a processor, for this thread alone) and {@code bench.args} are the operation's.
 */
final class Worker {
    private Worker() {}

    static void main(String[] args) throws Exception {
        Operation operation = Operations.make(args[0], args.length > 1 ? args[1] : "");
        Integer cpu = Integer.getInteger("bench.pin");
        if (cpu != null) {
            Linux.pin(cpu);
        }
        System.out.println("ready " + operation.address());
        if (operation instanceof Operation.Server server) {
            server.serve();
            return;
        }
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            System.out.println(switch (words[0]) {
                case "time" -> time(operation, Integer.parseInt(words[1]));
                case "bytes" -> bytes(operation, Integer.parseInt(words[1]));
                case "mark" -> mark(operation, Integer.parseInt(words[1]));
                default -> operation.report();
            });
        }
    }

    private static long time(Operation operation, int n) throws Exception {
        operation.prepare();
        long from = System.nanoTime();
        operation.run(n);
        return System.nanoTime() - from;
    }

    private static long bytes(Operation operation, int n) throws Exception {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        operation.prepare();
        threads.getCurrentThreadAllocatedBytes();
        long from = threads.getCurrentThreadAllocatedBytes();
        operation.run(n);
        return threads.getCurrentThreadAllocatedBytes() - from;
    }

    private static long mark(Operation operation, int n) throws Exception {
        operation.prepare();
        Linux.mark(1);
        operation.run(n);
        Linux.mark(2);
        return n;
    }
}
