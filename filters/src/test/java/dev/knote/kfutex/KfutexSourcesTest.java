package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Interest;
import dev.knote.filters.Read;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.filters.Write;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import dev.knote.words.Words;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which knotes can be bound. */
@Timeout(60)
class KfutexSourcesTest extends KfutexFixture {
    private static final int SYS_PIDFD_OPEN = 434;

    @Test
    void aReadyFdIsToldOnceAnArrivalAndDoesNotSpin() {
        try (Pipe pipe = new Pipe()) {
            Binding binding = kfutex.bind(Read.of(pipe.reader), Rule.add(word, 1).wakeAll());
            round();
            assertEquals(0, Words.get(word));
            for (int i = 1; i < 4; i++) {
                pipe.write(1); // and nobody reads
                awaitValue(word, i);
                round();
                assertEquals(i, Words.get(word), "told once");
            }
            assertEquals(3, binding.fired());
        }
    }

    @Test
    void whatHoldsAlreadyIsTold() {
        try (Pipe pipe = new Pipe()) {
            kfutex.bind(Write.of(pipe.writer), Rule.or(word, 2));
            awaitValue(word, 2);
            pipe.write(5);
            kfutex.bind(Read.of(pipe.reader), Rule.setData(other));
            awaitValue(other, 5);
        }
    }

    @Test
    void theOtherSideGoneIsTold() {
        try (Pipe pipe = new Pipe()) {
            kfutex.bind(Read.of(pipe.reader), Rule.add(word, 1), Rule.or(other, 8).onEof().wakeAll());
            pipe.write(1);
            awaitValue(word, 1);
            assertEquals(0, Words.get(other), "not the end yet");
            Thread sleeper = Wait.sleeper(other);
            pipe.closeWriter();
            Wait.until(() -> Wait.hasEnded(sleeper), "the wake at the end");
            assertEquals(8, Words.get(other));
        }
    }

    @Test
    void aTimerCounts() {
        Binding binding = kfutex.bind(Timer.every(Duration.ofMillis(1)), Rule.addData(word).wakeAll());
        Wait.until(() -> Words.get(word) >= 5, "expirations");
        binding.unbind();
        kfutex.bind(Timer.after(Duration.ofMillis(1)), Rule.set(other, 1).wakeAll());
        awaitValue(other, 1);
    }

    @Test
    void aProcessExitIsTold() throws Exception {
        Process process = new ProcessBuilder("cat").start();
        int pidfd = (int) Native.syscall(SYS_PIDFD_OPEN, process.pid(), 0, 0);
        assertTrue(pidfd >= 0, "pidfd_open: " + pidfd);
        try {
            Binding binding = kfutex.bind(Read.of(pidfd), Rule.set(word, 1).wakeAll());
            round();
            assertEquals(0, Words.get(word), "it is alive");
            Thread sleeper = Wait.sleeper(word);
            process.destroyForcibly();
            Wait.until(() -> Wait.hasEnded(sleeper), "the wake at its exit");
            round();
            assertEquals(1, Words.get(word));
            assertTrue(binding.fired() >= 1, "some kernels tell again when the process is waited for");
        } finally {
            Fds.close(pidfd);
        }
    }

    @Test
    void anotherWordIsMirrored() {
        kfutex.bind(UserMem.int32(word, 0), Rule.setData(other).wakeAll().whenChanged());
        for (int i = 1; i < 5; i++) {
            Words.set(word, i);
            Words.wake(word, 1);
            awaitValue(other, i);
        }
    }

    @Test
    void aQueueIsBoundToo() {
        try (EventQueue inner = EventQueue.open()) {
            var user = inner.register(User.of(1).clear(), null);
            kfutex.bind(Read.of(inner.fd()), Rule.add(word, 1));
            user.trigger();
            awaitValue(word, 1);
            assertEquals(1, inner.poll(event -> {}, Duration.ZERO));
        }
    }

    @Test
    void aThirdPartysFilterIsBoundAndDoesNotSpinEither() {
        Binding binding = kfutex.bind(Interest.of(OURS, 5), Rule.add(word, 1));
        byHand.fires = true;
        byHand.last.activate();
        awaitValue(word, 1);
        round();
        assertEquals(1, binding.fired());
        byHand.last.activate();
        awaitValue(word, 2);
    }
}
