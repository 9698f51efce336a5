package dev.knote.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The echo server of docs/porting-from-c.md, in C and in Java, with the same clients. */
@Timeout(60)
class EchoTest {
    private static final String EXPECTED = """
            client 1: connected
            client 1: silent after 11 bytes
            client 2: connected
            client 2: gone after 3 bytes
            stopped with 7 after 2 clients
            """;

    @TempDir
    private Path temp;

    @Test
    void thePortEchoesAndPrintsWhatItSees() throws Exception {
        Class<?> echo = Class.forName("dev.knote.examples.porting.Echo");
        assertEquals(EXPECTED, talk(Program.java(echo)));
    }

    @Test
    void theCProgramPrintsTheSame() throws Exception {
        assumeTrue(Program.isThere("gcc"), "no gcc here");
        assumeTrue(Program.isThere("pkg-config"), "no pkg-config here, which would find libkqueue");
        assumeTrue(pkgConfig("--exists", 1).isEmpty(), "no libkqueue here: Linux has no kqueue of its own");
        String program = temp.resolve("echo").toString();
        List<String> command = new ArrayList<>(
                List.of("gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program,
                        "src/main/c/echo.c", "-Wl,-rpath," + pkgConfig("--variable=libdir", 0), "-pthread"));
        command.addAll(List.of(pkgConfig("--cflags", 0).split(" ")));
        command.addAll(List.of(pkgConfig("--libs", 0).split(" ")));
        command.removeIf(String::isEmpty);
        assertEquals("", Program.run(0, Map.of(), command));
        assertEquals(EXPECTED, talk(List.of(program)));
    }

    /** The first client says two words, then nothing, until it is sent away; the second leaves by itself. */
    private static String talk(List<String> server) throws Exception {
        InetAddress here = InetAddress.getLoopbackAddress();
        try (var program = Program.start(server, Map.of())) {
            BufferedReader output = program.process().inputReader();
            String listening = output.readLine();
            assertTrue(listening.startsWith("listening on port "), listening);
            int port = Integer.parseInt(listening.substring(18));
            String seen = output(() -> {
                try (var silent = new Socket(here, port)) {
                    echo(silent, "hello");
                    echo(silent, "worlds");
                    assertEquals(-1, silent.getInputStream().read());
                }
            }, output, 2);
            seen += output(() -> {
                try (var leaving = new Socket(here, port)) {
                    echo(leaving, "bye");
                }
            }, output, 2);
            program.process().getOutputStream().close();
            seen += output.readLine() + "\n";
            return seen + program.finish(0);
        }
    }

    private interface Client {
        void run() throws Exception;
    }

    private static String output(Client client, BufferedReader output, int lines) throws Exception {
        client.run();
        StringBuilder seen = new StringBuilder();
        for (int i = 0; i < lines; i++) {
            seen.append(output.readLine()).append('\n');
        }
        return seen.toString();
    }

    private static void echo(Socket client, String word) throws Exception {
        client.getOutputStream().write(word.getBytes());
        assertEquals(word, new String(client.getInputStream().readNBytes(word.length())));
    }

    /** What pkg-config says of libkqueue, on one line; "missing" if it fails and that may be. */
    private static String pkgConfig(String question, int mayFail) throws Exception {
        try (var program = Program.start(List.of("pkg-config", question, "libkqueue"), Map.of())) {
            String answer = new String(program.process().getInputStream().readAllBytes()).trim();
            boolean failed = program.process().waitFor() != 0;
            assertTrue(!failed || mayFail == 1, answer);
            return failed ? "missing" : answer;
        }
    }
}
