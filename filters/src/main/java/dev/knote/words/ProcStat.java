package dev.knote.words;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process or thread as {@code /proc/ID/stat} shows it, by which a lock's owner is known to be dead although its id is in
 * use again.
 *
 * @param isZombie dead, and not waited for; of a process's first thread also while others go on
 * @param threads of the process
 * @param start when it began, in clock ticks since boot
 */
public record ProcStat(boolean isZombie, int threads, long start) {
    /** Of what follows the name, which may hold anything: field 3 is the first. */
    private static final int STATE = 0;
    private static final int THREADS = 17;
    private static final int START = 19;

    /**
     * What is shown now.
     *
     * @param id a pid, a tid, {@code self} or {@code thread-self}
     * @return null if it is gone, or hidden
     */
    public static ProcStat of(String id) {
        try {
            String line = Files.readString(Path.of("/proc", id, "stat"), StandardCharsets.ISO_8859_1);
            int name = line.lastIndexOf(')');
            if (name < 0) {
                return null; // of a thread that is on its way out
            }
            String[] fields = line.substring(name + 2).split(" ");
            return new ProcStat(
                    "ZXx".contains(fields[STATE]), Integer.parseInt(fields[THREADS]),
                    Long.parseLong(fields[START]));
        } catch (IOException e) {
            return null;
        }
    }

    /** Whether the whole process has ended, and not its first thread alone. */
    public boolean isEnded() {
        return isZombie && threads <= 1;
    }

    /** The number of this process's pid namespace, in which pids mean something; 0 if it is not known. */
    public static long pidNamespace() {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return Long.parseLong(name.replaceAll("\\D", ""));
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
