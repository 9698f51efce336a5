package dev.knote.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Processors that a child process may run on. */
public record Cpus(List<Integer> numbers) {
    private static final boolean TASKSET = isThere("taskset");

    /** Those that this process may run on. */
    static Cpus all() throws IOException {
        String list = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .findFirst().orElseThrow().substring("Cpus_allowed_list:".length()).strip();
        List<Integer> numbers = new ArrayList<>();
        for (String range : list.split(",")) {
            String[] ends = range.split("-");
            int last = Integer.parseInt(ends[ends.length - 1]);
            for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
                numbers.add(cpu);
            }
        }
        return new Cpus(numbers);
    }

    /** The last of these alone: the first has most of the interrupts. */
    public Cpus one() {
        return only(numbers.size() - 1);
    }

    /** The last two. */
    public Cpus two() {
        return new Cpus(numbers.subList(Math.max(0, numbers.size() - 2), numbers.size()));
    }

    public Cpus only(int index) {
        return new Cpus(List.of(numbers.get(index)));
    }

    public int get(int index) {
        return numbers.get(index);
    }

    public int count() {
        return numbers.size();
    }

    /** The command, bound to these. The JVM's own option changes what it believes, not where it runs. */
    public List<String> command(List<String> command) {
        if (!TASKSET) {
            return command;
        }
        List<String> bound = new ArrayList<>(List.of("taskset", "-c"));
        bound.add(String.join(",", numbers.stream().map(String::valueOf).toList()));
        bound.addAll(command);
        return bound;
    }

    public static boolean canPin() {
        return TASKSET;
    }

    /** Whether a program is on the PATH. */
    public static boolean isThere(String program) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }
}
