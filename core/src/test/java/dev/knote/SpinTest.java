package dev.knote;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.knote.linux.Threads;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpinTest {
    private static final Duration MOST = Duration.ofMillis(1);

    @Test
    void withoutTheOptionNobodySpins() {
        assertFalse(new Spin(Duration.ZERO).worthwhile());
    }

    @Test
    void spinningInVainEndsSpinningButForATryNowAndThen() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        Spin spin = new Spin(MOST);
        assertTrue(spin.worthwhile(), "at first it is tried");
        IntStream.range(0, 20).forEach(i -> spin.end(false));
        long tries = IntStream.range(0, 1_000).filter(i -> spin.worthwhile()).count();
        assertTrue(tries > 0 && tries < 20, "tries: " + tries);
    }

    @Test
    void successEarnsTrustThatOutlastsAFailure() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        Spin spin = new Spin(MOST);
        IntStream.range(0, 20).forEach(i -> spin.end(true));
        spin.end(false);
        assertTrue(spin.worthwhile());
    }

    @Test
    void aShortSleepEarnsTrustAndALongOneDoesNot() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        Spin spin = new Spin(Duration.ofSeconds(30));
        IntStream.range(0, 20).forEach(i -> spin.end(false));
        assertFalse(spin.worthwhile());
        spin.fallsAsleep();
        spin.woke();
        assertTrue(spin.worthwhile());

        Spin other = new Spin(Duration.ofNanos(1));
        IntStream.range(0, 20).forEach(i -> other.end(false));
        other.fallsAsleep();
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < 1_000_000) {
            Thread.onSpinWait();
        }
        other.woke();
        assertFalse(other.worthwhile());
    }

    @Test
    void spinningEndsWithItsTime() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        Spin spin = new Spin(MOST);
        long begin = System.nanoTime();
        spin.begin(-1);
        while (spin.goesOn()) {
            assertTrue(System.nanoTime() - begin < 5_000_000_000L, "it does not end");
        }
        assertTrue(System.nanoTime() - begin >= MOST.toNanos());
    }

    @Test
    void aSleepThatIsShorterBoundsTheSpinning() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        Spin spin = new Spin(Duration.ofSeconds(30));
        long begin = System.nanoTime();
        spin.begin(1_000_000);
        while (spin.goesOn()) {
            assertTrue(System.nanoTime() - begin < 10_000_000_000L, "it does not end");
        }
    }

    @Test
    void nobodySpinsForAWakerOnHisOwnProcessor() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        // A thread may be moved between two looks: once in many tries it is not.
        boolean refused = IntStream.range(0, 1_000).anyMatch(i -> {
            Spin spin = new Spin(MOST);
            spin.wokenFromHere();
            return !spin.worthwhile();
        });
        assertTrue(refused);
    }

    @Test
    void aWakerOfLongAgoIsForgottenWhenSomethingElseEndsASleep() {
        assumeTrue(Threads.processors() > 1, "spinning needs two processors");
        for (int i = 0; i < 1_000; i++) {
            Spin spin = new Spin(MOST);
            spin.wokenFromHere();
            spin.fallsAsleep();
            spin.woke();
            assertTrue(spin.worthwhile());
        }
    }
}
