package dev.knote.kfutex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.knote.Interest;
import dev.knote.Kqueue;
import dev.knote.SharedMemory;
import dev.knote.filters.Read;
import dev.knote.filters.User;
import dev.knote.filters.UserMem;
import dev.knote.filters.conformance.OpenFds;
import dev.knote.linux.Errno;
import dev.knote.linux.Fds;
import dev.knote.words.Words;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How bindings live and end. */
@Timeout(60)
class KfutexTest extends KfutexFixture {
    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
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

    @Test
    void closeLeavesNothingBehind() {
        try (Kfutex warm = new Kfutex()) { // what the JVM opens at first use
            warm.bind(UserMem.int32(other, 0), rule());
        }
        List<String> fds = OpenFds.list();
        Kfutex second = new Kfutex();
        OpenFds.assertNoneBut(fds); // nothing before the first binding
        Binding user = second.bind(User.of(1), rule());
        Binding words = second.bind(UserMem.int32(other, 0), rule());
        second.close();
        Wait.until(() -> services() == 0, "the end of the service");
        Wait.errno(Errno.ENOENT, user::trigger);
        words.unbind();
        assertFalse(words.isBound());
        assertEquals(0, Words.wake(other, 9), "waiters left");
        OpenFds.assertNoneBut(fds);
    }

    private Rule rule() {
        return Rule.add(word, 1).wakeAll().whenAfter(Rule.Test.GE, 1);
    }

    private static long services() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("knote-kfutex")).count();
    }
}
