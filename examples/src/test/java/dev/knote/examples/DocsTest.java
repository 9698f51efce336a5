package dev.knote.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The code in the documents is the code that is compiled and run. */
class DocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Path SOURCES = Path.of("src/main/java/dev/knote/examples");

    @Test
    void portingFromCShowsBothProgramsWhole() throws IOException {
        String doc = "docs/porting-from-c.md";
        assertEquals(Files.readString(Path.of("src/main/c/echo.c")), String.join("\n", blocks(doc, "c")));
        assertEquals(Files.readString(SOURCES.resolve("porting/Echo.java")),
                String.join("\n", blocks(doc, "java")));
    }

    @Test
    void writingAFilterShowsTheFilterAndItsUse() throws IOException {
        assertEquals(List.of(Files.readString(SOURCES.resolve("LoadFilter.java")),
                Files.readString(SOURCES.resolve("WhenBusy.java"))),
                blocks("docs/writing-a-filter.md", "java"));
    }

    @Test
    void theReadmeShowsPartsOfItsThreeExamples() throws IOException {
        List<String> blocks = blocks("README.md", "java");
        assertEquals(4, blocks.size());
        assertPart(blocks.get(0), SOURCES.resolve("JavaFace.java"), 10);
        assertPart(blocks.get(1), SOURCES.resolve("CFace.java"), 8);
        assertPart(blocks.get(2), SOURCES.resolve("NettyWords.java"), 1);
        assertPart(blocks.get(3), SOURCES.resolve("NettyWords.java"), 9);
    }

    @Test
    void linksBetweenTheDocumentsLeadSomewhere() throws IOException {
        List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        try (var docs = Files.walk(ROOT.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
        }
        int links = 0;
        for (Path document : documents) {
            Matcher link = Pattern.compile("]\\(([^)#:]+)(#[^)]*)?\\)").matcher(Files.readString(document));
            for (; link.find(); links++) {
                assertTrue(Files.exists(document.resolveSibling(link.group(1))),
                        document + ": " + link.group(1));
            }
        }
        assertTrue(links > 0, "there are links");
    }

    /** The block's lines stand in the source, one after the other, perhaps further to the right. */
    private static void assertPart(String block, Path source, int least) throws IOException {
        assertTrue(block.lines().count() >= least, block);
        assertTrue(stripped(Files.readString(source)).contains(stripped(block)),
                source + " has not:\n" + block);
    }

    private static String stripped(String text) {
        return text.lines().map(String::strip).collect(Collectors.joining("\n"));
    }

    private static List<String> blocks(String document, String language) throws IOException {
        String text = Files.readString(ROOT.resolve(document));
        Matcher block = Pattern
                .compile("^```" + language + "\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(text);
        List<String> blocks = block.results().map(found -> found.group(1)).toList();
        assertFalse(blocks.isEmpty(), document + " shows no " + language);
        return blocks;
    }
}
