package dev.knote.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each example runs to its end by itself and prints what it says. */
@Timeout(60)
class ExamplesTest {
    @Test
    void waitForWordSeesTheWordChange() throws Exception {
        assertEquals("before: 0 events\nthe word is 42\n", output(WaitForWord.class));
    }

    @Test
    void twoListenersTakesAConnectionOnEach() throws Exception {
        String output = output(TwoListeners.class);
        assertEquals(4, output.lines().count(), output);
        assertTrue(output.contains("a connection to the first\n"), output);
        assertTrue(output.contains("a connection to the second\n"), output);
        assertTrue(output.endsWith("a caller reads -1\na caller reads -1\n"), output);
    }

    @Test
    void timersTickUntilTheMomentThenEnd() throws Exception {
        String output = output(Timers.class);
        assertTrue(output.matches("(tick\n)+the moment has come\nthe end\n"), output);
    }

    @Test
    void crossProcessLatchOpensWhenBothWorkersAreDone() throws Exception {
        assertEquals("a worker is done\na worker is done\nthe latch is open\n",
                output(CrossProcessLatch.class));
    }

    @Test
    void sellOutSellsEachThingOnceAndCountsTheTriesOfBothProcesses() throws Exception {
        assertEquals(
                "sold out: comparison 0 failed\n".repeat(2) + "left 0, takings 7000\ntries 1002\n",
                output(SellOut.class));
    }

    @Test
    void waitForAnyDoesAllTheWorkBeforeItEnds() throws Exception {
        assertEquals("nobody has ended yet\n" + "a unit of work is done\n".repeat(4) + "all have ended\n",
                output(WaitForAny.class));
    }

    @Test
    void tokensRunsAllJobsAndHasAllTokensBack() throws Exception {
        assertEquals("jobs done: 12\ntokens free: 2, lost: 0\n", output(Tokens.class));
    }

    @Test
    void whenBusyUsesItsOwnFilterFromBothFaces() throws Exception {
        assertEquals("load reached: true\nload never reached: true\n", output(WhenBusy.class));
    }

    @Test
    void theJavaFaceOfTheReadmeGetsAllItsEvents() throws Exception {
        assertEquals("timer 1\nuser 0\nword 7\n", sorted(output(JavaFace.class)));
    }

    @Test
    void theCFaceOfTheReadmeGetsAllItsEvents() throws Exception {
        assertEquals("user: ident 7, fflags 3\ntimer: ident 1, fflags 2\n", output(CFace.class));
    }

    @Test
    void theNettyProgramOfTheReadmeTellsACallerOfTheWord() throws Exception {
        assertEquals("jobs: 42\n", output(NettyWords.class));
    }

    @Test
    void sharedAccountsHaveTheirSumAfterAnOwnerDied() throws Exception {
        assertEquals(
                "moved 30: 70 and 30\nits owner died and left 20 and 30\nmoved 10: 10 and 90\n",
                output(SharedAccounts.class));
    }

    @Test
    void anotherProcessHearsOfTicksThroughMemory() throws Exception {
        assertEquals("three ticks or more\nthe end\n", output(HeardThroughMemory.class));
    }

    @Test
    void anotherProcessTakesTheEventsOfTheRing() throws Exception {
        assertEquals("event 100\nevent 200\n", output(EventsFromRing.class));
    }

    @Test
    void thePoolOfThreadsGoesOnWhileAHandlerBlocks() throws Exception {
        String output = output(PoolOfThreads.class);
        assertEquals("0 threads woken in vain\nboth have happened\nthe time has come\nthe word is 42\n",
                sorted(output));
        assertTrue(output.endsWith("both have happened\n0 threads woken in vain\n"), output);
    }

    private static String output(Class<?> example) throws Exception {
        Path source = Path.of("src/main/java", example.getName().replace('.', '/') + ".java");
        assertTrue(Files.readAllLines(source).size() < 70, source + " is to be short");
        return Program.run(0, Map.of(), Program.java(example));
    }

    private static String sorted(String text) {
        return text.lines().sorted().reduce("", (all, line) -> all + line + "\n");
    }
}
