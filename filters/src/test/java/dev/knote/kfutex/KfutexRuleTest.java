package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.SharedMemory;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.kfutex.Rule.Test;
import dev.knote.linux.Errno;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What an event does to a word, and whom it wakes. */
@Timeout(60)
class KfutexRuleTest {
    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final MemorySegment word = memory.word32(1);
    private final Kfutex kfutex = new Kfutex();

    @AfterEach
    void close() {
        kfutex.close();
        memory.close();
    }

    private Binding fire(Rule... rules) {
        Binding binding = kfutex.bind(User.of(1), rules);
        binding.trigger();
        Wait.until(() -> binding.fired() == 1, "the event");
        return binding;
    }

    @ParameterizedTest
    @CsvSource({"SET,7", "ADD,9", "OR,-1", "AND,2", "XOR,-3"})
    void theWordIsChanged(String change, int expected) {
        int operand = change.equals("OR") ? -4 : change.equals("XOR") ? -1 : change.equals("AND") ? 6 : 7;
        Words.set(word, change.equals("OR") ? 3 : 2);
        fire(switch (change) {
            case "SET" -> Rule.set(word, operand);
            case "ADD" -> Rule.add(word, operand);
            case "OR" -> Rule.or(word, operand);
            case "AND" -> Rule.and(word, operand);
            default -> Rule.xor(word, operand);
        });
        assertEquals(expected, Words.get(word));
    }

    private static Arguments row(String name, int before, UnaryOperator<Rule> criterion, boolean wakes) {
        return Arguments.of(name, before, criterion, wakes);
    }

    /** The word becomes before + 2. */
    static Stream<Arguments> criteria() {
        return Stream.of(
                row("always", 5, rule -> rule, true),
                row("changed", 5, Rule::whenChanged, true),
                row("before == 5", 5, rule -> rule.whenBefore(Test.EQ, 5), true),
                row("before == 7", 5, rule -> rule.whenBefore(Test.EQ, 7), false),
                row("before != 5", 5, rule -> rule.whenBefore(Test.NE, 5), false),
                row("before < 6", 5, rule -> rule.whenBefore(Test.LT, 6), true),
                row("before < 5", 5, rule -> rule.whenBefore(Test.LT, 5), false),
                row("before <= 5", 5, rule -> rule.whenBefore(Test.LE, 5), true),
                row("before > 5", 5, rule -> rule.whenBefore(Test.GT, 5), false),
                row("before >= 6", 5, rule -> rule.whenBefore(Test.GE, 6), false),
                row("before < 0, signed", -9, rule -> rule.whenBefore(Test.LT, 0), true),
                row("after == 7", 5, rule -> rule.whenAfter(Test.EQ, 7), true),
                row("after != 7", 5, rule -> rule.whenAfter(Test.NE, 7), false),
                row("after < 7", 5, rule -> rule.whenAfter(Test.LT, 7), false),
                row("after <= 7", 5, rule -> rule.whenAfter(Test.LE, 7), true),
                row("after > 6", 5, rule -> rule.whenAfter(Test.GT, 6), true),
                row("after >= 8", 5, rule -> rule.whenAfter(Test.GE, 8), false),
                row("after > 0, wrapped", Integer.MAX_VALUE, rule -> rule.whenAfter(Test.GT, 0), false),
                row("bit 2 set (5 to 7)", 5, rule -> rule.whenSet(2), true),
                row("bit 4 set (5 to 7)", 5, rule -> rule.whenSet(4), false),
                row("bit 2 cleared (6 to 8)", 6, rule -> rule.whenCleared(2), true),
                row("bit 1 cleared (6 to 8)", 6, rule -> rule.whenCleared(1), false));
    }

    @ParameterizedTest(name = "{0}: {3}")
    @MethodSource("criteria")
    void theCriterionDecidesWhetherOneIsWoken(
            String name, int before, UnaryOperator<Rule> criterion, boolean wakes) {
        Words.set(word, before);
        try (EventQueue other = EventQueue.open()) {
            other.register(UserMem.int32(word, before), null);
            Binding binding = fire(criterion.apply(Rule.add(word, 2).wake(1)));
            assertEquals(before + 2, Words.get(word));
            assertEquals(wakes ? 1 : 0, binding.woken());
            Duration patience = wakes ? Duration.ofSeconds(10) : Duration.ofMillis(5);
            assertEquals(wakes ? 1 : 0, other.poll(event -> {}, patience));
        }
    }

    @org.junit.jupiter.api.Test
    void anUnchangedWordDoesNotWakeWhenChangedIsAskedFor() {
        Words.set(word, 4);
        Thread sleeper = Wait.sleeper(word);
        fire(Rule.or(word, 4).wakeAll().whenChanged());
        assertTrue(sleeper.isAlive());
        assertEquals(1, Words.wake(word, 1), "it sleeps");
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "9,3"})
    void asManyAreWokenAsAsked(int n, int expected) {
        List<Thread> sleepers = Stream.generate(() -> Wait.sleeper(word)).limit(3).toList();
        assertEquals(expected, fire(Rule.set(word, 1).wake(n)).woken());
        Wait.until(() -> sleepers.stream().filter(Wait::hasEnded).count() == expected, "the woken");
        assertEquals(3 - expected, Words.wake(word, 9), "those who sleep on");
    }

    @org.junit.jupiter.api.Test
    void wakeAllWakesAllAndNoWakeWakesNobody() {
        Thread first = Wait.sleeper(word);
        assertEquals(0, fire(Rule.add(word, 1)).woken());
        assertTrue(first.isAlive());
        assertEquals(1, Words.wake(word, 1));
        Wait.sleeper(word);
        Wait.sleeper(word);
        assertEquals(2, fire(Rule.add(word, 1).wakeAll()).woken());
    }

    @org.junit.jupiter.api.Test
    void rulesAreAppliedInTheirOrder() {
        fire(Rule.set(word, 6), Rule.add(word, 1), Rule.xor(word, 1), Rule.add(memory.word32(2), 5));
        assertEquals(6, Words.get(word));
        assertEquals(5, Words.get(memory.word32(2)));
    }

    @org.junit.jupiter.api.Test
    void aRuleSaysWhatIsWrongWithIt() {
        MemorySegment heap = MemorySegment.ofArray(new int[1]);
        Wait.errno(Errno.EFAULT, () -> Rule.set(heap, 1));
        Wait.errno(Errno.EFAULT, () -> Rule.set(null, 1));
        Wait.errno(Errno.EINVAL, () -> Rule.set(memory.segment().asSlice(2), 1));
        Wait.errno(Errno.EINVAL, () -> Rule.set(memory.segment().asSlice(4094), 1));
        Wait.errno(Errno.EACCES, () -> Rule.set(memory.segment().asReadOnly(), 1));
        Wait.errno(Errno.EINVAL, () -> Rule.set(word, 1).wake(0));
        Wait.errno(Errno.EINVAL, () -> Rule.set(word, 1).whenAfter(null, 0));
    }
}
