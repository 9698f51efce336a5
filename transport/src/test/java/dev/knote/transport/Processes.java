package dev.knote.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What this process has: files, sockets, memory. */
final class Processes {
    private static final Path FDS = Path.of("/proc/self/fd");

    private Processes() {}

    /** How many fds it may have: the JVM has raised the soft limit to the hard one. */
    static long fdLimit() throws IOException {
        String limit = line("/proc/self/limits", "Max open files").split("\\s+")[3];
        return "unlimited".equals(limit) ? Integer.MAX_VALUE : Long.parseLong(limit);
    }

    static int sockets() {
        return count(target -> target.startsWith("socket:"));
    }

    /** Those of rings, epoll, eventfds: what a loop has, and the JVM has not. */
    static int ofPollers() {
        return count(target -> target.startsWith("anon_inode:"));
    }

    /** All but the one that looks. */
    static int fds() {
        return count(target -> !target.endsWith("/fd"));
    }

    private static int count(Predicate<String> wanted) {
        try (Stream<Path> fds = Files.list(FDS)) {
            return (int) fds.filter(fd -> wanted.test(target(fd))).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String target(Path fd) {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (IOException e) {
            return "/fd"; // closed since
        }
    }

    /** Bytes of memory that is no file's. */
    static long resident() throws IOException {
        return Long.parseLong(line("/proc/self/status", "RssAnon:").split("\\s+")[1]) * 1024;
    }

    /** Bytes of live objects. */
    static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static String line(String file, String start) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of(file))) {
            return lines.filter(line -> line.startsWith(start)).findFirst().orElseThrow();
        }
    }
}
