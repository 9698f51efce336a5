package dev.knote.examples.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What somebody sees who has the page open. */
@Tag("browser")
@Timeout(120)
class BrowserTest {
    private static final String TICKS = "document.querySelector('#word-ticks .value').textContent";
    private static final String STATE = "document.querySelector('#process').textContent";
    private static final String REPLY = "document.querySelector('#reply').textContent";
    private static final String CONNECTION = "document.querySelector('#connection').textContent";

    private static final int WIDTH = 1000;
    private static final int HEIGHT = 840;

    @TempDir
    private static Path directory;
    private static Browser browser;

    private Words words;
    private OtherProcess other;
    private PageServer server;

    @BeforeAll
    static void startBrowser() throws Exception {
        String command = Browser.command();
        assumeTrue(command != null, "no chromium here");
        browser = Browser.start(command, directory);
    }

    @AfterAll
    static void closeBrowser() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void open() throws Exception {
        words = Words.create();
        other = new OtherProcess(words);
        server = new PageServer(0, words, PageDemo.about(other));
        browser.open(server.url());
        browser.await("document.querySelector('#word-ticks')", 20);
    }

    @AfterEach
    void close() throws Exception {
        try {
            browser.open("about:blank");
        } finally {
            server.close();
            other.close();
            words.close();
        }
    }

    @Test
    void wordsThatAnotherProcessChangesAreSeenToChange() throws Exception {
        assertEquals("connected", browser.evaluate(CONNECTION));
        for (String word : new String[] {"ticks", "walk", "bits"}) {
            String cell = "document.querySelector('#word-" + word + " .value').textContent";
            String before = browser.evaluate(cell);
            browser.await(cell + " !== '" + before + "'", 20);
        }
        long ticks = number(browser.evaluate(TICKS));
        browser.await("Number(" + TICKS + ".replace(/,/g, '')) >= " + (ticks + 20), 20);
    }

    @Test
    void latenciesUntilTheHandlerAndUntilThePageMoveOverThePlot() throws Exception {
        for (String where : new String[] {"handler", "browser"}) {
            browser.await("/^\\d+(\\.\\d)? (µs|ms)$/.test(document.querySelector('#word-ticks ." + where
                    + "').textContent)", 20);
            browser.await("/median \\d+/.test(document.querySelector('#" + where + "').textContent)", 20);
        }
        String plot = "document.querySelector('#plot').toDataURL()";
        assertNotEquals(browser.evaluate(plot), browser.evaluate("new Promise(done => setTimeout(() => "
                + "requestAnimationFrame(() => done(" + plot + ")), 300))"));
        browser.await(dots("--handler") + " > 20", 20);
        browser.await(dots("--browser") + " > 20", 20);
    }

    /** How many dots of the plot have about the colour of a variable of the style. */
    private static String dots(String colour) {
        return "(() => { const plot = document.querySelector('#plot'); const hex = getComputedStyle("
                + "document.documentElement).getPropertyValue('" + colour + "').trim().slice(1); "
                + "const rgb = [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16)); const all = plot.getContext("
                + "'2d').getImageData(0, 0, plot.width, plot.height).data; let n = 0; for (let i = 0; i < all.length;"
                + " i += 4) { n += all[i + 3] > 150 && rgb.every((c, k) => Math.abs(all[i + k] - c) < 12); } "
                + "return n; })()";
    }

    @Test
    void aReloadShowsThePresentValuesAtOnce() throws Exception {
        browser.await("Number(" + TICKS + ") > 20", 20);
        long before = number(browser.evaluate(TICKS));
        browser.reload();
        browser.await("document.querySelector('#word-ticks .value')?.textContent", 20);
        assertTrue(number(browser.evaluate(TICKS)) >= before, "the values go on");
        assertEquals("connected", browser.evaluate(CONNECTION));
        String now = browser.evaluate(TICKS);
        browser.await(TICKS + " !== '" + now + "'", 20);
        assertEquals(1, server.pages().open());
    }

    @Test
    void theDeathOfTheOtherProcessAndItsReturnAreShown() throws Exception {
        browser.await(STATE + ".includes('runs') && Number(" + TICKS + ") > 5", 20);
        long first = Long.parseLong(browser.evaluate(STATE + ".match(/id (\\d+)/)[1]"));
        browser.evaluate("window.said = [], new MutationObserver(() => said.push(" + STATE
                + ")).observe(document.querySelector('#process'), {childList: true})");
        assertTrue(ProcessHandle.of(first).orElseThrow().destroyForcibly());
        browser.await("said.some(text => text.includes('died'))", 20);
        long ticks = number(browser.evaluate(TICKS));
        browser.await(STATE + ".includes('restarted')", 20);
        long second = Long.parseLong(browser.evaluate(STATE + ".match(/id (\\d+)/)[1]"));
        assertNotEquals(first, second);
        assertTrue(ProcessHandle.of(second).orElseThrow().isAlive());
        browser.await("Number(" + TICKS + ") > " + (ticks + 3), 20);
    }

    @Test
    void theButtonReachesTheOtherProcessAndItsAnswerComesBack() throws Exception {
        for (int question = 1; question <= 3; question++) {
            browser.evaluate("document.querySelector('#ask').click()");
            browser.await(REPLY + ".includes('" + question + "² = " + question * question + ", ')", 20);
            browser.await("/\\d (µs|ms) from the click/.test(" + REPLY + ")", 20);
        }
        browser.await("document.querySelector('#word-answer .value').textContent === '9'", 20);
        assertEquals(9, words.value(Word.ANSWER));
    }

    @Test
    void aServerThatIsGoneIsSaidAndOneThatComesBackIsFound() throws Exception {
        int port = server.port();
        server.close();
        browser.await(CONNECTION + " === 'reconnecting'", 20);
        server = new PageServer(port, words, "a test again");
        browser.await(CONNECTION + " === 'connected'", 20);
        String now = browser.evaluate(TICKS);
        browser.await(TICKS + " !== '" + now + "'", 20);
    }

    @Test
    void thePageFollowsWhetherTheBrowserIsLightOrDark() throws Exception {
        boolean forDocuments = Boolean.getBoolean("knote.screenshot");
        if (forDocuments) {
            makeHistory();
        }
        String background = "getComputedStyle(document.body).backgroundColor";
        byte[] light = browser.screenshot(WIDTH, HEIGHT, false);
        assertEquals("rgb(246, 247, 249)", browser.evaluate(background));
        byte[] dark = browser.screenshot(WIDTH, HEIGHT, true);
        assertEquals("rgb(16, 20, 24)", browser.evaluate(background));
        if (forDocuments) {
            Files.write(Path.of("../docs/demo.png"), light);
            Files.write(Path.of("target/demo-dark.png"), dark);
        }
        browser.screenshot(WIDTH, HEIGHT, false);
    }

    /** Half a minute in which the other process dies once, and answers a question. */
    private void makeHistory() throws Exception {
        browser.screenshot(WIDTH, HEIGHT, false);
        browser.await("performance.now() > 12000", 40);
        long process = Long.parseLong(browser.evaluate(STATE + ".match(/id (\\d+)/)[1]"));
        ProcessHandle.of(process).orElseThrow().destroyForcibly();
        browser.await(STATE + ".includes('restarted')", 20);
        browser.await("performance.now() > 33000", 29);
        browser.evaluate("document.querySelector('#ask').click()");
        browser.await(REPLY + ".includes('1² = 1, ')", 20);
    }

    private static long number(String shown) {
        return Long.parseLong(shown.replace(",", ""));
    }
}
