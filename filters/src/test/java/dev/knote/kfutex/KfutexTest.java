package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.EventQueue;
import dev.knote.Filter;
import dev.knote.FilterKnote;
import dev.knote.Interest;
import dev.knote.Kevent;
import dev.knote.Kqueue;
import dev.knote.Options;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.Timer;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.filters.Write;
import dev.knote.kfutex.Rule.Test;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.linux.Native;
import dev.knote.words.Words;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which knotes can be bound, and how bindings live and end. */
@Timeout(60)
class KfutexTest {
    private static final int SYS_PIDFD_OPEN = 434;
    private static final int OURS = -200;

    private final SharedMemory memory = SharedMemory.anonymous(4096);
    private final MemorySegment word = memory.word32(1);
    private final MemorySegment other = memory.word32(2);
    private final ByHand byHand = new ByHand();
    private final Kfutex kfutex = new Kfutex(Options.defaults().filter(byHand));

    /** A third party's filter: level triggered, fires as long as it is told to. */
    private static final class ByHand implements Filter {
        volatile FilterKnote last;
        volatile boolean fires;
        volatile int error;
        volatile boolean breaks;

        @Override
        public int number() {
            return OURS;
        }

        @Override
        public String name() {
            return "BY_HAND";
        }

        @Override
        public void attach(FilterKnote knote, Kevent change) {
            last = knote;
        }

        @Override
        public boolean event(FilterKnote knote) {
            if (breaks) {
                throw new IllegalStateException("broken for the test");
            }
            knote.error(error);
            return fires;
        }
    }

    @AfterEach
    void close() {
        kfutex.close();
        memory.close();
    }

    private static void awaitValue(MemorySegment word, int value) {
        Wait.until(() -> Words.get(word) == value, "value " + value);
    }

    /** The service has seen all that was there before this was called. */
    private void round() {
        Binding marker = kfutex.bind(User.of(-1), Rule.add(memory.word32(63), 1));
        for (int i = 1; i <= 2; i++) {
            marker.trigger();
            int count = i;
            Wait.until(() -> marker.fired() == count, "a round of the service");
        }
        marker.unbind();
    }

    @org.junit.jupiter.api.Test
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

    @org.junit.jupiter.api.Test
    void whatHoldsAlreadyIsTold() {
        try (Pipe pipe = new Pipe()) {
            kfutex.bind(Write.of(pipe.writer), Rule.or(word, 2));
            awaitValue(word, 2);
            pipe.write(5);
            kfutex.bind(Read.of(pipe.reader), Rule.setData(other));
            awaitValue(other, 5);
        }
    }

    @org.junit.jupiter.api.Test
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

    @org.junit.jupiter.api.Test
    void aTimerCounts() {
        Binding binding = kfutex.bind(Timer.every(Duration.ofMillis(1)), Rule.addData(word).wakeAll());
        Wait.until(() -> Words.get(word) >= 5, "expirations");
        binding.unbind();
        kfutex.bind(Timer.after(Duration.ofMillis(1)), Rule.set(other, 1).wakeAll());
        awaitValue(other, 1);
    }

