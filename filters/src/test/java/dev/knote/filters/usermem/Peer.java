package dev.knote.filters.usermem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Another process that has mapped the same memory. The commands that it takes stand at the head of futexes.c. */
final class Peer implements AutoCloseable {
    private static final String PROMPT = "> ";
    private static final int SECONDS = 20;

    private final Process process;
    private final Writer commands;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Set<String> woken = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<String> said = new ConcurrentLinkedQueue<>();
    private final Thread reader;
    private TestMemory memory;

    private Peer(List<String> command) throws IOException {
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        commands = process.outputWriter();
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    /** A C program with futex(2) alone, built in {@code directory}. */
    static Peer c(Path directory) throws Exception {
        assumeTrue(isThere("gcc"), "no gcc here");
        String program = directory.resolve("futexes").toString();
        Path source = directory.resolve("futexes.c");
        try (var in = Peer.class.getResourceAsStream("futexes.c")) {
            Files.write(source, in.readAllBytes());
        }
        Process gcc = new ProcessBuilder("gcc", "-O1", "-pthread", "-o", program, source.toString())
                .redirectErrorStream(true).start();
        String output = new String(gcc.getInputStream().readAllBytes());
        assertEquals(0, gcc.waitFor(), output);
        return new Peer(List.of(program));
    }

    /** Another JVM with the same poller as this one. */
    static Peer jvm() throws IOException {
        return new Peer(java(PeerMain.class));
    }

    /** The command that runs {@code main} as this JVM runs tests. */
    static List<String> java(Class<?> main) {
        List<String> command = new ArrayList<>(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xshare:auto"));
        String poller = System.getProperty("knote.poller");
        if (poller != null) {
            command.add("-Dknote.poller=" + poller);
        }
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        return command;
    }

    static boolean isThere(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    Peer map(TestMemory shared) {
        memory = shared;
        woken.clear();
        assertEquals("mapped " + TestMemory.BYTES, ask("map " + shared.path()));
        return this;
    }

    /** {@code name} waits for the word, which holds {@link Width#VALUE}; it does so when this returns. */
    void waits(String name, MemorySegment word, Width width, boolean isPrivate) {
        String answer = ask(
                "wait " + name + " " + memory.offset(word) + " " + Width.VALUE + " " + width.bits()
                        + (isPrivate ? " 1" : " 0"));
        assertEquals("waiting " + name, answer);
    }

    /** Returns when {@code name} has been woken. */
    void awaitWoken(String name) {
        OsThread.await(() -> woken.contains(name), "the wake of " + name + " in the other process " + said);
    }

    boolean isWoken(String name) {
        return woken.contains(name);
    }

    /** Wakes; how many, or -1 where that can't be known. */
    int wake(MemorySegment word, long count, boolean isPrivate) {
        String answer = ask("wake " + memory.offset(word) + " " + count + (isPrivate ? " 1" : " 0"));
        assertTrue(answer.startsWith("woke "), answer);
        return Integer.parseInt(answer.substring("woke ".length()));
    }

    void store(MemorySegment word, Width width, long value) {
        assertEquals("stored", ask("store " + memory.offset(word) + " " + value + " " + width.bits()));
    }

    /** SIGKILL; the process is gone when this returns. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "the other process did not die");
    }

    @Override
    public void close() {
        try {
            kill();
            reader.join(TimeUnit.SECONDS.toMillis(SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private String ask(String command) {
        try {
            commands.write(command + "\n");
            commands.flush();
            String answer = answers.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(answer, () -> "no answer to: " + command + "; it said " + said);
            return answer;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(command + ": " + said, e);
        }
    }

    private void read() {
        try (BufferedReader in = process.inputReader()) {
            for (String line; (line = in.readLine()) != null;) {
                said.add(line);
                if (line.startsWith(PROMPT + "woken ")) {
                    woken.add(line.split(" ")[2]);
                } else if (line.startsWith(PROMPT)) {
                    answers.add(line.substring(PROMPT.length()));
                }
            }
        } catch (IOException killed) {
            said.add(killed.toString());
        }
    }
}
