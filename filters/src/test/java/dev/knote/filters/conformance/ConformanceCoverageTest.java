package dev.knote.filters.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each row of the conformance cases is a test's, or a difference that is written down. */
class ConformanceCoverageTest {
    private static final String ROWS = """
            GEN 01 02 03 04 05 06 07 08 10 11 12 13 14 15 19 20 21 22 23 24 27 29 30 32 33 37 39 40 42 43 45 46
            GEN 47 49 50 51 52 53 57 58 59 60 61 62 63 65 67 70
            FD 01 02 03 04 06 07 08 09 11 12 13 14 15 16 17 18 19 20 21 22 24 25 26 27 28
            USER 01 03 04 05 06 07 08 09 10 11 12 13 14 16 17 18 19 21 23 24 25 26 28 29 30 31 32 33 34 35 36
            TIMER 01 02 04 06 07 10 13 15 16 17 18 19 20 21 22 24 25 28 29 30 32 33 34 36 37 38 40 42
            READ 02 04 05 07 08 09 10 11 12 13 14 15 16 17 19 20 21 23 24 25 28 29 30 31 34 35 37 39 40 42 45 46
            READ 48 49 50 51 53 55 56 59
            WRITE 01 02 04 05 07 08 09 10 11 12 13 14 16 17 19 22 24 25
            THR 01 05 06 10 11 12
            RACE 01 03 04 05 06 07 08 09 10 13
            """;
    private static final Path MODULE = Path.of("").toAbsolutePath();
    private static final Path TESTS = MODULE.resolve("src/test/java/dev/knote/filters/conformance");
    private static final Path DIFFERENCES = MODULE.resolveSibling("docs/differences-from-bsd.md");

    private static final Pattern NAME = Pattern.compile("@DisplayName\\(\\s*\"([^\"]*)\"");
    private static final Pattern FIRST_CELL = Pattern.compile("^\\|([^|]*)\\|", Pattern.MULTILINE);
    private static final Pattern ID = Pattern.compile("\\b(GEN|FD|USER|TIMER|READ|WRITE|THR|RACE)-\\d\\d\\b");

    @Test
    void everyRowIsATestOrADifference() throws IOException {
        Set<String> missing = rows();
        missing.removeAll(tested());
        missing.removeAll(different());
        assertEquals(Set.of(), missing, "rows without a test or a line in " + DIFFERENCES.getFileName());
    }

    @Test
    void noIdIsMistyped() throws IOException {
        Set<String> unknown = tested();
        unknown.addAll(different());
        assertTrue(unknown.removeAll(rows()));
        assertEquals(Set.of(), unknown, "ids that are no rows");
    }

    private static Set<String> rows() {
        Set<String> rows = new TreeSet<>();
        for (String line : ROWS.lines().toList()) {
            String[] words = line.split(" ");
            for (int i = 1; i < words.length; i++) {
                rows.add(words[0] + "-" + words[i]);
            }
        }
        return rows;
    }

    private static Set<String> tested() throws IOException {
        Set<String> ids = new TreeSet<>();
        try (Stream<Path> files = Files.list(TESTS)) {
            for (Path file : files.filter(path -> path.toString().endsWith("Test.java")).toList()) {
                ids.addAll(ids(NAME, Files.readString(file)));
            }
        }
        return ids;
    }

    private static Set<String> different() throws IOException {
        return ids(FIRST_CELL, Files.readString(DIFFERENCES));
    }

    /** The ids in what the pattern's first group matches. */
    private static Set<String> ids(Pattern pattern, String text) {
        return pattern.matcher(text).results()
                .flatMap(match -> ID.matcher(match.group(1)).results())
                .map(match -> match.group())
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
