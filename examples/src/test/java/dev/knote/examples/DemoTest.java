package dev.knote.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.EventQueue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo, in a directory for temporary files of its own. */
@Timeout(60)
class DemoTest {
    @TempDir
    private Path temp;

    @TempDir
    private Path bin;

    @Test
    void everySourceWakesTheQueueAndNothingIsLeft() throws Exception {
        assumeTrue(Program.isThere("gcc"), "no gcc here");
        String output = demo(0, Map.of());
        for (String source : List.of("by another JVM", "by a C program", "socket", "timer", "user event")) {
            assertLastRound(output, source);
        }
        assertTrue(output.contains("All events came"), output);
        assertTrue(Pattern.compile("^  http://127.0.0.1:\\d+/$", Pattern.MULTILINE).matcher(output).find(),
                output);
        assertTrue(output.contains("on which a C program changes words"), output);
    }

    @Test
    void itSaysWhichPollerItTookAndWhyNotTheOthers() throws Exception {
        String output = demo(0, Map.of("PATH", bin.toString()));
        assertEquals(1, lines(output, "  chosen"), output);
        assertEquals(EventQueue.pollers().size() - 1, lines(output, "not taken: "), output);
    }

    @Test
    void withoutACompilerItSaysSoAndGoesOn() throws Exception {
        String output = demo(0, Map.of("PATH", bin.toString()));
        assertTrue(output.contains("No C program takes part: there is no C compiler"), output);
        assertLastRound(output, "by another JVM");
        assertEquals(0, lines(output, "by a C program"), output);
    }

    @Test
    void aCompilerThatFailsIsSaid() throws Exception {
        compiler("echo no such header; exit 1");
        String output = demo(0, Map.of("PATH", bin.toString()));
        assertTrue(output.contains("No C program takes part: cc fails: no such header"), output);
    }

    @Test
    void aPeerThatFailsEndsItWithAnError() throws Exception {
        compiler("printf '#!/bin/sh\\nexit 3\\n' > \"$3\"; /bin/chmod +x \"$3\"");
        String output = demo(1, Map.of("PATH", bin.toString()));
        assertTrue(output.contains("The demo failed: word of memory, by a C program: it ended with 3"),
                output);
        assertFalse(output.contains("All events came"), output);
    }

    private String demo(int status, Map<String, String> environment) throws Exception {
        String output = Program.run(status, environment,
                Program.java(Demo.class, "-Djava.io.tmpdir=" + temp, "-Ddemo.seconds=1"));
        try (var left = Files.list(temp)) {
            assertEquals(List.of(),
                    left.filter(file -> !file.getFileName().toString().startsWith("hsperf")).toList(),
                    output);
        }
        return output;
    }

    private void compiler(String script) throws Exception {
        Path file = Files.writeString(bin.resolve("cc"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    /** Earlier rounds may be part of the event of a later one. */
    private static void assertLastRound(String output, String source) {
        assertTrue(Pattern.compile(source + ".* 5 +[0-9.]+ us\n").matcher(output).find(),
                source + " in:\n" + output);
    }

    private static long lines(String output, String part) {
        return output.lines().filter(line -> line.contains(part)).count();
    }
}
