package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.examples.Program;
import java.io.BufferedReader;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program that serves the page, and its other process, whatever that is. */
@Timeout(90)
class PageDemoTest {
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<AutoCloseable> open = new ArrayList<>();

    @TempDir
    private Path bin;

    /** Who is killed leaves his files. */
    @TempDir
    private Path temp;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
        http.shutdownNow();
    }

    @Test
    void aCProgramChangesTheWordsAndAnswers() throws Exception {
        assumeTrue(Program.isThere("gcc"), "no gcc here");
        assertAnswers(page(Map.of(), "a C program"));
    }

    @Test
    void withoutACompilerASecondJvmDoes() throws Exception {
        assertAnswers(page(Map.of("PATH", bin.toString()), "a second JVM, as there is no C compiler"));
    }

    @Test
    void aProcessThatDiesAtOnceAgainAndAgainIsGivenUp() throws Exception {
        Path compiler = Files.writeString(bin.resolve("cc"),
                "#!/bin/sh\nprintf '#!/bin/sh\\nexit 3\\n' > \"$3\"; /bin/chmod +x \"$3\"\n");
        Files.setPosixFilePermissions(compiler, PosixFilePermissions.fromString("rwx------"));
        PageClient page = page(Map.of("PATH", bin.toString()), "a C program");
        int value = page.awaitValue(Word.PROCESS, false);
        int starts = 0;
        while (value != OtherProcess.GIVEN_UP) {
            value = page.awaitValue(Word.PROCESS, true);
            starts += value > 0 ? 1 : 0;
        }
        assertTrue(starts <= 5, "bounded: " + starts);
    }

    @Test
    void theOtherProcessEndsWhenItsServerIsKilled() throws Exception {
        PageClient page = page(Map.of(), "");
        int id = page.awaitValue(Word.PROCESS, false);
        ProcessHandle other = ProcessHandle.of(id).orElseThrow();
        page.awaitValue(Word.TICKS, true);
        assertTrue(other.isAlive());
        ((Program) open.getFirst()).process().destroyForcibly();
        other.onExit().get(20, TimeUnit.SECONDS);
    }

    @Test
    void itEndsByItselfWhereNobodyOpensThePage() throws Exception {
        String output = Program.run(0, Map.of(), Program.java(PageDemo.class, "-Ddemo.seconds=1"));
        assertEquals(1, output.lines().filter(line -> line.startsWith("  http://127.0.0.1:")).count(),
                output);
        assertFalse(output.contains("Exception"), output);
    }

    @Test
    void aPortThatIsTakenIsSaid() throws Exception {
        try (var words = Words.create(); var server = new PageServer(0, words, "")) {
            String output = Program.run(1, Map.of(),
                    Program.java(PageDemo.class, "-Ddemo.port=" + server.port()));
            assertTrue(output.contains("Address already in use"), output);
        }
    }

    private PageClient page(Map<String, String> environment, String kind) throws Exception {
        var program = Program.start(Program.java(PageDemo.class, "-Djava.io.tmpdir=" + temp),
                environment);
        open.add(program);
        BufferedReader output = program.process().inputReader();
        String url = output.readLine();
        while (url != null && !url.startsWith("  http")) {
            url = output.readLine();
        }
        var page = new PageClient(http, url.strip());
        open.add(page);
        String hello = page.await("words");
        assertTrue(hello.contains(kind) && hello.contains("poller "), hello);
        return page;
    }

    private static void assertAnswers(PageClient page) throws Exception {
        for (Word word : new Word[] {Word.TICKS, Word.WALK, Word.BITS}) {
            int before = page.awaitValue(word, true);
            int after = page.awaitValue(word, true);
            assertTrue(word == Word.WALK || before != after, word + " is " + after);
        }
        for (int question = 1; question <= 20; question++) {
            page.send("ask");
            assertEquals(question * question, page.awaitValue(Word.ANSWER, true));
        }
    }
}