    @org.junit.jupiter.api.Test
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
            assertEquals(1, binding.fired());
        } finally {
            Fds.close(pidfd);
        }
    }

    @org.junit.jupiter.api.Test
    void anotherWordIsMirrored() {
        kfutex.bind(UserMem.int32(word, 0), Rule.setData(other).wakeAll().whenChanged());
        for (int i = 1; i < 5; i++) {
            Words.set(word, i);
            Words.wake(word, 1);
            awaitValue(other, i);
        }
    }

    @org.junit.jupiter.api.Test
    void aQueueIsBoundToo() {
        try (EventQueue inner = EventQueue.open()) {
            var user = inner.register(User.of(1).clear(), null);
            kfutex.bind(Read.of(inner.fd()), Rule.add(word, 1));
            user.trigger();
            awaitValue(word, 1);
            assertEquals(1, inner.poll(event -> {}, Duration.ZERO));
        }
    }

    @org.junit.jupiter.api.Test
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

    @org.junit.jupiter.api.Test
    void anErrorTouchesOnlyWhatIsMeantForErrors() {
        byHand.error = Errno.EIO;
        byHand.fires = true;
        Binding binding = kfutex.bind(
                Interest.of(OURS, 5).oneShot(), Rule.add(word, 1), Rule.set(other, 9).onError().wakeAll());
        awaitValue(other, 9);
        Wait.until(() -> !binding.isBound(), "its end");
        assertEquals(0, Words.get(word));
        assertEquals(Errno.EIO, binding.errno());
    }

    @org.junit.jupiter.api.Test
    void aFilterThatThrowsDoesNotStopTheService() {
        kfutex.bind(Interest.of(OURS, 5), Rule.add(word, 1));
        byHand.breaks = true;
        byHand.last.activate();
        round();
        byHand.breaks = false;
        byHand.fires = true;
        byHand.last.activate();
        awaitValue(word, 1);
    }

    @org.junit.jupiter.api.Test
    void oneShotEndsTheBinding() {
        Binding binding = kfutex.bind(User.of(1).oneShot(), Rule.add(word, 1));
        assertTrue(binding.isBound());
        binding.trigger();
        awaitValue(word, 1);
        Wait.until(() -> !binding.isBound(), "its end");
        Wait.until(() -> {
            try {
                binding.trigger();
                return false;
            } catch (dev.knote.KeventException e) {
                return e.errno() == Errno.ENOENT;
            }
        }, "ENOENT");
        assertEquals(1, Words.get(word));
        kfutex.bind(User.of(1).oneShot(), Rule.add(word, 10)).trigger();
        awaitValue(word, 11);
    }

    @org.junit.jupiter.api.Test
    void dispatchIsTaughtByEnable() {
        try (Pipe pipe = new Pipe()) {
            Binding binding = kfutex.bind(Read.of(pipe.reader).dispatch(), Rule.add(word, 1));
            pipe.write(1);
            awaitValue(word, 1);
            pipe.write(1);
            round();
            assertEquals(1, Words.get(word), "disabled");
            binding.enable();
            awaitValue(word, 2);
            pipe.drain();
            binding.enable();
            round();
            assertEquals(2, Words.get(word), "nothing to read");
        }
    }

    @org.junit.jupiter.api.Test
    void afterUnbindNothingIsTouched() {
        Binding binding = kfutex.bind(User.of(1), Rule.add(word, 1));
        Thread triggers = Thread.ofPlatform().start(() -> {
            try {
                while (true) {
                    binding.trigger();
                }
            } catch (dev.knote.KeventException ended) {
                assertEquals(Errno.ENOENT, ended.errno());
            }
        });
        Wait.until(() -> Words.get(word) > 100, "events");
        binding.unbind();
        int last = Words.get(word);
        round();
        assertEquals(last, Words.get(word));
        assertEquals(last, binding.fired());
        assertFalse(binding.isBound());
        binding.unbind();
        Wait.until(() -> Wait.hasEnded(triggers), "ENOENT");
    }

    @org.junit.jupiter.api.Test
    void bindingAgainReplacesTheRulesAndLosesNoEvent() {
        Binding first = kfutex.bind(User.of(1), Rule.add(word, 1));
        first.trigger();
        Binding second = kfutex.bind(User.of(1), Rule.add(other, 1));
        Wait.until(() -> Words.get(word) + Words.get(other) == 1, "the event of before");
        assertFalse(first.isBound());
        first.unbind();
        int before = Words.get(other);
        second.trigger();
        awaitValue(other, before + 1);
        assertTrue(second.isBound());
    }

    @org.junit.jupiter.api.Test
    void aWordWhoseMemoryIsClosedEndsItsBindingAlone() {
        SharedMemory gone = SharedMemory.anonymous(4096);
        Binding bad = kfutex.bind(User.of(1), Rule.add(gone.word32(0), 1).wakeAll(), Rule.add(word, 1));
        Binding good = kfutex.bind(User.of(2), Rule.add(other, 1));
        gone.close();
        bad.trigger();
        awaitValue(word, 1);
        Wait.until(() -> !bad.isBound(), "its end");
        assertEquals(Errno.EFAULT, bad.errno());
        good.trigger();
        awaitValue(other, 1);
    }

    @org.junit.jupiter.api.Test
    void aWordWhoseFileIsCutEndsItsBindingAlone(@TempDir Path temp) throws Exception {
        Path file = temp.resolve("words");
        java.nio.file.Files.write(file, new byte[4096]);
        try (SharedMemory cut = SharedMemory.map(file);
                var channel = FileChannel.open(file,
                        StandardOpenOption.WRITE)) {
            Binding bad = kfutex.bind(User.of(1), Rule.add(cut.word32(0), 1).wakeAll());
            Binding source = kfutex.bind(UserMem.int32(cut.word32(3), 0), Rule.add(word, 1),
                    Rule.set(word, 77).onError());
            channel.truncate(0);
            bad.trigger();
            Wait.until(() -> !bad.isBound(), "its end");
            assertEquals(Errno.EFAULT, bad.errno());
            awaitValue(word, 77);
            Wait.until(() -> source.errno() == Errno.EFAULT, "the error of the word waited for");
        }
        round();
    }

    @org.junit.jupiter.api.Test
    void aClosedFdEndsItsBindingAndItsNumberIsFreeForAnother() {
        try (Pipe pipe = new Pipe(); Pipe another = new Pipe()) {
            int fd = pipe.reader;
            Binding binding = kfutex.bind(Read.of(fd), Rule.add(word, 1));
            Kqueue.close(fd);
            Wait.until(() -> !binding.isBound(), "its end");
            assertEquals(fd, Fds.dup3(another.reader, fd), "the same number");
            kfutex.bind(Read.of(fd), Rule.add(other, 1));
            another.write(1);
            awaitValue(other, 1);
            assertEquals(0, Words.get(word));
        }
    }

    @org.junit.jupiter.api.Test
    void whatCannotBeBoundIsRefused() {
        Rule rule = Rule.add(word, 1);
        Wait.errno(Errno.EBADF, () -> kfutex.bind(Read.of(9999), rule));
        Wait.errno(Errno.EINVAL, () -> kfutex.bind(User.of(1)));
        Wait.errno(Errno.EINVAL, () -> kfutex.bind(User.of(1), rule, null));
        Wait.errno(Errno.EINVAL, () -> kfutex.bind(Interest.of(-999, 1), rule));
        Wait.errno(Errno.EINVAL, () -> kfutex.bind(UserMem.int32(word, 0), rule));
        kfutex.close();
        kfutex.close();
        Wait.errno(Errno.EBADF, () -> kfutex.bind(User.of(1), rule));
        assertEquals(0, Words.get(word));
    }

    @org.junit.jupiter.api.Test
    void closeLeavesNothingBehind() {
        try (Kfutex warm = new Kfutex()) { // what the JVM opens at first use
            warm.bind(UserMem.int32(other, 0), rule());
        }
        int fds = new java.io.File("/proc/self/fd").list().length;
        Kfutex second = new Kfutex();
        assertEquals(fds, new java.io.File("/proc/self/fd").list().length,
                "nothing before the first binding");
        Binding user = second.bind(User.of(1), rule());
        Binding words = second.bind(UserMem.int32(other, 0), rule());
        second.close();
        Wait.until(() -> services() == 0, "the end of the service");
        Wait.errno(Errno.ENOENT, user::trigger);
        words.unbind();
        assertFalse(words.isBound());
        assertEquals(0, Words.wake(other, 9), "waiters left");
        assertEquals(fds, new java.io.File("/proc/self/fd").list().length);
    }

    private Rule rule() {
        return Rule.add(word, 1).wakeAll().whenAfter(Test.GE, 1);
    }

    private static long services() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("knote-kfutex")).count();
    }
}
